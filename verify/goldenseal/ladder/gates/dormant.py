"""Rung 8: with the masters off, no value of any sub-knob changes anything.

The values are drawn by hypothesis, derandomised, so that each run of the gate tries the same ones.
Every drawn environment is inspected; a few are run whole.
"""

from collections.abc import Mapping

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.gates.common import compare_runs, inspect_job, record_job
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.program import spelled
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.result import GateResult, Verdict, conclude

NAME = "dormant knobs"
INSPECTED, RUN_WHOLE = 10, 3


def jobs(probe: Probe) -> list[Job]:
    """The candidate under environments that all mean off."""
    made = []
    for scenario, variables, whole in trials(probe):
        made.append(inspect_job(probe, "candidate", scenario, variables))
        if whole:
            made.append(record_job(probe, "candidate", scenario, variables))
    for scenario in {scenario: None for scenario, _, _ in trials(probe)}:
        made += [make(probe, "baseline", scenario) for make in (inspect_job, record_job)]
    return made


def judge(recordings: Recordings) -> GateResult:
    """Compare each trial with the baseline, and name the smallest environment that differs."""
    findings, tried = [], trials(recordings.probe)
    for scenario, variables, whole in tried:
        if difference(recordings, scenario, variables, whole):
            culprits = [
                {name: value}
                for name, value in sorted(variables.items())
                if difference(recordings, scenario, {name: value}, whole)
            ] or [variables]
            for culprit in culprits:
                words = " ".join(spelled(name, value) for name, value in culprit.items())
                reason = difference(recordings, scenario, culprit, whole)
                findings.append(f"{words} acts though its feature is off: {reason}")
    if not tried and recordings.probe.commands:
        return GateResult(NAME, Verdict.PASS, "nothing says that a feature is off: not applicable")
    summary = (
        f"{len(tried)} environments that mean off, {sum(whole for *_, whole in tried)} run whole"
    )
    return conclude(NAME, summary, dict.fromkeys(findings))


def difference(
    recordings: Recordings, scenario: str, variables: Mapping[str, str], whole: bool
) -> str | None:
    """How the candidate under `variables` differs from the baseline; None when it does not."""
    probe = recordings.probe
    a = recordings.inspection(inspect_job(probe, "baseline", scenario))
    b = recordings.inspection(inspect_job(probe, "candidate", scenario, variables))
    if b.error != a.error:
        return f"stopped: {b.error}"
    for part in ("state", "rng", "behaviour"):
        if getattr(a, part) != getattr(b, part):
            return f"the {part} of a fresh model changes"
    if not whole:
        return None
    return compare_runs(
        recordings.recording(record_job(probe, "baseline", scenario)),
        recordings.recording(record_job(probe, "candidate", scenario, variables)),
    )


def trials(probe: Probe) -> list[tuple[str, dict[str, str], bool]]:
    """(scenario, environment, whether to run it whole)."""
    first = probe.scenarios[0].name
    if probe.commands:
        return trials_of_commands(probe, first)
    sub_knobs = [knob for feature in probe.features for knob in feature.knobs]
    tried = []
    if probe.baseline_knobs is not None:  # a stranger's script need not accept empty values
        tried.append((first, {k.name: "" for f in probe.features for k in f.all_knobs}, True))
    explicit = {k.name: k.text(k.default) for f in probe.features for k in off_knobs(probe, f)}
    tried.append((first, explicit, True))
    if sub_knobs:
        tried.append((first, {k.name: str(k.on) for k in sub_knobs}, True))
        for i, drawn in enumerate(draw(sub_knobs, INSPECTED)):
            scenario = probe.scenarios[i % len(probe.scenarios)].name
            tried.append((scenario, drawn, i < RUN_WHOLE))
    return [trial for trial in tried if trial[1]]


def trials_of_commands(probe: Probe, scenario: str) -> list[tuple[str, dict[str, str], bool]]:
    """Each feature said to be off, and each sub-option set while nothing is on: run whole."""
    off = {name: text for each in probe.off.values() for name, text in each.items()}
    moved = {knob.name: str(knob.on) for feature in probe.features for knob in feature.knobs}
    return [(scenario, tried, True) for tried in (off, moved) if tried]


def off_knobs(probe: Probe, feature: Feature) -> tuple[Knob, ...]:
    """The knobs whose defaults are known: all of a declared feature, a stranger's master only."""
    return feature.all_knobs if probe.baseline_knobs is not None else (feature.master,)


def draw(knobs: list[Knob], count: int) -> list[dict[str, str]]:
    """`count` environments of legal sub-knob values, the same ones each time."""
    drawn: list[dict[str, str]] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.fixed_dictionaries({knob.name: values_of(knob) for knob in knobs}))
    def collect(values: dict[str, str]) -> None:
        drawn.append(values)

    collect()
    return drawn


def values_of(knob: Knob) -> st.SearchStrategy[str]:
    """Legal texts of a knob, edges of its range included."""
    if knob.choices:
        return st.sampled_from(knob.choices)
    if knob.type is bool:
        return st.sampled_from(("0", "1"))
    low = knob.low if knob.low is not None else -100.0
    high = knob.high if knob.high is not None else 100.0
    if knob.type is int:
        return st.integers(int(low), int(high)).map(str)
    if knob.type is float:
        return st.floats(low, high, allow_nan=False).map(repr)
    return st.just(str(knob.on))  # a text has no range to draw from
