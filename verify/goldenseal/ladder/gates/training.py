"""Rung 6: k steps of the real loop, from the loader to the optimizer state."""

from collections import Counter

from goldenseal.ladder.events import Event, Recording, by_rank, without_lines
from goldenseal.ladder.findings import mode_of, other_call, ranked
from goldenseal.ladder.gates.common import (
    record_jobs,
    recorded,
    without_operations,
)
from goldenseal.ladder.recordings import Recordings
from goldenseal.result import GateResult, conclude

NAME = "training"
ONCE = "each optimizer stepped once, so what a step leaves to the next was not seen"
jobs = record_jobs


def judge(recordings: Recordings) -> GateResult:
    """Batches, losses, gradients, settings, parameters, optimizer state, RNG, lines."""
    findings, evidence, steps, facts, most = list[str](), {}, 0, 0, 0
    for scenario, a, b in recorded(recordings, findings):
        for rank, expected_run, actual_run in by_rank(a, b):
            expected, actual = training_events(expected_run), training_events(actual_run)
            found = [
                *wrong_mode(expected_run, actual_run),
                *steps_apart(expected, actual),
                *ranked(expected, actual),
            ]
            findings += [f"{scenario}: {rank}{text}" for text in found]
            if not steps_in(expected):
                findings.append(f"{scenario}: {rank}the baseline made no optimizer step")
            steps += steps_in(expected)
            most = max(most, most_of_one(expected))
            facts += sum(len(event.facts) for event in expected)
        if len(a.ranks()) != len(b.ranks()):
            findings.append(f"{scenario}: {len(b.ranks())} ranks, expected {len(a.ranks())}")
        evidence[scenario] = b.digest()
    summary = f"{facts} facts over {steps} optimizer steps of the real loop, byte for byte"
    if most == 1:
        summary += f"; {ONCE}"
    return conclude(NAME, summary, findings, evidence)


def training_events(run: Recording) -> list[Event]:
    """Everything up to the last step on the model's own parameters, evaluation aside."""
    events = without_operations(run.events)[: end_of_training(run)]
    return [event for event in events if not event.where.startswith("forward (eval)")]


def wrong_mode(a: Recording, b: Recording) -> list[str]:
    """A network that is called in the other mode, if that is the first call that differs."""
    expected, actual = map(without_lines, (a.events, b.events))
    for index, (p, q) in enumerate(zip(expected, actual, strict=False)):
        if p.where != q.where:
            apart = mode_of(p) and mode_of(q) and mode_of(p) != mode_of(q)
            return [other_call(expected, actual, index)] if apart else []
    return []


def steps_apart(expected: list[Event], actual: list[Event]) -> list[str]:
    """How many steps there are on each side, where that differs."""
    p, q = steps_in(expected), steps_in(actual)
    return [f"{q} optimizer steps, expected {p}"] if p != q else []


def end_of_training(run: Recording) -> int:
    """Index after the last step on a parameter of a network that was there at the first step.

    What is stepped later on, such as an adapter of test-time training, belongs to the evaluation.
    """
    own = {f"parameter {name}" for name in run.main}
    last = 0
    for index, event in enumerate(run.events):
        if event.where.startswith("after ") and own & set(event.facts):
            last = index + 1
    return last


def steps_in(events: list[Event]) -> int:
    """Optimizer steps, one for each optimizer."""
    return sum(event.where.startswith("after ") for event in events)


def most_of_one(events: list[Event]) -> int:
    """Steps of the optimizer that makes the most, told by the first parameter that it steps."""
    stepped = (event.facts for event in events if event.where.startswith("after "))
    first = (next((n for n in facts if n.startswith("parameter ")), "") for facts in stepped)
    return max(Counter(first).values(), default=0)
