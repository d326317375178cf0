"""Which code runs: on the default path with every feature off, and what more with features on.

The unit is the instruction, not the line: of `a if cuda else b` only one half is ever run. An edit
is reached when an instruction inside the edited expression or statement was executed.
"""

from collections.abc import Iterable, Mapping

from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.source import Extent, instructions_of, within


def reached(
    mutants: Iterable[Mutant], sources: Mapping[str, bytes], executed: Mapping[str, list[Extent]]
) -> list[Mutant]:
    """Those mutants whose edit lies in code that was executed."""
    compiled = {file: _instructions(source, file) for file, source in sources.items()}
    ran = {file: set(map(tuple, extents)) for file, extents in executed.items()}
    return [m for m in mutants if _runs(m, compiled[m.file], ran.get(m.file, set()))]


def _instructions(source: bytes, file: str) -> list[Extent]:
    return sorted({extent for _, extent in instructions_of(source, file)})


def _runs(mutant: Mutant, compiled: list[Extent], ran: set[tuple[int, ...]]) -> bool:
    """Ask the smallest part of the source, around the edit, that has instructions of its own."""
    for node in mutant.nodes:
        inside = [extent for extent in compiled if within(extent, node)]
        if inside:
            return any(extent in ran for extent in inside)
    return False
