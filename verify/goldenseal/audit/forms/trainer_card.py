"""The results on a Trainer's card: the list, the metadata, and the table by step."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from goldenseal.audit.model import Certainty, Notes, Readme, Table
from goldenseal.audit.numbers import Agreement, Number, agreement, parse

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
ITEM = re.compile(
    r"^\s*[-*]\s+([A-Za-z][\w @./-]{0,60}?):\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*$"
)
VALUE = re.compile(r"^\s*(?:-\s+)?value:\s*['\"]?(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)['\"]?\s*$")
NAME = re.compile(r"^\s*(?:-\s+)?(name|type):\s*['\"]?(.+?)['\"]?\s*$")
SPLIT = re.compile(r"^\s*split:\s*['\"]?(\w+)")
EPOCH_SLACK = Decimal("0.006")  # epochs are printed with two to four digits
SCALES = (Decimal(1), Decimal("0.01"))
NO_METRICS = frozenset("runtime samplespersecond stepspersecond step epoch".split())


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of the log: its metrics without the prefix `eval_`."""

    step: int
    epoch: Decimal | None
    metrics: dict[str, Number]


@dataclass
class State:
    """What `trainer_state.json` and the results hold."""

    name: str
    facts: dict[str, Any]
    evaluations: list[Evaluation] = field(default_factory=list)
    losses: list[tuple[int, Number]] = field(default_factory=list)
    rates: list[tuple[int, Number]] = field(default_factory=list)
    results: dict[str, dict[str, Number]] = field(default_factory=dict)
    best_step: int | None = None

    def final(self, key: str) -> list[tuple[str, Number]]:
        """(where, value) of a metric in the last evaluation that has it, and in the results."""
        found = []
        for evaluation in reversed(self.evaluations):
            if (number := pick(evaluation.metrics, key)) is not None:
                found.append((f"the evaluation at step {evaluation.step}", number))
                break
        for name, held in self.results.items():
            bare = {k.removeprefix("eval_").removeprefix("test_"): v for k, v in held.items()}
            if (number := pick(bare, key)) is not None and not name.startswith("train"):
                found.append((name, number))
        return found


def flat(name: str) -> str:
    """A metric's name in letters and digits: the card capitalises and spaces them."""
    low = re.sub(r"[^a-z0-9]+", "", name.lower())
    return low.removeprefix("validation").removeprefix("eval") or low


def pick(metrics: dict[str, Number], key: str) -> Number | None:
    """The metric that a name on the card means."""
    return next((v for k, v in metrics.items() if flat(k) == key), None)


def check(readme: Readme, state: State, notes: Notes) -> None:
    """All results that the card states."""
    for line, name, number, where in (*listed(readme), *metadata(readme)):
        headline(readme, line, name, number, where, state, notes)
    for table in readme.tables:
        if {"epoch", "step"} <= {flat(cell) for cell in table.header}:
            by_step(readme, table, state, notes)


def listed(readme: Readme) -> Iterator[tuple[int, str, Number, str]]:
    """The list under `It achieves the following results on the evaluation set`."""
    inside = False
    for line, text in enumerate(readme.text.splitlines(), start=1):
        if re.search(r"following results on the \w+ set", text, re.IGNORECASE):
            inside = True
        elif inside and text.startswith("#"):
            return
        elif inside and (match := ITEM.match(text)) and (number := parse(match[2])):
            yield line, match[1], number, "results"


def metadata(readme: Readme) -> Iterator[tuple[int, str, Number, str]]:
    """The values of `model-index` in the front matter; those of other splits are of other runs."""
    lines = readme.text.splitlines()
    if not lines or lines[0].strip() != "---":
        return
    name, split = "", ""
    for line, text in enumerate(lines[1:], start=2):
        if text.strip() == "---":
            return
        if text.lstrip().startswith("- task"):
            name, split = "", ""
        if match := SPLIT.match(text):
            split = match[1]
        elif match := NAME.match(text):
            begins = text.lstrip().startswith("-")
            name = match[2] if begins or match[1] == "name" or not name else name
        elif (match := VALUE.match(text)) and name and (number := parse(match[1])):
            yield line, name, number, f"metadata of {split}" if split else "metadata"


def headline(
    readme: Readme, line: int, name: str, number: Number, where: str, state: State, notes: Notes
) -> None:
    """A final result: of the last evaluation, or of the one whose checkpoint was kept as best."""
    key = flat(name)
    if key in NO_METRICS:
        return
    place, shown = f"{readme.name}:{line}", f"{name} {number}"
    final = state.final(key)
    if not final:
        return
    for what, value in final:
        if holds(number, value) is Agreement.ROUNDED:
            return notes.score(shown, place, f"{what}: {value}")
    others = [(e, v) for e in state.evaluations if (v := pick(e.metrics, key)) is not None]
    for evaluation, value in others:
        if holds(number, value) is not Agreement.ROUNDED:
            continue
        what = f"the evaluation at step {evaluation.step}: {value}"
        if evaluation.step == state.best_step:
            notes.add(
                "best-checkpoint", NOTE, shown, place, f"{what}, whose checkpoint is the best"
            )
            return notes.score(shown, place, what)
        evidence = f"it is {what}; {final[0][0]} gave {final[0][1]}"
        return notes.add("best-for-last", MISMATCH, shown, place, evidence)
    what, value = final[0]
    if holds(number, value) is Agreement.TRUNCATED:
        notes.scored.add(place)
        evidence = f"{what}: {value}, which was cut off instead of rounded"
        return notes.add("truncated", AMBIGUOUS, shown, place, evidence)
    own = not where.startswith("metadata of") or "valid" in where or "eval" in where
    return notes.add("not-in-log", MISMATCH if own else NOTE, shown, place, f"{what}: {value}")


