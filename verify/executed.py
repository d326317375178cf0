"""Which code of some files is executed, to the instruction.

The unit is the instruction, not the line: of `a if cuda else b` only one half is ever run.
"""

import dis
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

# How a frame begins, before Python tells a tracer of its instructions, and what does nothing.
UNTRACED = {"CACHE", "COPY_FREE_VARS", "MAKE_CELL", "NOP", "RESUME", "RETURN_GENERATOR"}

Extent = tuple[int, int, int, int]  # first line and column, last line and column


class Executed:
    """Executed instructions of the files that `wanted` takes, by name. Meant for one thread."""

    def __init__(self, wanted: Callable[[str], bool]):
        self._wanted, self._files = wanted, dict[str, bool]()
        self._ran: dict[CodeType, set[int]] = {}
        self._whole: dict[CodeType, int] = {}  # how many instructions there are to be seen

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
        file = frame.f_code.co_filename
        if file not in self._files:
            self._files[file] = self._wanted(file)
        if not self._files[file]:
            return None
        code = frame.f_code
        if code not in self._ran:
            self._ran[code] = set()
            self._whole[code] = sum(each.opname not in UNTRACED for each in dis.Bytecode(code))
        ran = self._ran[code]
        if len(ran) == self._whole[code]:
            return None  # nothing in it is left to be seen
        frame.f_trace_opcodes, frame.f_trace_lines = True, False

        def instruction(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "opcode":
                ran.add(frame.f_lasti)
            return instruction

        return instruction

    def extents(self) -> dict[str, set[Extent]]:
        """Extents of the executed instructions, by file."""
        found: dict[str, set[Extent]] = {}
        for code, ran in self._ran.items():
            places = list(code.co_positions())
            extents = (places[offset // 2] for offset in ran)
            found.setdefault(code.co_filename, set()).update(
                _true(extent) for extent in extents if None not in extent
            )
        return found


def instructions(source: bytes, file: str, imported: bool = False) -> list[Extent]:
    """Extents of every instruction of a source, in order.

    imported: only those inside functions; what a module or a class says by itself runs as it is
    imported.
    """
    found: set[Extent] = set()
    pending = [(compile(source, file, "exec", dont_inherit=True), imported)]
    while pending:
        code, at_import = pending.pop()
        # Of what runs at import, a comprehension runs too; only a function's code is optimised.
        at_import = at_import and (
            code.co_name.startswith("<") or not code.co_flags & inspect.CO_OPTIMIZED
        )
        pending += [(each, at_import) for each in code.co_consts if isinstance(each, CodeType)]
        if not at_import:
            found |= {
                _true(positions)
                for each in dis.get_instructions(code)
                if each.opname not in UNTRACED and (positions := each.positions) is not None
                if None not in positions
            }
    return sorted(found)


def _true(extent: Iterable[int | None]) -> Extent:
    """Python gives the last line second; here it goes with its column."""
    first, last, column, end = (n or 0 for n in extent)
    return first, column, last, end
