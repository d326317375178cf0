"""Rung 9: on is on. Each knob acts, each new parameter is trained, and off again restores.

What a script prints is left out when a knob is judged: to echo a knob is not to use it. Of a
feature that only observes, the sub-knobs are judged by the unit tests of its output files.
A guard changes nothing either; it must stop the run that it was made for, which else goes on.
"""

from verify.gates.common import compare_runs, record_job, traced_scenario, without_operations
from verify.knobs import Feature
from verify.probe import Probe
from verify.recorder import Event, Recording
from verify.result import GateResult, conclude
from verify.studio import Job, Studio, changes

NAME = "liveness"


def jobs(probe: Probe) -> list[Job]:
    """Each feature on, then on with each sub-knob moved; all on and off again in one process."""
    scenario, found = traced_scenario(probe), []
    for feature in probe.features:
        found.append(on_job(probe, feature))
        if feature.kind == "acts":
            found += [on_job(probe, feature, k.name, str(k.on)) for k in feature.knobs]
        if feature.kind == "guards":
            found += trip_jobs(probe, feature)
    if found:
        found.append(restored_job(probe))
    return [*found, *(record_job(probe, side, scenario) for side in ("baseline", "candidate"))]


def on_job(probe: Probe, feature: Feature, knob: str = "", value: str = "") -> Job:
    """The feature's example environment, with one knob moved."""
    variables = dict(feature.example) | ({knob: value} if knob else {})
    return record_job(probe, "candidate", traced_scenario(probe), variables)


def trip_jobs(probe: Probe, feature: Feature) -> list[Job]:
    """The run that goes wrong, without the guard and with it."""
    scenario = traced_scenario(probe)
    examples = (dict(feature.trips), {**feature.example, **feature.trips})
    return [record_job(probe, "candidate", scenario, variables) for variables in examples]


def restored_job(probe: Probe) -> Job:
    """Features off, in a process that has run every feature before."""
    examples = tuple(changes(feature.example) for feature in probe.features)
    return Job("record", "candidate", traced_scenario(probe), before=examples)


def judge(studio: Studio) -> GateResult:
    """Findings name the knob or the parameter."""
    probe = studio.probe
    scenario = traced_scenario(probe)
    baseline = studio.recording(record_job(probe, "baseline", scenario))
    off = studio.recording(record_job(probe, "candidate", scenario))
    findings = ownership(off, "features off")
    knobs = 0
    parameters: set[str] = set()
    for feature in probe.features:
        on = studio.recording(on_job(probe, feature))
        words = " ".join(f"{k}={v}" for k, v in sorted(feature.example.items()))
        if on.error:
            findings.append(f"{feature.name}: {words} stops the run: {on.error}")
            continue
        findings += judge_master(feature, words, off, on)
        if feature.kind == "guards":
            findings += judge_guard(feature, *map(studio.recording, trip_jobs(probe, feature)))
        findings += ownership(on, words)
        findings += untrained(off, on, words)
        parameters |= set(on.trainable) - set(off.trainable)
        knobs += 1
        if feature.kind == "acts":
            for knob in feature.knobs:
                moved = studio.recording(on_job(probe, feature, knob.name, str(knob.on)))
                if moved.error:
                    findings.append(f"{words} {knob.name}={knob.on} stops the run: {moved.error}")
                    continue
                moved_words = f"{words} {knob.name}={knob.on}"
                known = ownership(on, moved_words) + untrained(off, on, moved_words)
                found = ownership(moved, moved_words) + untrained(off, moved, moved_words)
                findings += [finding for finding in found if finding not in known]
                parameters |= set(moved.trainable) - set(off.trainable)
                if acts(moved) == acts(on):
                    name = f"{knob.name}={knob.on}"
                    findings.append(f"{name} changes nothing while {words}: dead knob")
                knobs += 1
    if probe.features:
        again = compare_runs(baseline, studio.recording(restored_job(probe)))
        if again:
            findings.append(f"after every feature was on, off differs from the baseline: {again}")
    n = len(probe.features)
    summary = f"{n} features, {knobs} knobs act, {len(parameters)} new parameters are trained"
    return conclude(NAME, summary, findings)


def acts(run: Recording) -> list[Event]:
    """What a run does, as opposed to what it prints or writes."""
    return [
        event
        for event in without_operations(run.without_files())
        if not event.where.startswith("printed")
    ]


def judge_master(feature: Feature, words: str, off: Recording, on: Recording) -> list[str]:
    """A feature that acts must change the run; the others must not, and an observer must write."""
    if feature.kind == "acts":
        return [] if acts(on) != acts(off) else [f"{words} changes nothing: dead knob"]
    found = []
    if acts(on) != acts(off):
        verb = "observe" if feature.kind == "observes" else "guard"
        found.append(f"{words} changes training, though it should only {verb}")
    files, files_off = (len(run.events) - len(run.without_files()) for run in (on, off))
    if feature.kind == "observes" and files <= files_off:
        found.append(f"{words} writes no file more: dead knob")
    return found


def judge_guard(feature: Feature, without: Recording, guarded: Recording) -> list[str]:
    """A guard must stop a run that goes wrong, where it takes more steps without."""
    words = " ".join(f"{k}={v}" for k, v in sorted(feature.trips.items()))
    steps, guarded_steps = (
        sum(event.where.startswith("after ") for event in run.events) for run in (without, guarded)
    )
    if guarded.error and guarded_steps < steps:
        return []
    return [f"{feature.name} does not stop the run of {words}: dead guard"]


def ownership(run: Recording, words: str) -> list[str]:
    """Every trainable parameter belongs to exactly one optimizer group."""
    found = []
    for name in run.trainable:
        owners = run.owners.get(name, 0)
        if owners != 1:
            place = "no optimizer group" if owners == 0 else f"{owners} optimizer groups"
            found.append(f"{words}: parameter {name} is in {place}")
    return found


def untrained(off: Recording, on: Recording, words: str) -> list[str]:
    """New parameters that an optimizer owns but that get no gradient or never move."""
    found = []
    for name in on.trainable:
        if name in off.trainable or on.owners.get(name, 0) == 0:
            continue
        if name not in on.live_gradients:
            found.append(f"{words}: parameter {name} never receives a gradient")
        elif name not in on.moved:
            found.append(f"{words}: parameter {name} never moves")
    return found
