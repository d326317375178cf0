"""The hyperparameters on a Trainer's card against its state: sizes, lengths, learning rate."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from statistics import median

from goldenseal.audit.forms.trainer_card import State
from goldenseal.audit.model import Certainty, Notes, Readme
from goldenseal.audit.numbers import Number, parse

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
ITEM = re.compile(r"^\s*[-*]\s+([a-z][a-z_0-9]{2,50}):\s*(.+?)\s*$")
ONE = Decimal(1)


def check(readme: Readme, state: State, notes: Notes) -> None:
    """Every hyperparameter that the state knows something of."""
    stated, lines = read(readme)
    if not stated:
        return

    def say(key: str, holds: bool, evidence: str, certainty: Certainty = MISMATCH) -> None:
        shown, place = f"{key} {stated[key]}", f"{readme.name}:{lines[key]}"
        if holds:
            return notes.confirm(shown, place, evidence)
        return notes.add("hyperparameter", certainty, shown, place, evidence)

    numbers = {key: n for key, text in stated.items() if (n := parse(text)) is not None}
    facts = {k: v.value for k, v in state.facts.items() if isinstance(v, Number)}
    total(numbers, say)
    batch, held = numbers.get("train_batch_size"), facts.get("train_batch_size")
    if batch and held and batch.value > 0:
        # The state counts the devices of one process in, the card does not.
        say("train_batch_size", held % batch.value == 0, f"the state has {held}")
    epochs, planned = numbers.get("num_epochs"), facts.get("num_train_epochs")
    if epochs and planned and "training_steps" not in numbers:
        say("num_epochs", math.ceil(epochs.value) == planned, f"the state has {planned}")
    steps, most = numbers.get("training_steps"), facts.get("max_steps")
    if steps and most:
        say("training_steps", steps.value == most, f"the state has {most}")
    rate = numbers.get("learning_rate")
    if rate and rate.value > 0 and state.rates:
        say("learning_rate", *learning_rate(rate, stated, facts, state))


def read(readme: Readme) -> tuple[dict[str, str], dict[str, int]]:
    """(value, line) of each item of the list of hyperparameters."""
    stated: dict[str, str] = {}
    lines: dict[str, int] = {}
    inside = False
    for line, text in enumerate(readme.text.splitlines(), start=1):
        if re.search(r"hyperparameters were used|^#+.*hyperparameters", text, re.IGNORECASE):
            inside = True
        elif text.startswith("#"):
            inside = False
        elif inside and (match := ITEM.match(text)):
            stated.setdefault(match[1], match[2])
            lines.setdefault(match[1], line)
    return stated, lines


def total(numbers: dict[str, Number], say: Callable[[str, bool, str], None]) -> None:
    """The total batch is that of a device, times the devices, times the steps accumulated."""
    stated = numbers.get("total_train_batch_size")
    if stated is None or "train_batch_size" not in numbers:
        return
    product = numbers["train_batch_size"].value
    for key in ("gradient_accumulation_steps", "num_devices"):
        product *= numbers[key].value if key in numbers else ONE
    say("total_train_batch_size", product == stated.value, f"the factors listed give {product}")


def learning_rate(
    rate: Number, stated: dict[str, str], facts: dict[str, Decimal], state: State
) -> tuple[bool, str, Certainty]:
    """Whether the logged rates follow from the stated one, by the stated schedule."""
    peak, peak_step = max((float(r.value), step) for step, r in state.rates)
    shown = f"the largest rate logged is {peak:.4g}, at step {peak_step}"
    if peak > float(rate.value) * 1.001:
        return False, shown, MISMATCH
    most = float(facts.get("max_steps", Decimal(0)))
    kind = stated.get("lr_scheduler_type", "linear").rsplit(".", 1)[-1].lower()
    warmup = warmup_of(stated, most)
    # The rate of a step is logged before the schedule moves on, or after.
    fits = [ratios_of(rate, state, kind, most, warmup, back) for back in (0, 1)]
    ratios = min(fits, key=lambda r: max(r) / min(r)) if all(fits) else max(fits, key=len)
    if not ratios:
        return True, shown, NOTE
    centre = median(ratios)
    even = all(abs(r / centre - 1) < 0.02 for r in ratios)
    if abs(centre - 1) < 0.02:
        return True, f"the logged rates follow from it by a {kind} schedule", NOTE
    if even:
        evidence = (
            f"by a {kind} schedule the logged rates follow from {centre * float(rate.value):.4g}"
        )
        return False, evidence, MISMATCH
    return True, f"{shown}; its schedule is not known", NOTE


def ratios_of(
    rate: Number, state: State, kind: str, most: float, warmup: float, back: int
) -> list[float]:
    """Each logged rate over what the schedule makes of the stated one, so many steps before."""
    return [
        float(logged.value) / (float(rate.value) * part)
        for step, logged in state.rates
        if (part := share(kind, step - back, most, warmup)) > 0 and logged.value > 0
    ]


def warmup_of(stated: dict[str, str], most: float) -> float:
    """Steps of warm-up."""
    if number := parse(stated.get("lr_scheduler_warmup_steps", "")):
        # A share of all steps is written there too, as of version 5 of the library.
        return float(number.value) if number.value >= 1 else math.ceil(float(number.value) * most)
    if number := parse(stated.get("lr_scheduler_warmup_ratio", "")):
        return math.ceil(float(number.value) * most)
    return 0.0


def share(kind: str, step: int, most: float, warmup: float) -> float:
    """What part of the stated rate a step has; 0 where that is not known."""
    if step < 0 or most <= warmup:
        return 0.0
    if step < warmup:
        return step / warmup
    left = max(0.0, (most - step) / (most - warmup))
    if kind == "linear":
        return left
    if kind == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (1 - left)))
    return 1.0 if kind.startswith("constant") else 0.0
