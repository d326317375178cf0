"""Which code of some files is executed, to the instruction.

The unit is the instruction, not the line: of `a if cuda else b` only one half is ever run.
"""

import ast
import dis
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

# How a frame begins, before Python tells a tracer of its instructions, and what does nothing.
UNTRACED = {"CACHE", "COPY_FREE_VARS", "MAKE_CELL", "NOP", "RESUME", "RETURN_GENERATOR"}

Extent = tuple[int, int, int, int]  # first line and column, last line and column
Seen = Mapping[str, Collection[Extent]]  # by file


class Executed:
    """Executed instructions of the files that `wanted` takes, by name. Meant for one thread.

    Those in `seen`, by file, are not noted again: most of the cost of watching is in code that runs
    often, and an earlier run has seen that.
    """

    def __init__(self, wanted: Callable[[str], bool], seen: Seen | None = None):
        self._wanted, self._files = wanted, dict[str, bool]()
        self._seen = seen or {}
        self._codes: dict[tuple[str, CodeType], _Code] = {}  # two files may hold equal code

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
        key = file, frame.f_code
        if key not in self._codes:
            self._codes[key] = _Code(frame.f_code, self._seen.get(file, ()))
        code = self._codes[key]
        if not code.unseen:
            return None
        frame.f_trace_opcodes = True
        return code.watch

    def extents(self) -> dict[str, set[Extent]]:
        """Extents of the executed instructions, by file."""
        by_file: dict[str, set[Extent]] = {}
        for (file, _), code in self._codes.items():
            by_file.setdefault(file, set()).update(code.ran)
        return by_file


class _Code:
    """The extents of one code object: which ran, and which are still to be seen."""

    def __init__(self, code: CodeType, seen: Collection[Extent]):
        self.ran: set[Extent] = set()
        self._extents = _extents_of(code)
        self.unseen = set(self._extents.values()).difference(seen)
        self._on_line = Counter(extent[0] for extent in self.unseen)

    def watch(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Note each instruction, but go by lines where a line has none left to be seen."""
        if event == "opcode":
            extent = self._extents.get(frame.f_lasti)
            if extent in self.unseen:
                self.unseen.remove(extent)
                self.ran.add(extent)
                self._on_line[extent[0]] -= 1
        elif event == "line":
            frame.f_trace_opcodes = self._on_line[frame.f_lineno] > 0
            frame.f_trace_lines = bool(self.unseen)
        return self.watch


def instructions(source: bytes, file: str, imported: bool = False) -> list[Extent]:
    """Extents of every instruction of a source, in order.

    imported: only those inside functions; what a module or a class says by itself runs as it is
    imported.
    """
    extents: set[Extent] = set()
    pending = [(compile(source, file, "exec", dont_inherit=True), imported)]
    while pending:
        code, at_import = pending.pop()
        # Of what runs at import, a comprehension runs too; only a function's code is optimised.
        at_import = at_import and (
            code.co_name.startswith("<") or not code.co_flags & inspect.CO_OPTIMIZED
        )
        pending += [(each, at_import) for each in code.co_consts if isinstance(each, CodeType)]
        if not at_import:
            extents.update(_extents_of(code).values())
    return sorted(extents)


def idle_constants(source: bytes, before: bytes) -> set[Extent]:
    """Extents of the constants that are halves of conditional expressions.

    Not those of an expression that stands in `before` with another constant.
    """
    changed = {shape: text for text, shape, _ in _conditionals(before)}
    return {
        extent
        for text, shape, extents in _conditionals(source)
        if changed.get(shape, text) == text
        for extent in extents
    }


def _conditionals(source: bytes) -> Iterator[tuple[str, str, list[Extent]]]:
    """(text, text without its constant halves, their extents) of each conditional expression."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.IfExp):
            text, extents = ast.unparse(node), list[Extent]()
            shape = [ast.unparse(node.test)]
            for half in (node.body, node.orelse):
                if _is_constant(half):
                    last, end = half.end_lineno or 0, half.end_col_offset or 0
                    extents.append((half.lineno, half.col_offset, last, end))
                shape.append("constant" if _is_constant(half) else ast.unparse(half))
            yield text, " / ".join(shape), extents


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant)


def _extents_of(code: CodeType) -> dict[int, Extent]:
    """By offset, of each instruction that a tracer is told of."""
    return {
        each.offset: _true(each.positions)
        for each in dis.get_instructions(code)
        if each.opname not in UNTRACED and each.positions is not None
        if None not in each.positions
    }


def _true(extent: Iterable[int | None]) -> Extent:
    """Python gives the last line second; here it goes with its column."""
    first, last, column, end = (n or 0 for n in extent)
    return first, column, last, end
