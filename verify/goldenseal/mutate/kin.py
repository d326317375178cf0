"""A file that several systems are built on is judged by the gates of them all.

An edit of what only ranks, say, make a difference to is noticed by the system that has ranks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from goldenseal.config import settings
from goldenseal.errors import CannotCheckError
from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.plan import Plan, read_plan
from goldenseal.mutate.runner import Runner

Results = Mapping[Mutant, dict[str, Any]]


def kin_of(plan: Plan) -> list[Plan]:
    """The default paths of the other systems that name some of the plan's files, by name."""
    tables = settings(plan.root).get("systems", {})
    others = [read_plan(plan.root, name) for name in sorted(tables) if "mutate" in tables[name]]
    mine = set(plan.files)
    return [other for other in others if other.system != plan.system and mine & set(other.files)]


def judge_with_kin(
    kin: list[Plan], runner: Runner, mutants: Sequence[Mutant]
) -> Iterator[tuple[Mutant, dict[str, Any]]]:
    """(mutant, result) of each, in the order in which it is known; kin judge survivors they share.

    Raises CannotCheckError as `judge_by_kin` does.
    """
    shared, survivors = {file for plan in kin for file in plan.files}, {}
    for mutant, result in runner.judge(mutants):
        if result["outcome"] == "survived" and mutant.file in shared:
            survivors[mutant] = result
        else:
            yield mutant, result
    yield from judge_by_kin(kin, runner, survivors)


def judge_by_kin(
    kin: list[Plan], runner: Runner, survivors: Results
) -> Iterator[tuple[Mutant, dict[str, Any]]]:
    """(mutant, result) of survivors of their own system: what other systems' gates say, if any.

    Raises CannotCheckError when a system does not pass unchanged, or a file changed meanwhile.
    """
    left = dict(survivors)
    for plan in kin:
        asked = [mutant for mutant in left if mutant.file in plan.files]
        if not asked:
            continue
        with Runner(plan, runner.jobs, runner.quick_only) as other:
            if changed := [
                m.file for m in asked if other.sources[m.file] != runner.sources[m.file]
            ]:
                raise CannotCheckError(f"{changed[0]} changed while its mutants were judged")
            other.record(follow=False)  # which mutants count is known
            other.control()
            for mutant, result in other.judge(asked):
                if result["outcome"] != "survived":
                    failed = [f"{gate} ({plan.system})" for gate in result["failed"]]
                    yield mutant, {**result, "failed": failed}
                    del left[mutant]
    yield from left.items()
