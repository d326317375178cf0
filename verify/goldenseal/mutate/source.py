"""A Python source as bytes, and where its nodes lie in it."""

import ast
from collections.abc import Iterator
from functools import cached_property
from types import CodeType

Extent = tuple[int, int, int, int]  # first line and column, last line and column (after the end)


class Source:
    """One file: its bytes, its tree, and the place of each node as an offset into the bytes."""

    def __init__(self, data: bytes):
        self.data = data
        self.starts = [0]
        for line in data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file. Raises SyntaxError."""
        return ast.parse(self.data)

    def start(self, node: ast.AST) -> int:
        """Offset of the node's first byte."""
        line, column, _, _ = extent(node)
        return self.starts[line - 1] + column

    def stop(self, node: ast.AST) -> int:
        """Offset after the node's last byte."""
        _, _, line, column = extent(node)
        return self.starts[line - 1] + column

    def text(self, start: int, stop: int) -> str:
        """What stands there."""
        return self.data[start:stop].decode()

    def of(self, node: ast.AST) -> str:
        """The text of a node, brackets around it left out."""
        return self.text(self.start(node), self.stop(node))

    def line(self, at: int) -> tuple[int, str]:
        """Number, from 1, and stripped text of the line of an offset."""
        number = next(n for n, start in enumerate(self.starts) if start > at)
        return number, self.text(self.starts[number - 1], self.starts[number]).strip()

    def readable(self, node: ast.AST) -> bool:
        """Whether the node's place is true: inside f-strings, Python 3.11 sometimes errs."""
        if not isinstance(node, ast.expr):
            return True
        try:
            text = self.of(node)
            return _loaded(ast.parse(f"({text}\n)", mode="eval").body) == _loaded(node)
        except (SyntaxError, ValueError, IndexError):
            return isinstance(node, ast.Starred | ast.Slice)


def extent(node: ast.AST) -> Extent:
    """Where a node lies, in lines and columns."""
    names = ("lineno", "col_offset", "end_lineno", "end_col_offset")
    first, column, last, end = (int(getattr(node, name)) for name in names)
    return first, column, last, end


def instructions_of(data: bytes, file: str) -> Iterator[tuple[CodeType, Extent]]:
    """Every instruction that a file compiles to: the code that it belongs to, and where it lies."""
    pending = [compile(data, file, "exec", dont_inherit=True)]
    while pending:
        code = pending.pop()
        pending += [const for const in code.co_consts if isinstance(const, CodeType)]
        for first, last, column, end in code.co_positions():  # the last line second
            if first is not None and last is not None and column is not None and end is not None:
                yield code, (first, column, last, end)


def within(inner: Extent, outer: Extent) -> bool:
    """Whether one extent lies in the other."""
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _loaded(node: ast.expr) -> str:
    """The node's tree as if all names in it were read: what is read here may be set there."""
    return ast.dump(node).replace("ctx=Store()", "ctx=Load()").replace("ctx=Del()", "ctx=Load()")
