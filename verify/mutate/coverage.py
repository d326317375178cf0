"""Which code is the default path: what the probe's runs execute with every feature off.

The unit is the instruction, not the line: of `a if cuda else b` only one half is ever run. An edit
is on the default path when an instruction inside the edited expression or statement was executed.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from verify.mutate.operators import Mutant

Extent = tuple[int, int, int, int]


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
            extent = list(code.co_positions())[offset // 2]
            if None not in extent:
                found[code.co_filename].add(_true(extent))
        return {file: sorted(extents) for file, extents in sorted(found.items())}


def on_default_path(
    mutants: Iterable[Mutant], sources: Mapping[str, bytes], executed: Mapping[str, list[Extent]]
) -> list[Mutant]:
    """Those mutants whose edit lies in code that was executed."""
    compiled = {file: instructions(source, file) for file, source in sources.items()}
    ran = {file: set(map(tuple, extents)) for file, extents in executed.items()}
    return [m for m in mutants if _runs(m, compiled[m.file], ran.get(m.file, set()))]


def _runs(mutant: Mutant, compiled: list[Extent], ran: set[tuple[int, ...]]) -> bool:
    """Ask the smallest part of the source, around the edit, that has instructions of its own."""
    for node in mutant.nodes:
        inside = [extent for extent in compiled if _within(extent, node)]
        if inside:
            return any(extent in ran for extent in inside)
    return False


def _within(extent: Extent, node: Extent) -> bool:
    return node[:2] <= extent[:2] and extent[2:] <= node[2:]


def instructions(source: bytes, file: str) -> list[Extent]:
    """Extents of every instruction of a source: first line and column, last line and column."""
    found: set[Extent] = set()
    pending = [compile(source, file, "exec", dont_inherit=True)]
    while pending:
        code = pending.pop()
        pending += [const for const in code.co_consts if isinstance(const, CodeType)]
        found |= {_true(extent) for extent in code.co_positions() if None not in extent}
    return sorted(found)


def _true(extent: Iterable[int | None]) -> Extent:
    """Python gives the last line second; here it goes with its column."""
    first, last, column, end = (n or 0 for n in extent)
    return first, column, last, end
