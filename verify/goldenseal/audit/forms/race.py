"""What the logs of a speed-run hold together: final losses, times, and losses at shared steps."""

import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from goldenseal.audit.forms.curve import Curve
from goldenseal.audit.match import Value
from goldenseal.audit.model import Certainty, Notes
from goldenseal.audit.numbers import Number, mean

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
OTHERS = re.compile(
    r"baseline|previous|prior|control|ablat|\bPR ?#?\d|#\d{2,}|\bold\b|before|sota\b|without|vs\b|"
    r"compar|last iterate|earlier|main branch|\bmaster\b|upstream|retim|reproduc",
    re.IGNORECASE,
)
MAX_STEPS = 400


@dataclass(frozen=True)
class Race:
    """The curves, each run once; `logs` are all files, copies as well."""

    curves: list[Curve]
    logs: tuple[Curve, ...]

    def finals(self) -> list[list[Number]]:
        """Of each run, the losses of its last validation."""
        return [list(curve.last.losses.values()) for curve in self.curves]

    def seconds(self) -> list[list[Number]]:
        """Of each run, its last time in seconds."""
        return [[number_of(c.last.ms / 1000)] if c.last.ms else [] for c in self.curves]

    def averages(self) -> list[list[Number]]:
        """Of each run, the time of a step in milliseconds."""
        return [
            [number_of(c.last.average_ms)] if c.last.average_ms is not None else []
            for c in self.curves
        ]

    def shared_steps(self) -> list[int]:
        """Steps at which every run validated, the last ones first."""
        common: set[int] | None = None
        for curve in self.curves:
            steps = {p.step for p in curve.points}
            common = steps if common is None else common & steps
        return sorted(common or (), reverse=True)[:MAX_STEPS]

    def at(self, step: int) -> list[list[Number]]:
        """Of each run that validated at a step, the losses there."""
        points = (curve.at(step) for curve in self.curves)
        return [list(p.losses.values()) for p in points if p is not None]

    def means(self) -> list[Value]:
        """Mean loss over all runs at each shared step and at the end of each; over the runs of
        each folder as well.
        """
        made = []
        for what, group in self.groups().items():
            made += means_of(group, what)
        return made

    def groups(self) -> dict[str, list[Curve]]:
        """All curves; and, where they lie in several folders, those of each."""
        folders: dict[str, list[Curve]] = defaultdict(list)
        for curve in self.curves:
            folders[curve.file.rpartition("/")[0]].append(curve)
        groups = {f"the {len(self.curves)} runs": self.curves}
        if len(folders) > 1:
            for name, held in folders.items():
                groups[f"the {len(held)} runs in {name or 'the folder'}"] = held
        return groups

    def check_logs(self, notes: Notes) -> None:
        """One run under two names; a log that ends before the others."""
        for curve in self.curves:
            seeds = {one.seed for one in self.logs if one.file in curve.files} - {None}
            endings = [name.rsplit(".", 1)[-1] + name.rpartition("/")[0] for name in curve.files]
            if len(set(endings)) < len(endings) and curve.last.ms:
                certainty = MISMATCH if len(seeds) != 1 else NOTE
                listed = " and ".join(curve.files[:4])
                evidence = "every loss and every time in them is the same"
                notes.add("duplicate-log", certainty, listed, curve.file, evidence)
        ends = [curve.last.step for curve in self.curves if curve.planned == self.curves[0].planned]
        for curve in self.curves:
            early = ends.count(curve.last.step) == 1 and len(ends) > 2
            if early and curve.last.step < min(e for e in ends if e != curve.last.step):
                claim = f"{curve.file} ends at step {curve.last.step}"
                evidence = f"the others go to {max(ends)}: it may have been cut off"
                notes.add("log-cut-off", AMBIGUOUS, claim, curve.file, evidence)


def means_of(curves: list[Curve], what: str) -> list[Value]:
    """Mean losses of some runs, by name of the loss, at the end and at every shared step."""
    made = []
    names = set.intersection(*(set(c.last.losses) for c in curves)) if curves else set()
    race = Race(curves, ())
    for name in sorted(names):
        ends = [c.last.losses[name] for c in curves]
        digits = min(n.digits for n in ends) + 3
        made.append(Value(mean(n.value for n in ends), digits, f"mean last {name} of {what}"))
        for step in race.shared_steps():
            held = [p.losses.get(name) for c in curves if (p := c.at(step)) is not None]
            numbers = [n for n in held if n is not None]
            if len(numbers) == len(curves):
                value = mean(n.value for n in numbers)
                made.append(Value(value, digits, f"mean {name} of {what} at step {step}"))
    return made


def number_of(value: Decimal) -> Number:
    """A computed number, with the digits that it has."""
    text = f"{value.normalize():f}"
    return Number(text, value, len(text.partition(".")[2]))
