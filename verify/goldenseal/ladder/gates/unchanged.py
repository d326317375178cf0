"""What a feature that only trains must leave alone: evaluation, while it is on.

With the weights held still, each evaluation of a run is a function of the data alone. So the
candidate is run once with the feature off and once with it on, no step moving a parameter, and what
it evaluates and prints of that is compared.
"""

import re
from collections.abc import Iterator

from goldenseal.knobs import Feature
from goldenseal.ladder.events import Event, Recording
from goldenseal.ladder.findings import decimal, ranked
from goldenseal.ladder.gates.common import traced_scenario
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings, changes

# What a line says of training, beside what it says of evaluation: `train_loss: 0.3`.
OF_TRAINING = re.compile(
    r"""(?ix) \b (?:[\w/]*[/_])?train[\w/]* (?:[ ]+(?:loss|acc(?:uracy)?))? ['"]? [ ]*[:=]?[ ]*
    (?:tensor\()? [-+]? \d[\d.]*(?:e[-+]?\d+)? """
)


def frozen_jobs(probe: Probe) -> list[Job]:
    """The candidate, frozen: off, and with each feature that must not change evaluation."""
    features = [feature for feature in probe.features if feature.evaluation == "unchanged"]
    return [frozen_job(probe, None), *(frozen_job(probe, f) for f in features)] if features else []


def frozen_job(probe: Probe, feature: Feature | None) -> Job:
    """One of them."""
    on = changes(feature.example) if feature is not None else ()
    return Job("record", "candidate", traced_scenario(probe), on, frozen=True)


def leaks(recordings: Recordings) -> list[str]:
    """How evaluation differs while such a feature is on."""
    probe, findings = recordings.probe, list[str]()
    for feature in probe.features:
        if feature.evaluation == "unchanged":
            off = recordings.recording(frozen_job(probe, None))
            on = recordings.recording(frozen_job(probe, feature))
            if on.error:
                findings.append(f"{feature.name}: on, the run stops: {on.error}")
                continue
            found = [*ranked(evaluated(off), evaluated(on)), *replayed_apart(off, on)]
            findings += [f"{feature.name} changes evaluation: {text}" for text in found[:3]]
    return findings


def evaluated(run: Recording) -> list[Event]:
    """Calls in evaluation mode, and what is printed after one and before the next call or step.

    Numbered anew: how often training calls something is no matter of evaluation.
    """
    events, evaluating, printed = list[Event](), False, 0
    for event in run.events:
        if event.where.startswith("printed line"):
            if evaluating and event.place:  # what a library shows of its progress is its own
                printed += 1
                words = f"line {printed} printed after an evaluation"
                text = OF_TRAINING.sub("…", event.facts.get("text", ""))
                events.append(Event(words, {"text": text}, place=event.place))
        elif event.where.startswith(("forward", "before ", "after ")):
            evaluating = event.where.startswith("forward (eval)")
            if evaluating:
                facts = {n: t for n, t in event.facts.items() if re.match("input|output", n)}
                events.append(Event(event.where, facts, place=event.place))
    return events


def replayed_apart(off: Recording, on: Recording) -> Iterator[str]:
    """Outputs in evaluation mode, of the same calls on the same perturbed weights."""
    for call, facts in off.replayed.items():
        other = on.replayed.get(call, {})
        if call.endswith(", eval") and "stopped" not in facts and other:
            for name, text in facts.items():
                if name.startswith("output") and other.get(name) != text:
                    found = decimal(other.get(name, "nothing"))
                    where = f"{call}, on perturbed weights"
                    yield f"{where}: {name} is {found}, expected {decimal(text)}"
                    break