def holds(number: Number, value: Number) -> Agreement:
    """How far a value supports a number, as it stands or as a percentage."""
    made = (agreement(number, value.value / scale) for scale in SCALES)
    exact = max(made)
    if exact is Agreement.ROUNDED:
        return exact
    # The card writes a float in full that the log wrote in full too, or in fewer digits.
    if any(agreement(number, value.value / s, value.digits) is Agreement.FEWER for s in SCALES):
        return Agreement.ROUNDED if value.digits >= 4 else Agreement.FEWER
    return exact


def by_step(readme: Readme, table: Table, state: State, notes: Notes) -> None:
    """The table of results: each row against the evaluation at its step."""
    at = {flat(cell): i for i, cell in enumerate(table.header)}
    if not state.evaluations:
        return
    steps: dict[int, list[Evaluation]] = defaultdict(list)
    for each in state.evaluations:
        steps[each.step].append(each)
    first = min(steps)
    for line, cells in table.rows:
        step = parse(cells[at["step"]]) if at["step"] < len(cells) else None
        if step is None or not step.is_integer:
            continue
        place = f"{readme.name}:{line}"
        held = steps.get(int(step.value))
        if not held:
            certainty = MISMATCH if int(step.value) >= first else NOTE
            evidence = f"evaluations are logged at {', '.join(map(str, list(steps)[:6]))}, …"
            notes.add("row-not-in-log", certainty, f"a row of step {step}", place, evidence)
            continue
        # The best checkpoint, loaded and evaluated at the end, is logged under the last step, too.
        evaluation = max(held, key=lambda e: alike(table.header, cells, e))
        for i, cell in enumerate(cells[: len(table.header)]):
            one_cell(table.header[i], cell, evaluation, state, place, notes)


def alike(header: list[str], cells: list[str], evaluation: Evaluation) -> int:
    """How many cells of a row an evaluation supports."""
    pairs = [
        (parse(cell), pick(evaluation.metrics, flat(name)))
        for name, cell in zip(header, cells, strict=False)
        if flat(name) not in ("step", "epoch", "trainingloss")
    ]
    return sum(bool(n and v and holds(n, v) >= Agreement.FEWER) for n, v in pairs)


def one_cell(
    header: str, cell: str, evaluation: Evaluation, state: State, place: str, notes: Notes
) -> None:
    """One cell of a row."""
    key, number = flat(header), parse(cell)
    shown = f"{header} {cell} at step {evaluation.step}"
    if key == "trainingloss":
        before = [loss for step, loss in state.losses if step <= evaluation.step]
        if cell.lower() == "no log" or number is None:
            if before and cell.lower() == "no log":
                evidence = f"the log has {before[-1]}"
                notes.add("row-not-in-log", NOTE, shown, place, evidence)
        elif before and holds(number, before[-1]) >= Agreement.FEWER:
            notes.confirm(shown, place, f"the last training loss before: {before[-1]}")
        elif state.losses:
            nearest = str(before[-1]) if before else "none is logged before"
            notes.add("row-not-in-log", MISMATCH, shown, place, f"the log has {nearest}")
        return
    if number is None or key == "step":
        return
    if key == "epoch":
        if evaluation.epoch is not None and abs(number.value - evaluation.epoch) > EPOCH_SLACK:
            evidence = f"the log says {evaluation.epoch}"
            notes.add("row-not-in-log", MISMATCH, shown, place, evidence)
        return
    value = pick(evaluation.metrics, key)
    if value is None or key in NO_METRICS:
        return
    if holds(number, value) >= Agreement.FEWER:
        notes.score(shown, place, f"logged: {value}")
    elif holds(number, value) is Agreement.TRUNCATED:
        notes.scored.add(place)
        notes.add("truncated", AMBIGUOUS, shown, place, f"logged: {value}, cut off")
    else:
        notes.add("row-not-in-log", MISMATCH, shown, place, f"the log has {value}")


def results(state: State, notes: Notes) -> None:
    """The files of results against each other and against the log: one value a metric."""
    for name, held in sorted(state.results.items()):
        for other, beside in sorted(state.results.items()):
            for key in sorted(held.keys() & beside.keys()):
                if name < other and held[key].value != beside[key].value:
                    claim = f"{key} {held[key]}"
                    notes.add("results-differ", MISMATCH, claim, name, f"{other} has {beside[key]}")
    for name, held in sorted(state.results.items()):
        for key, number in held.items():
            bare = flat(key.removeprefix("eval_"))
            if not key.startswith("eval_") or bare in NO_METRICS:
                continue
            logged = [v for e in state.evaluations if (v := pick(e.metrics, bare)) is not None]
            if logged and not any(agreement(number, v.value) is Agreement.ROUNDED for v in logged):
                evidence = f"no evaluation in the log gave it; the last one: {logged[-1]}"
                notes.add("later-evaluation", NOTE, f"{key} {number}", name, evidence)
