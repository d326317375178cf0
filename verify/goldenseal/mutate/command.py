"""`goldenseal mutate`: draw mutants, judge those that are not judged yet, write the result."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import TimeRemainingColumn

from goldenseal.config import find_root
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import EXIT_CONTRADICTED, EXIT_HOLDS, UsageError
from goldenseal.mutate.document import (
    PAGE,
    PROOFS,
    document,
    page_with,
    path_of,
    proof_lines,
    read_reasons,
    tables,
)
from goldenseal.mutate.kin import judge_with_kin, kin_of
from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.plan import Plan, read_plan
from goldenseal.mutate.proofs import judge_proofs
from goldenseal.mutate.reach import digest_of
from goldenseal.mutate.reach import path_of as reach_path
from goldenseal.mutate.runner import Runner
from goldenseal.mutate.sample import draw
from goldenseal.mutate.state import State
from goldenseal.records.source import read_source
from goldenseal.terminal import print_json, progress_bar

SURVIVORS_SHOWN = 40
REQUIRED, REQUIRED_ON = 0.97, 0.95


@dataclass(frozen=True)
class Wish:
    """What was asked for: `only` is an area, empty for all; `on` is for features that are on."""

    system: str
    count: int
    seed: int
    only: str = ""
    jobs: int = 2
    quick_only: bool = False
    require: float | None = None
    on: bool = False

    @property
    def required(self) -> float:
        """The share that must be killed, if nothing else is said."""
        return (REQUIRED_ON if self.on else REQUIRED) if self.require is None else self.require


def main(
    wish: Wish, listing: bool, proofs: bool, writes: bool, as_json: bool, console: Console
) -> int:
    """Do what was asked, print it, and return the exit code.

    Raises UsageError for a part of the whole that is to be written.
    """
    root = find_root()
    if listing:
        _print_rows(listed(root, wish), as_json, console)
        return EXIT_HOLDS
    if wish.on and wish.quick_only:
        raise UsageError("--quick is for the rungs with features off: leave --on out")
    if proofs:
        results = {**judge_proofs(root), "label": PROOFS}
        text = "\n".join(proof_lines(results))
        code = EXIT_CONTRADICTED if results["survivors"] else EXIT_HOLDS
    else:
        if writes and (wish.only or wish.quick_only):
            raise UsageError("--write takes a run over all areas: leave --only and --quick out")
        results = mutate(root, wish)
        text, code = summary(results), exit_code(results, wish.required)
    if writes:
        write(root, results)
    if as_json:
        print(canonical.dumps(results).decode())
    else:
        console.print(text, markup=False, soft_wrap=True)
    return code


def summary(results: dict[str, Any]) -> str:
    """The counts and the survivors, for a terminal."""
    lines = [f"{'area':<20} killed  of"]
    for area, entry in results["areas"].items():
        lines.append(f"{area:<20} {entry['killed']:>6} {entry['sampled']:>3}")
    for survivor in results["survivors"][:SURVIVORS_SHOWN]:
        lines += ["", f"survives: {survivor['place']} ({survivor['operator']})"]
        lines += [f"  - {line.strip()}" for line in survivor["removed"]]
        lines += [f"  + {line.strip()}" for line in survivor["added"]]
        lines.append(f"  {survivor['reason']}")
    hidden = len(results["survivors"]) - SURVIVORS_SHOWN
    lines += [f"… {hidden} more survivors: --json shows all"] if hidden > 0 else []
    share = 100 * results["killed"] / max(results["sampled"], 1)
    return "\n".join(
        [*lines, "", f"{results['killed']} of {results['sampled']} killed: {share:.1f} %"]
    )


def _print_rows(rows: list[dict[str, Any]], as_json: bool, console: Console) -> None:
    if as_json:
        print_json(rows)
        return
    for row in rows:
        words = f"{row['area']:<18} {row['place']:<44} {row['operator']:<10} {row['edit']}"
        console.print(words, markup=False, soft_wrap=True)


def listed(root: Path, wish: Wish) -> list[dict[str, Any]]:
    """The mutants that would be judged."""
    plan = read_plan(root, wish.system, wish.on)
    with Runner(plan, wish.jobs) as runner:
        drawn, _ = _drawn(plan, runner, wish)
    return [
        {"area": m.area, "place": f"{m.file}:{m.line}", "operator": m.operator, "edit": m.edit,
         "mutant": m.identity}
        for m in drawn
    ]  # fmt: skip


def mutate(root: Path, wish: Wish) -> dict[str, Any]:
    """Judge the sample and return the document.

    Raises CannotCheckError when the unchanged code does not pass.
    """
    plan = read_plan(root, wish.system, wish.on)
    source = read_source(root).digest
    if plan.on:
        source = hashlib.sha512((source + digest_of(root, plan.tests)).encode()).hexdigest()
    state = State(root, f"{plan.label}-quick" if wish.quick_only else plan.label, source)
    bar = progress_bar(TimeRemainingColumn())
    with Runner(plan, wish.jobs, wish.quick_only) as runner, bar as progress:
        task = progress.add_task("recording the baseline", total=None)
        drawn, population = _drawn(plan, runner, wish)
        missing = [mutant for mutant in drawn if state.known(mutant) is None]
        if missing:
            progress.update(task, description="the unchanged code")
            runner.control(reach_path(plan, source))
        progress.update(
            task, description="mutants", total=len(drawn), completed=len(drawn) - len(missing)
        )
        for mutant, result in judge_with_kin([] if plan.on else kin_of(plan), runner, missing):
            state.add(mutant, result)
            progress.advance(task)
        sources = runner.sources
    judged = [(mutant, state.results[mutant.identity]) for mutant in drawn]
    reasons = read_reasons(root)
    return document(plan, wish.seed, judged, population, sources, reasons, wish.quick_only)


def write(root: Path, results: dict[str, Any]) -> None:
    """Write the document and its tables on the page."""
    path = path_of(root, results["label"])
    path.parent.mkdir(parents=True, exist_ok=True)
    page = page_with((root / PAGE).read_text("utf-8"), results["label"], tables(results))
    atomic_write(path, canonical.dumps(results))
    atomic_write(root / PAGE, page.encode())


def read(root: Path, label: str) -> dict[str, Any]:
    """The document that lies in the tree. Raises UsageError when there is none."""
    path = path_of(root, label)
    if not path.is_file():
        raise UsageError(f"{path} is not there: run `goldenseal mutate`")
    return dict(canonical.read(path, str(path)))


def exit_code(results: dict[str, Any], require: float) -> int:
    """0 when the killed share of all that were sampled, equivalent ones included, is enough."""
    enough = results["sampled"] > 0 and results["killed"] >= require * results["sampled"]
    return EXIT_HOLDS if enough else EXIT_CONTRADICTED


def _drawn(plan: Plan, runner: Runner, wish: Wish) -> tuple[list[Mutant], dict[str, int]]:
    """(the sample, how many mutants each area has)."""
    if wish.only and wish.only not in plan.areas:
        raise UsageError(f"--only {wish.only!r}: no such area; there are {sorted(plan.areas)}")
    mutants = runner.prepare()
    if wish.only:
        mutants = [mutant for mutant in mutants if mutant.area == wish.only]
    return draw(mutants, wish.count, wish.seed), dict(Counter(m.area for m in mutants))
