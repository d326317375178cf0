"""Rung 5: the loss and every gradient, byte for byte, with no parameter left at zero."""

from goldenseal.ladder.gates.common import difference_of_tables, inspect_jobs, inspected
from goldenseal.ladder.recordings import Recordings
from goldenseal.result import GateResult, conclude

NAME = "loss and gradients"
jobs = inspect_jobs


def judge(recordings: Recordings) -> GateResult:
    """Compare on perturbed weights, over several batches of odd shapes, in both modes.

    One batch a scenario is reported: the others differ for the same reason.
    """
    findings, compared, batches = list[str](), 0, 0
    for scenario, a, b in inspected(recordings, findings):
        reported = False
        every = set(a.behaviour) | set(b.behaviour)
        if recordings.probe.commands:  # which calls there are is the training rung's
            every = set(a.behaviour) & set(b.behaviour)
        for label in sorted(every):
            expected, actual = a.behaviour.get(label, {}), b.behaviour.get(label, {})
            differences = difference_of_tables(expected, actual)
            if differences and not reported:
                findings += [f"{scenario}, {label}: {text}" for text in differences]
                reported = True
            compared += len(expected)
            batches += 1
    summary = f"{compared} values over {batches} batches on perturbed weights, byte for byte"
    return conclude(NAME, summary, findings)
