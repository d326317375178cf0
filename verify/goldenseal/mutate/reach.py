"""Which unit tests reach which lines: asked of a map that `watch` makes once."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType

from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.plan import Plan
from goldenseal.mutate.source import Extent, instructions_of, within

OPTIMIZED = 0x01  # CO_OPTIMIZED: a function's code; that of a module or a class runs at import


@dataclass(frozen=True)
class Reach:
    """seconds: processor time of each test by node id, with what it shares with others.

    lines: by file and line, the tests that execute it.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[int, frozenset[str]]]
    sources: dict[str, bytes]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that execute the edited place, the cheapest first.

        What is executed when a module is imported may show in any test: then it is all of them,
        those that execute some function of the file first.
        """
        lines = self.lines.get(mutant.file, {})
        at_import, tests = self._place(mutant)
        if not at_import:
            return self._sorted(set().union(*(lines.get(line, ()) for line in tests)))
        near = set().union(*lines.values())
        return [*self._sorted(near), *self._sorted(set(self.seconds) - near)]

    def order(self, test: str) -> tuple[float, str]:
        """The cheapest first, equals by name."""
        return self.seconds[test], test

    def _sorted(self, tests: set[str]) -> list[str]:
        return sorted(tests, key=self.order)

    def _place(self, mutant: Mutant) -> tuple[bool, set[int]]:
        """Whether the edited place is executed at import, and its lines."""
        known = self._instructions[mutant.file]
        for node in mutant.nodes:
            inside = [(code, extent) for code, extent in known if within(extent, node)]
            if inside:
                at_import = any(not code.co_flags & OPTIMIZED for code, _ in inside)
                return at_import, {extent[0] for _, extent in inside}
        return False, set()

    @cached_property
    def _instructions(self) -> dict[str, list[tuple[CodeType, Extent]]]:
        return {file: list(instructions_of(data, file)) for file, data in self.sources.items()}


def path_of(plan: Plan, digest: str) -> Path:
    """Where the map of a system's tests is kept."""
    return plan.root / ".goldenseal" / "mutants" / f"{plan.label}-reach-{digest[:16]}.json"


def digest_of(root: Path, tests: tuple[str, ...]) -> str:
    """SHA-512 over every file of the folders that the tests lie in."""
    h = hashlib.sha512()
    for top in sorted({test.split("/")[0] for test in tests}):
        for path in sorted(p for p in (root / top).rglob("*") if p.is_file()):
            if "__pycache__" not in path.parts:
                h.update(repr((path.relative_to(root).as_posix(), path.read_bytes())).encode())
    return h.hexdigest()


def read_reach(path: Path, sources: dict[str, bytes]) -> Reach:
    """The map in a file that `make_map` wrote."""
    facts = json.loads(path.read_bytes())
    tests: list[str] = facts["tests"]
    lines = {
        file: {int(line): frozenset(tests[i] for i in places) for line, places in table.items()}
        for file, table in facts["lines"].items()
    }
    return Reach(dict(zip(tests, facts["seconds"], strict=True)), lines, sources)
