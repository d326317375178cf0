"""Rung 1: every knob of the baseline has the same default and range in the candidate."""

import ast
from collections.abc import Iterable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from io import StringIO
from types import ModuleType

from goldenseal.errors import CannotCheckError
from goldenseal.knobs import Knob, check_declarations
from goldenseal.ladder.probe import Probe, Script, environment
from goldenseal.ladder.processes import in_processes
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.ladder.script import source_text
from goldenseal.result import GateResult, conclude

NAME = "knobs"


@dataclass(frozen=True)
class KnobFacts:
    """What can be compared of a knob; `None` bounds are open."""

    default: str
    low: float | None = None
    high: float | None = None


def jobs(probe: Probe) -> list[Job]:
    """Nothing is recorded: the declarations are read."""
    return []


def judge(recordings: Recordings) -> GateResult:
    """Compare the declarations, and find knobs that no feature owns."""
    probe = recordings.probe
    expected = loaded_apart(probe.baseline)
    if probe.baseline_knobs is None:
        actual = loaded_apart(probe.candidate)
    else:
        check_declarations(probe.baseline_knobs, probe.features)
        actual = facts_of(probe.baseline_knobs)
    findings = []
    for name, facts in sorted(expected.items()):
        other = actual.get(name)
        if other is None:
            findings.append(f"{name} is gone: the baseline reads it, default {facts.default}")
        elif other.default != facts.default:
            findings.append(f"{name} defaults to {other.default}, in the baseline {facts.default}")
        elif (other.low, other.high) != (facts.low, facts.high):
            findings.append(
                f"{name} ranges over [{other.low}, {other.high}], "
                f"in the baseline [{facts.low}, {facts.high}]"
            )
    owned = {knob.name for feature in probe.features for knob in feature.all_knobs}
    for name in sorted(set(actual) - set(expected) - owned):
        findings.append(f"{name} is new and belongs to no feature, so no gate would try it")
    if not expected:
        findings.append("no knob was found in the baseline")
    if probe.baseline_knobs is not None:
        findings += [
            f"{words} in every scenario: a candidate that ignores it would pass"
            for words in untried(probe.baseline_knobs, recordings)
        ]
    summary = f"{len(expected)} baseline knobs, {len(owned)} of {len(probe.features)} features"
    return conclude(NAME, summary, findings)


def untried(knobs: Iterable[Knob], recordings: Recordings) -> list[str]:
    """What no scenario, nor the probe's data, tries: a knob off its default, or a choice."""
    environments = [recordings.environment(scenario, ()) for scenario in recordings.probe.scenarios]
    findings = []
    for knob in knobs:
        values = {knob.parse(each.get(knob.name, "")) for each in environments}
        if values == {knob.default}:
            findings.append(f"{knob.name} has its default")
        else:
            missing = [choice for choice in knob.choices if choice not in values]
            findings += [f"{knob.name} is not {choice}" for choice in missing]
    return findings


def facts_of(knobs: Iterable[Knob]) -> dict[str, KnobFacts]:
    """The comparable side of declared knobs."""
    return {k.name: KnobFacts(repr(k.default), k.low, k.high) for k in knobs}


def loaded_apart(script: Script) -> dict[str, KnobFacts]:
    """The script's knobs, found in a process of its own. Raises what the finding of them raised."""
    ((_, ended),) = in_processes([partial(knobs_of_script, script)], 1)
    if ended.value is None:
        words = f"the {script.label} ended its process, with exit code {ended.exit_code}"
        raise ended.error or CannotCheckError(f"{words}, while it was imported")
    return ended.value


def knobs_of_script(script: Script) -> dict[str, KnobFacts]:
    """A script's knobs: from a dataclass whose fields name their variable, else from the source."""
    declared = {}
    # A script that cannot be imported ends the verdict elsewhere; its source can still be read.
    with environment({}), suppress(Exception), redirect_stdout(StringIO()):
        with script.opened() as module:
            declared = declared_in(module)
    if declared or not script.location.endswith(".py"):
        return declared
    return read_in(source_text(script.location))


def declared_in(module: ModuleType) -> dict[str, KnobFacts]:
    """Fields with metadata `env`, `low`, `high` of a module's dataclasses."""
    declared = {}
    for _, value in sorted(vars(module).items()):
        if isinstance(value, type) and is_dataclass(value):
            for f in fields(value):
                if "env" in f.metadata:
                    low, high = f.metadata.get("low"), f.metadata.get("high")
                    declared[f.metadata["env"]] = KnobFacts(repr(f.default), low, high)
    return declared


def read_in(source: str) -> dict[str, KnobFacts]:
    """Every variable that a source reads by `os.environ.get`, `os.getenv` or `os.environ[...]`."""
    places = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            arguments = node.args
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            arguments = [node.slice]
        else:
            continue
        if arguments and isinstance(arguments[0], ast.Constant):
            default = ast.unparse(arguments[1]) if len(arguments) > 1 else "none"
            places[str(arguments[0].value)] = KnobFacts(default)
    # The launcher's variables say where a process runs, not what it trains.
    return {k: v for k, v in places.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
