"""Which code runs: on the default path with every feature off, and what more with features on.

The unit is the instruction, not the line: of `a if cuda else b` only one half is ever run. An edit
is reached when an instruction inside the edited expression or statement was executed.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from verify.mutate.operators import Mutant
from verify.mutate.source import Extent, instructions_of, within


class Coverage:
    """Executed instructions of some files, by absolute path. Meant for one thread."""

    def __init__(self, files: Iterable[Path]):
        self.files = {str(path) for path in files}
        self._ran: set[tuple[CodeType, int]] = set()

    @contextmanager
    def tracing(self) -> Iterator[None]:
        """Watch what the block executes, modules that it imports included."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in self.files:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._instruction

    def _instruction(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode":
            self._ran.add((frame.f_code, frame.f_lasti))
        return self._instruction

    def executed(self) -> dict[str, list[Extent]]:
        """Extents of the executed instructions, by file, sorted."""
        found: dict[str, set[Extent]] = {file: set() for file in self.files}
        for code, offset in self._ran:
            first, last, column, end = list(code.co_positions())[offset // 2]
            if first is not None and last is not None and column is not None and end is not None:
                found[code.co_filename].add((first, column, last, end))
        return {file: sorted(extents) for file, extents in sorted(found.items())}


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
