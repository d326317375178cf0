"""What else the text must say of a number: its unit, seeds, test, of how many it is the best."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from goldenseal.claims.definition import Definition
from goldenseal.claims.documents.model import Bound
from goldenseal.claims.findings import ClaimError
from goldenseal.claims.rules import SEVERAL, best_of, seed_labels

if TYPE_CHECKING:
    from goldenseal.claims.compute import Outcome

COUNTED = re.compile(r"\W*(?:[a-z-]+ )?(seed|run)s?\b", re.IGNORECASE)
# What a text may call the tests and the tails of a p; the first group that matches is the name.
TESTS = (
    ("welch", r"\bwelch\b|\bunpaired\b|\btwo[- ]samples?\b|\bindependent[- ]samples?\b"),
    ("paired", r"\bpaired\b"),
    ("sign-flip", r"\bsign[- ]?flip|\bsign test\b|\bpermutation"),
    ("Wilcoxon", r"\bwilcoxon\b|\bsigned[- ]rank\b|\bmann[- ]whitney\b|\brank[- ]sum\b"),
    ("bootstrap", r"\bbootstrap"),
    ("z", r"\bz[- ]test\b"),
)
TAILS = (
    ("one-sided", r"\b(?:one|single)[- ](?:sided|tailed)\b"),
    ("two-sided", r"\b(?:two|double)[- ](?:sided|tailed)\b"),
)


def check_unit(bound: Bound, definition: Definition, outcome: "Outcome") -> None:
    """The unit that is stated stands after the number or above it."""
    unit = definition.unit
    if not unit:
        return
    after = bound.after.lstrip()
    rest = after[len(unit) :]
    follows = after.startswith(unit) and not (unit[-1].isalnum() and rest[:1].isalnum())
    if not follows and unit not in bound.heading:
        raise ClaimError(
            "unit-lost", f"the unit {unit!r} stands neither after the number nor above it"
        )


def check_seeds(bound: Bound, definition: Definition, outcome: "Outcome") -> None:
    """A number whose text speaks of three seeds, or n = 3, rests on three."""
    if definition.stat == "count" or not outcome.seed_counts:
        return
    labels = next((seeds for text in bound.contexts if (seeds := seed_labels(text))), ())
    counts = outcome.seed_counts
    several = max(counts) > 1
    if not labels or any(n in counts or (n == SEVERAL and several) for _, n in labels):
        return
    said = " and ".join(sorted({f"{label!r}" for label, _ in labels}))
    kind = "incomplete-grid" if several else "single-seed"
    raise ClaimError(kind, f"the text says {said}, the number rests on {max(counts)}")


def check_count(bound: Bound, definition: Definition, outcome: "Outcome") -> None:
    """A count of seeds is not called one of runs, nor the reverse."""
    said = COUNTED.match(bound.after)
    if not said or definition.count not in ("seeds", "runs"):
        return
    if said[1].lower() != definition.count[:-1]:
        raise ClaimError(
            "mislabelled",
            f"the text calls it a number of {said[1].lower()}s, it is bound to that of the "
            f"{definition.count}: write {definition.count!r}",
        )


def check_best_of(bound: Bound, definition: Definition, outcome: "Outcome") -> None:
    """A minimum or maximum is said to be that of so many."""
    number = len(outcome.left)
    if definition.stat in ("min", "max") and not any(best_of(t, number) for t in bound.contexts):
        raise ClaimError(
            "best-of", f"the text must say that this is the best (or worst, …) of {number}"
        )


def check_population(bound: Bound, definition: Definition, outcome: "Outcome") -> None:
    """A population deviation is called one."""
    if definition.stat == "sd" and definition.ddof == 0:
        if not any("population" in text.lower() for text in bound.contexts):
            raise ClaimError(
                "population-sd", "ddof = 0: the text must call it a population deviation"
            )


def check_test(bound: Bound, definition: Definition, outcome: "Outcome") -> None:
    """The test and the tail that the text gives a p are its own."""
    if definition.stat != "p":
        return
    tail = "two-sided" if definition.tail == "two-sided" else "one-sided"
    for own, names in ((definition.test, TESTS), (tail, TAILS)):
        for text in (bound.text, bound.heading, *bound.contexts[1:]):
            named = list(_named(text, names))
            if named and own not in named:
                raise ClaimError(
                    "mislabelled", f"the text speaks of {named[0]}, the p is {own}: write {own!r}"
                )
            if named:
                break


def _named(text: str, names: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, pattern in names:
        if re.search(pattern, text, re.IGNORECASE):
            yield name
