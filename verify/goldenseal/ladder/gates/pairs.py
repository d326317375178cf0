"""Rung 10: any two features together build, train and restore; impossible pairs are refused.

Both must still be alive beside each other: a pair whose run equals that of one feature alone has
silenced the other. What is wrong with a feature alone is left to rung 9.

There are many pairs, so they are tried in groups. The features are switched on one after the other
until all are on, and once more in the reverse order: so each is added to a run in which some others
are on, and every other is among them once. Where a group shows anything, the pairs are run one by
one, and named. Runs share a process, a few at a time, which ends with all features off: that must
be the baseline again. All are shortened as the probe's `brief` says.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from goldenseal.knobs import Feature
from goldenseal.ladder.events import Recording
from goldenseal.ladder.gates.common import compare_runs, record_job, traced_scenario
from goldenseal.ladder.gates.liveness import acts, misplaced
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings, Side, changes
from goldenseal.result import GateResult, Verdict, conclude

NAME = "pairs"
CHAIN = 5  # groups a process: long enough to share the closing run, short enough to spread

Group = tuple[Feature, ...]
Runs = Mapping[frozenset[str], Recording]  # by the names of the features that are on


def jobs(probe: Probe) -> list[Job]:
    """What the groups need."""
    return jobs_of(probe, groups(probe))


def groups(probe: Probe) -> list[Group]:
    """Growing groups in the order of the features and in the reverse; that of all only once."""
    features = probe.features
    n = len(features)
    return [features[:k] for k in range(2, n + 1)] + [features[-k:] for k in range(2, n)]


def jobs_of(probe: Probe, tried: Sequence[Group]) -> list[Job]:
    """The groups' runs, each feature of a pair alone, and both sides with all features off."""
    alone = [brief_job(probe, "candidate", feature) for feature in in_pairs(tried)]
    off = [brief_job(probe, side) for side in ("baseline", "candidate")]
    if probe.commands:
        return [*(brief_job(probe, "candidate", *group) for group in tried), *alone, *off]
    return [*(chain_job(probe, chain) for chain in chains(tried)), *alone, *off]


def in_pairs(tried: Sequence[Group]) -> list[Feature]:
    """The features that are in a group of two."""
    return list({f.name: f for group in tried if len(group) == 2 for f in group}.values())


def brief_job(probe: Probe, side: Side, *features: Feature) -> Job:
    """A shortened run with these features on."""
    return record_job(probe, side, traced_scenario(probe), environment(probe, *features))


def environment(probe: Probe, *features: Feature) -> dict[str, str]:
    """What shortens a run, and the features' examples."""
    together = dict(probe.brief)
    for feature in features:
        together |= feature.example
    return together


def chains(tried: Sequence[Group]) -> list[Sequence[Group]]:
    """The groups, a few at a time."""
    return [tried[i : i + CHAIN] for i in range(0, len(tried), CHAIN)]


def chain_job(probe: Probe, chain: Sequence[Group]) -> Job:
    """Each group's run, then the run with all features off."""
    before = tuple(changes(environment(probe, *group)) for group in chain)
    off = changes(environment(probe))
    return Job("record", "candidate", traced_scenario(probe), off, before=before)


def judge(recordings: Recordings) -> GateResult:
    """Findings name the pair, or the group where no pair alone shows what the group does."""
    probe = recordings.probe
    pairs = list(combinations(probe.features, 2))
    if probe.commands and not pairs:
        return GateResult(NAME, Verdict.PASS, "no two features are described: not applicable")
    tried = groups(probe)
    runs = runs_of(recordings, tried)
    findings, refused = examined(recordings, tried, runs)
    if findings or refused:
        runs |= runs_of(recordings, pairs)
        findings, refused = examined(recordings, pairs, runs)
        more, refused_groups = examined(recordings, tried, runs)
        findings = findings or more
        refused += [name for name in refused_groups if name not in refused]
    words = f", refused at start: {', '.join(refused)}" if refused else ""
    well = len(pairs) - len(refused)
    summary = f"{len(pairs)} pairs: {well} build, train and restore{words}"
    return conclude(NAME, summary, findings)


def runs_of(recordings: Recordings, tried: Sequence[Group]) -> dict[frozenset[str], Recording]:
    """The run of each group, and of each feature of a pair alone."""
    probe = recordings.probe
    recordings.run(jobs_of(probe, tried))
    runs = {
        frozenset({f.name}): recordings.recording(brief_job(probe, "candidate", f))
        for f in in_pairs(tried)
    }
    if probe.commands:
        return runs | {
            names(group): recordings.recording(brief_job(probe, "candidate", *group))
            for group in tried
        }
    for chain in chains(tried):
        last = recordings.recording(chain_job(probe, chain))
        # Of a process that was cut short nothing is left; its closing run tells.
        for group, run in zip(chain, last.preceding, strict=False):
            runs[names(group)] = run
    return runs


def examined(
    recordings: Recordings, tried: Sequence[Group], runs: Runs
) -> tuple[list[str], list[str]]:
    """What is wrong with each group and with none of its parts, and the groups that are refused."""
    probe, findings, refused = recordings.probe, list[str](), list[str]()
    baseline = recordings.recording(brief_job(probe, "baseline"))
    off = recordings.recording(brief_job(probe, "candidate"))
    for chain in chains(tried):
        for group in chain:
            run, parts = runs.get(names(group)), parts_of(group, runs)
            if run is None or any(part.error for part in parts.values()):
                continue
            if is_refusal(run):
                refused.append(in_words(group))
            else:
                findings += [
                    f"{in_words(group)}: {text}" for text in problems(probe, group, run, off, parts)
                ]
        if probe.commands:
            continue
        difference = compare_runs(baseline, recordings.recording(chain_job(probe, chain)))
        if difference:
            after = ", ".join(map(in_words, chain))
            findings.append(f"after {after}, off differs from the baseline: {difference}")
    return findings, refused


def names(group: Group) -> frozenset[str]:
    """What a group is known by."""
    return frozenset(feature.name for feature in group)


def in_words(group: Group) -> str:
    """As it is printed."""
    return " + ".join(feature.name for feature in group)


def parts_of(group: Group, runs: Runs) -> Runs:
    """The known runs with some of these features on, and no other."""
    return {part: run for part, run in runs.items() if part < names(group)}


def is_refusal(run: Recording) -> bool:
    """Stopped by a UsageError before anything happened."""
    return run.error is not None and run.error.startswith("UsageError:") and not run.events


def problems(
    probe: Probe, group: Group, run: Recording, off: Recording, parts: Runs
) -> Iterator[str]:
    """What is wrong with the run of a group, and with none of its parts."""
    if run.error:
        yield f"the run stops: {run.error}"
        return
    known = {text for part in parts.values() for text in misplaced(probe, off, part, "together")}
    yield from (text for text in misplaced(probe, off, run, "together") if text not in known)
    for feature in group:
        others = tuple(f for f in group if f is not feature)
        without, alone = parts.get(names(others)), parts.get(names((feature,)))
        if without is None:
            continue
        dead = feature.kind == "acts" and alone is not None and acts(alone) == acts(off)
        silenced = acts(run) == acts(without)
        beside = ", ".join(f.name for f in others)
        if feature.kind == "acts" and silenced and not dead:
            yield f"{feature.name} changes nothing beside {beside}"
        if feature.kind != "acts" and not silenced:
            yield f"{feature.name} changes training beside {beside}"
