"""What a mutant meets, one after the other, until something notices it.

On the default path: the gates. With features on: the unit tests that reach it, then the gates.
"""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from goldenseal.mutate.arena import Reference, Tell, judge_off, judge_on
from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.plan import Plan
from goldenseal.mutate.reach import Reach

PATIENCE = 6.0  # times as long as the unchanged code takes
LEAST_SECONDS = 20.0
FIRST_SECONDS = 600.0  # for the unchanged code itself


class Stage(Protocol):
    """One judgement of a tree, in a process of its own."""

    def judge(self, tree: Path, mutant: Mutant | None, tell: Tell) -> None:
        """Tell the outcome; more than once, if there is something to say before the end."""

    def limits(self, mutant: Mutant | None) -> tuple[float, float]:
        """How many seconds it may take to its first word, and to its end."""

    def learn(self, result: dict[str, Any]) -> None:
        """What the unchanged code cost."""


class Gates:
    """Rungs of the ladder. A mutant may take a multiple of what the unchanged code took."""

    def __init__(self, judge: Callable[[Path, Mutant | None, Tell], None]):
        self.judge = judge
        self.first = self.whole = FIRST_SECONDS

    def limits(self, mutant: Mutant | None) -> tuple[float, float]:
        """The same for every mutant."""
        return self.first, self.whole

    def learn(self, result: dict[str, Any]) -> None:
        """Set the patience."""
        first_word = result["seconds"] or result["all_seconds"]  # some speak at the end only
        self.first = max(LEAST_SECONDS, PATIENCE * first_word)
        self.whole = self.first + max(LEAST_SECONDS, PATIENCE * result["all_seconds"])


class UnitTests:
    """The tests that reach a mutant. Each has its own limit besides that of them all."""

    def __init__(self, reach: Reach, others: Collection[str]):
        self.reach, self.others = reach, others

    def judge(self, tree: Path, mutant: Mutant | None, tell: Tell) -> None:
        """Run them, the cheapest first."""
        from goldenseal.mutate.unit_tests import judge_by_tests  # pytest: only where it is needed

        judge_by_tests(self.reach, tree, mutant, tell, self.others)

    def limits(self, mutant: Mutant | None) -> tuple[float, float]:
        """A multiple of what these tests took."""
        wanted = self.reach.tests_of(mutant) if mutant else self.reach.seconds
        seconds = LEAST_SECONDS + PATIENCE * sum(self.reach.seconds[test] for test in wanted)
        return seconds, seconds

    def learn(self, result: dict[str, Any]) -> None:
        """Nothing: what each test takes is known."""


def stages_of(
    plan: Plan, reference: Reference, quick_only: bool, reach: Reach | None
) -> list[Stage]:
    """In their order."""
    if reach is None:
        return [Gates(partial(judge_off, plan, reference, quick_only))]
    return [UnitTests(reach, plan.others), Gates(partial(judge_on, plan, reference))]
