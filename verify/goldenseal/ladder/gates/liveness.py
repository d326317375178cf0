"""Rung 9: on is on. Each knob acts, each new parameter is trained, and off again restores.

What a script prints is left out when a knob is judged: to echo a knob is not to use it. A knob with
choices is tried at each of them, and no two may do the same; one that acts under a single choice of
its feature's master is tried under that. Of a feature that only observes, other
sub-knobs are judged by the unit tests of its output files.
A guard changes nothing either; it must stop the run that it was made for, which else goes on.
"""

from collections.abc import Mapping
from fnmatch import fnmatch

from goldenseal.knobs import Feature
from goldenseal.ladder.events import Event, Recording, is_line
from goldenseal.ladder.gates.common import (
    compare_runs,
    record_job,
    traced_scenario,
    without_operations,
)
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.program import spelled
from goldenseal.ladder.recordings import Job, Recordings, changes
from goldenseal.result import GateResult, Verdict, conclude

NAME = "liveness"


def jobs(probe: Probe) -> list[Job]:
    """Each feature on, then on with each sub-knob moved; all on and off again in one process."""
    scenario, made = traced_scenario(probe), []
    for feature in probe.features:
        made += [on_job(probe, feature, *trial) for trial in trials(feature)]
        if feature.kind == "guards":
            made += trip_jobs(probe, feature)
    if probe.features:
        made += turned_on(probe)
    return [*made, *(record_job(probe, side, scenario) for side in ("baseline", "candidate"))]


def trials(feature: Feature) -> list[tuple[str, str]]:
    """(knob, value) of each further run: every other choice there is, or else the `on` value.

    Of a feature that does not act, a knob without choices is left to the unit tests of its output.
    """
    tried = []
    for knob in feature.all_knobs:
        in_force = feature.example.get(knob.name, knob.text(knob.default))
        every = ("0", "1") if knob.type is bool else knob.choices
        if knob == feature.master:
            every = tuple(value for value in every if value != knob.text(knob.default))
        elif not every and feature.kind == "acts":
            every = (str(knob.on),)
        tried += [(knob.name, value) for value in every if value != in_force]
    return tried


def on_job(
    probe: Probe, feature: Feature, knob: str = "", value: str = "", follow: bool = False
) -> Job:
    """The feature's example environment, with one knob moved."""
    variables = dict(feature.example) | choice(feature, knob) | ({knob: value} if knob else {})
    return record_job(probe, "candidate", traced_scenario(probe), variables, follow)


def choice(feature: Feature, name: str) -> dict[str, str]:
    """What the master must be for the knob of that name to act, where that is a single choice."""
    under = next((knob.under for knob in feature.knobs if knob.name == name), "")
    return {feature.master.name: under} if under else {}


def trip_jobs(probe: Probe, feature: Feature) -> list[Job]:
    """The run that goes wrong, without the guard and with it."""
    scenario = traced_scenario(probe)
    examples = (dict(feature.trips), {**feature.example, **feature.trips})
    return [record_job(probe, "candidate", scenario, each, follow=True) for each in examples]


def restored_job(probe: Probe) -> Job:
    """Each feature on, one after the other in one process, and then all of them off again."""
    examples = tuple(changes(feature.example) for feature in probe.features)
    return Job("record", "candidate", traced_scenario(probe), before=examples, follow=True)


def turned_on(probe: Probe) -> list[Job]:
    """Each feature on: in one process and off again, but of a command each in its own."""
    if probe.commands:
        return [on_job(probe, feature, follow=True) for feature in probe.features]
    return [restored_job(probe)]


def on_runs(recordings: Recordings) -> dict[str, Recording]:
    """Each feature's run, by name; in a process of its own if one of them took theirs with it."""
    probe = recordings.probe
    together = probe.features and not probe.commands
    runs = recordings.recording(restored_job(probe)).preceding if together else []
    if len(runs) != len(probe.features):
        alone = [on_job(probe, feature, follow=True) for feature in probe.features]
        recordings.run(alone)
        runs = [recordings.recording(job) for job in alone]
    return {feature.name: run for feature, run in zip(probe.features, runs, strict=True)}


def judge(recordings: Recordings) -> GateResult:
    """Findings name the knob or the parameter."""
    probe = recordings.probe
    scenario = traced_scenario(probe)
    baseline = recordings.recording(record_job(probe, "baseline", scenario))
    off = recordings.recording(record_job(probe, "candidate", scenario))
    findings = new_in(misused(probe, off, "features off"), misused(probe, baseline, ""))
    knobs = 0
    parameters: set[str] = set()
    on_alone = on_runs(recordings)
    for feature in probe.features:
        on = on_alone[feature.name]
        words = in_words(feature.example)
        if on.error:
            findings.append(f"{feature.name}: {words} stops the run: {on.error}")
            continue
        findings += judge_master(feature, words, off, on)
        if feature.kind == "guards":
            findings += judge_guard(feature, *map(recordings.recording, trip_jobs(probe, feature)))
        findings += misplaced(probe, off, on, words)
        parameters |= set(on.trainable) - set(off.trainable)
        alike = [(words, feature.master.name, acts(on))]
        for name, value in trials(feature):
            moved = recordings.recording(on_job(probe, feature, name, value))
            moved_words = in_words(dict(feature.example) | choice(feature, name), name, value)
            if moved.error:
                findings.append(f"{moved_words} stops the run: {moved.error}")
                continue
            known = misplaced(probe, off, on, moved_words)
            wrong = misplaced(probe, off, moved, moved_words)
            findings += [finding for finding in wrong if finding not in known]
            parameters |= set(moved.trainable) - set(off.trainable)
            if feature.kind == "acts":
                base = unmoved(recordings, feature, name) or on
                findings += dead(feature, name, value, acts(moved), acts(off), acts(base), alike)
            else:
                findings += judge_master(feature, moved_words, off, moved)
        knobs += 1 + (len(feature.knobs) if feature.kind == "acts" else 0)
    if probe.features and not probe.commands:
        again = compare_runs(baseline, recordings.recording(restored_job(probe)))
        if again:
            findings.append(f"after every feature was on, off differs from the baseline: {again}")
    n = len(probe.features)
    if not n and probe.commands and not findings:
        return GateResult(NAME, Verdict.PASS, "no feature is described: not applicable")
    summary = f"{n} features, {knobs} knobs act, {len(parameters)} new parameters are trained"
    return conclude(NAME, summary, dict.fromkeys(findings))


