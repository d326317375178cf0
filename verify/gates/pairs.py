"""Rung 10: any two features together build, train and restore; impossible pairs are refused.

Both must still be alive beside each other: a pair whose run equals that of one feature alone has
silenced the other. What is wrong with a feature alone is left to rung 9. Each chain of pairs runs
in one process and ends with all features off, which must be the baseline again. There are many
pairs, so the runs are shortened as the probe's `brief` says.
"""

from itertools import combinations

from verify.events import Recording
from verify.gates.common import compare_runs, record_job, traced_scenario
from verify.gates.liveness import acts, misplaced
from verify.knobs import Feature
from verify.probe import Probe
from verify.result import GateResult, conclude
from verify.studio import Job, Side, Studio, changes

NAME = "pairs"
CHAIN = 5  # pairs a process: long enough to share the closing run, short enough to spread

Pair = tuple[Feature, Feature]


def jobs(probe: Probe) -> list[Job]:
    """The chains, each feature alone, and both sides with all features off."""
    alone = [brief_job(probe, "candidate", feature) for feature in probe.features]
    off = [brief_job(probe, side) for side in ("baseline", "candidate")]
    return [*(chain_job(probe, chain) for chain in chains(probe)), *alone, *off]


def brief_job(probe: Probe, side: Side, *features: Feature) -> Job:
    """A shortened run with these features on."""
    return record_job(probe, side, traced_scenario(probe), environment(probe, *features))


def environment(probe: Probe, *features: Feature) -> dict[str, str]:
    """What shortens a run, and the features' examples."""
    together = dict(probe.brief)
    for feature in features:
        together |= feature.example
    return together


def chains(probe: Probe) -> list[tuple[Pair, ...]]:
    """All pairs, in the order of the features, a few at a time."""
    pairs = list(combinations(probe.features, 2))
    return [tuple(pairs[i : i + CHAIN]) for i in range(0, len(pairs), CHAIN)]


def chain_job(probe: Probe, chain: tuple[Pair, ...]) -> Job:
    """Each pair's run, then the run with all features off."""
    before = tuple(changes(environment(probe, *pair)) for pair in chain)
    off = changes(environment(probe))
    return Job("record", "candidate", traced_scenario(probe), off, before=before)


def judge(studio: Studio) -> GateResult:
    """Findings name the pair."""
    probe = studio.probe
    baseline = studio.recording(brief_job(probe, "baseline"))
    off = studio.recording(brief_job(probe, "candidate"))
    alone = {f.name: studio.recording(brief_job(probe, "candidate", f)) for f in probe.features}
    findings, refused, tried = [], [], 0
    for chain in chains(probe):
        last = studio.recording(chain_job(probe, chain))
        for pair, run in zip(chain, last.preceding, strict=True):
            tried += 1
            name = " + ".join(feature.name for feature in pair)
            if is_refusal(run):
                refused.append(name)
                continue
            findings += [f"{name}: {text}" for text in problems(probe, pair, run, off, alone)]
        difference = compare_runs(baseline, last)
        if difference:
            names = ", ".join(" + ".join(f.name for f in pair) for pair in chain)
            findings.append(f"after {names}, off differs from the baseline: {difference}")
    words = f", refused at start: {', '.join(refused)}" if refused else ""
    summary = f"{tried} pairs: {tried - len(refused)} build, train and restore{words}"
    return conclude(NAME, summary, findings)


def is_refusal(run: Recording) -> bool:
    """Stopped by a UsageError before anything happened."""
    return run.error is not None and run.error.startswith("UsageError:") and not run.events


def problems(
    probe: Probe, pair: Pair, run: Recording, off: Recording, alone: dict[str, Recording]
) -> list[str]:
    """What is wrong with the run of a pair, and with neither feature alone."""
    if any(alone[feature.name].error for feature in pair):
        return []
    if run.error:
        return [f"the run stops: {run.error}"]
    known = [
        text for feature in pair for text in misplaced(probe, off, alone[feature.name], "together")
    ]
    found = [text for text in misplaced(probe, off, run, "together") if text not in known]
    for this, other in (pair, pair[::-1]):
        if acts(alone[this.name]) == acts(off) and this.kind == "acts":
            continue
        silenced = acts(run) == acts(alone[other.name])
        if this.kind == "acts" and silenced:
            found.append(f"{this.name} changes nothing beside {other.name}")
        if this.kind != "acts" and not silenced:
            found.append(f"{this.name} changes training beside {other.name}")
    return found
