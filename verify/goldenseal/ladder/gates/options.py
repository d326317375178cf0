"""Rung 1 of commands: every option that the baseline has, the candidate has, with its default.

Options are those that were seen at run time: of argparse and click, variables that were read, a
composed configuration, fields of dataclasses and of classes of settings. So a changed default is
found also where the command sets the option.
"""

import difflib
from collections.abc import Mapping

from goldenseal.digest import whole_numbers
from goldenseal.knobs import Feature
from goldenseal.ladder.events import Option
from goldenseal.ladder.gates.common import SIDES, record_job
from goldenseal.ladder.gates.liveness import on_job, on_runs
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.program import is_argument, words_of
from goldenseal.ladder.recordings import Job, Recordings, Side
from goldenseal.result import GateResult, Verdict, conclude

NAME = "knobs"
OFFERED = ("option", "variable", "override", "setting")  # what a user is meant to set
# Variables that libraries read in C, or whose readers may not be loaded.
LIBRARIES = (
    *("OMP_", "MKL_", "CUDA_", "CUBLAS_", "NCCL_", "GLOO_", "TORCH", "PYTORCH_", "PYTHON", "HF_"),
    *("KMP_", "OPENBLAS_", "TOKENIZERS_", "WANDB_", "LD_", "MASTER_", "RANK", "LOCAL_RANK"),
    *("WORLD_SIZE", "TRANSFORMERS_", "TF_", "HYDRA_", "NUMEXPR_", "MALLOC_"),
)


def jobs(probe: Probe) -> list[Job]:
    """Both sides in every scenario, and each feature on."""
    runs = [record_job(probe, side, s.name) for s in probe.scenarios for side in SIDES]
    return [*runs, *(on_job(probe, feature, follow=True) for feature in probe.features)]


def judge(recordings: Recordings) -> GateResult:
    """Findings name the option, as it is typed, with both defaults."""
    probe = recordings.probe
    expected, actual = (options_of(recordings, side) for side in SIDES)
    findings = list(defaults_apart(expected, actual))
    owned = {name for feature in probe.features for name in names_of(feature)}
    new = [
        name
        for name, option in sorted(actual.items())
        if name not in expected and option.kind in OFFERED and not is_owned(name, owned)
    ]
    if probe.features:
        findings += [
            f"{name} is new and belongs to no [[feature]]: no gate tries it" for name in new
        ]
    findings += unread(recordings)
    if not expected and not actual and not findings:
        return GateResult(NAME, Verdict.PASS, "no option could be observed: not applicable")
    summary = f"{len(expected)} options of the baseline, each with its default"
    if new:
        summary += f"; new, and tried by no [[feature]]: {', '.join(new)}"
    return conclude(NAME, summary, dict.fromkeys(findings))


def options_of(recordings: Recordings, side: Side) -> dict[str, Option]:
    """What was seen in any run of a side with the features off."""
    found: dict[str, Option] = {}
    for scenario in recordings.scenarios:
        run = recordings.recording(record_job(recordings.probe, side, scenario.name))
        found = {**run.options, **found}
    return found


def defaults_apart(expected: Mapping[str, Option], actual: Mapping[str, Option]) -> list[str]:
    """Options that are gone, and those with another default."""
    findings = []
    for name, option in sorted(expected.items()):
        other = actual.get(name)
        if other is None:
            if option.kind in OFFERED:
                near = difflib.get_close_matches(name, set(actual) - set(expected), n=1)
                hint = f"; the candidate has {near[0]}" if near else ""
                findings.append(f"{name} is gone: its default is {option.default}{hint}")
        elif whole_numbers(other.default) != whole_numbers(option.default):
            findings.append(f"{name} defaults to {other.default}, in the baseline {option.default}")
    return findings


def names_of(feature: Feature) -> list[str]:
    """How the options of a feature are typed."""
    settings = {**feature.example, **{knob.name: str(knob.on) for knob in feature.knobs}}
    plain = [name for name in settings if not is_argument(name)]
    words = [each.lstrip("+").partition("=")[0] for each in words_of(settings)]
    return [*plain, *words]


def is_owned(name: str, owned: set[str]) -> bool:
    """Whether an option is among those of features; `--head-gain` may be typed `--head_gain`."""
    plain = {each.replace("_", "-").lstrip("-") for each in owned}
    return name.replace("_", "-").lstrip("-") in plain


def unread(recordings: Recordings) -> list[str]:
    """Variables that the description sets and that nobody reads, with what is read instead."""
    probe, findings = recordings.probe, []
    off = [
        recordings.recording(record_job(probe, side, s.name))
        for s in probe.scenarios
        for side in SIDES
    ]
    read = {name for run in off for name in run.read}
    for scenario in probe.scenarios:
        findings += [silent(name, read) for name in scenario.environment if is_unread(name, read)]
    runs = on_runs(recordings)
    for feature in probe.features:
        also = read | runs[feature.name].read
        findings += [silent(name, also) for name in feature.example if is_unread(name, also)]
    return findings


def is_unread(name: str, read: set[str]) -> bool:
    """Whether a setting is a variable that no Python code has asked for."""
    return not is_argument(name) and name not in read and not name.startswith(LIBRARIES)


def silent(name: str, read: set[str]) -> str:
    """In words."""
    near = difflib.get_close_matches(name, sorted(read), n=1)
    return f"{name} is set and nobody reads it" + (f": did you mean {near[0]}?" if near else "")