def in_words(example: Mapping[str, str], name: str = "", value: str = "") -> str:
    """An environment as it is typed, with a knob that is moved at its end."""
    rest = [spelled(k, v) for k, v in sorted(example.items()) if k != name]
    return " ".join([*rest, spelled(name, value)] if name else rest)


def unmoved(recordings: Recordings, feature: Feature, name: str) -> Recording | None:
    """The run under the choice under which a knob acts; None: the feature's example has it."""
    master = feature.master.name
    under = choice(feature, name).get(master, feature.example.get(master))
    if under == feature.example.get(master):
        return None
    return recordings.recording(on_job(recordings.probe, feature, master, str(under)))


def dead(
    feature: Feature,
    name: str,
    value: str,
    moved: list[Event],
    off: list[Event],
    base: list[Event],
    alike: list[tuple[str, str, list[Event]]],
) -> list[str]:
    """A value that changes nothing, or does what another value of the same knob does.

    `base` is the run in which the knob is where it was. `alike` are the runs that are known, in
    words, with the knob that was moved in each; this one is added to them.
    """
    setting, words = spelled(name, value), in_words(dict(feature.example) | choice(feature, name))
    if name == feature.master.name:
        if moved == off:
            return [f"{setting} changes nothing: dead knob"]
    elif moved == base:
        return [f"{setting} changes nothing while {words}: dead knob"]
    same = [other for other, knob, run in alike if knob == name and run == moved]
    alike.append((setting, name, moved))
    return [f"{setting} does what {other} does: dead choice" for other in same[:1]]


def misplaced(probe: Probe, off: Recording, run: Recording, words: str) -> list[str]:
    """What is wrong with the parameters of a run and not of the one with features off."""
    return new_in(misused(probe, run, words), misused(probe, off, words)) + untrained(
        off, run, words
    )


def misused(probe: Probe, run: Recording, words: str) -> dict[str, str]:
    """By name: parameters that not exactly one optimizer owns, and frozen ones that change.

    Those that the probe names as averages are moved by the script itself.
    """
    owners = ownership(run, words)
    for name in sorted(run.frozen_moved):
        owners[name] = f"{words}: {name} is frozen, and yet the run changes it"
    averages = probe.averages
    return {n: text for n, text in owners.items() if not any(fnmatch(n, p) for p in averages)}


def new_in(present: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """The texts of names that are not known; what a class is called is each script's own."""
    names = {name.rpartition("/")[2] for name in known}
    return [text for name, text in present.items() if name.rpartition("/")[2] not in names]


def acts(run: Recording) -> list[Event]:
    """What a run does, as opposed to what it prints or writes."""
    return [event for event in without_operations(run.without_files()) if not is_line(event)]


def judge_master(feature: Feature, words: str, off: Recording, on: Recording) -> list[str]:
    """A feature that acts must change the run; the others must not, and an observer must write."""
    if feature.kind == "acts":
        return [] if acts(on) != acts(off) else [f"{words} changes nothing: dead knob"]
    findings = []
    if acts(on) != acts(off):
        verb = "observe" if feature.kind == "observes" else "guard"
        findings.append(f"{words} changes training, though it should only {verb}")
    files, files_off = (len(run.events) - len(run.without_files()) for run in (on, off))
    if feature.kind == "observes" and files <= files_off:
        findings.append(f"{words} writes no file more: dead knob")
    return findings


def judge_guard(feature: Feature, without: Recording, guarded: Recording) -> list[str]:
    """A guard must stop a run that goes wrong, where it takes more steps without."""
    words = " ".join(f"{k}={v}" for k, v in sorted(feature.trips.items()))
    steps, guarded_steps = (
        sum(event.where.startswith("after ") for event in run.events) for run in (without, guarded)
    )
    if guarded.error and guarded_steps < steps:
        return []
    return [f"{feature.name} does not stop the run of {words}: dead guard"]


def ownership(run: Recording, words: str) -> dict[str, str]:
    """By name: trainable parameters that do not belong to exactly one optimizer group."""
    owned = {}
    for name in run.trainable:
        owners = run.owners.get(name, 0)
        if owners != 1:
            place = "no optimizer group" if owners == 0 else f"{owners} optimizer groups"
            owned[name] = f"{words}: parameter {name} is in {place}"
    return owned


def untrained(off: Recording, on: Recording, words: str) -> list[str]:
    """New parameters that an optimizer owns but that get no gradient or never move."""
    findings = []
    for name in on.trainable:
        if name in off.trainable or on.owners.get(name, 0) == 0:
            continue
        if name not in on.live_gradients:
            findings.append(f"{words}: parameter {name} never receives a gradient")
        elif name not in on.moved:
            findings.append(f"{words}: parameter {name} never moves")
    return findings
