"""Single edits of a Python source. Outside the edited bytes the file stays as it is.

Left alone are imports, annotations, docstrings and definitions as a whole: an edit there either
stops everything at once or changes nothing that runs.
"""

import ast
import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.MatMult: ("@", "*"),
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
DELETABLE = (
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return, ast.Delete, ast.Raise,
    ast.Break, ast.Continue,
)  # fmt: skip
SAID_ANYWAY = ("device", "strict")  # keywords that state what holds anyway, on one CPU
LARGER = 1.01  # the second nudge of a float; the first is one unit in the last place


@dataclass(frozen=True)
class Mutant:
    """One edit: the bytes from `start` to `stop` of `file` become `new`.

    `function` is the enclosing one, `text` the line where the edit begins, `occurrence` tells equal
    edits of equal lines apart. `nodes` are the extents (first line, column, last line, column) of
    the edited node and of what encloses it, innermost first: coverage is asked of them.
    """

    file: str
    function: str
    operator: str
    text: str
    old: str
    new: str
    start: int
    stop: int
    line: int
    occurrence: int = 0
    area: str = ""
    nodes: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def key(self) -> str:
        """What names the edit as long as its line stays the same, wherever the line moves."""
        number = f" #{self.occurrence}" if self.occurrence else ""
        return f"{self.file}:{self.function}: {self.operator}: {self.text}: {self.edit}{number}"

    @property
    def edit(self) -> str:
        """Old and new text, on one line."""
        return f"{' '.join(self.old.split())} -> {self.new}"

    @property
    def identity(self) -> str:
        """Sixteen hex digits of SHA-512 over the key."""
        return hashlib.sha512(self.key.encode()).hexdigest()[:16]

    def apply(self, source: bytes) -> bytes:
        """The mutated file."""
        return source[: self.start] + self.new.encode() + source[self.stop :]


def mutants_of(source: bytes, file: str, area: str = "") -> list[Mutant]:
    """Every mutant of one file, in source order. Each parses, and to another tree than before."""
    tree = ast.parse(source)
    found, seen = [], Counter[str]()
    original = ast.dump(tree)
    for mutant in sorted(_Finder(source, file, tree).mutants(), key=_place):
        try:
            changed = ast.dump(ast.parse(mutant.apply(source)))
        except (SyntaxError, ValueError):
            continue
        if changed != original:
            numbered = replace(mutant, occurrence=seen[mutant.key], area=area)
            seen[mutant.key] += 1
            found.append(numbered)
    return found


def _place(mutant: Mutant) -> tuple[int, int, str, str]:
    return mutant.start, mutant.stop, mutant.operator, mutant.new


class _Finder:
    def __init__(self, source: bytes, file: str, tree: ast.Module):
        self.source, self.file, self.tree = source, file, tree
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def mutants(self) -> Iterator[Mutant]:
        """All edits, some of which may not parse."""
        yield from self._walk(self.tree, "", ())

    def _walk(
        self, node: ast.AST, function: str, above: tuple[tuple[int, int, int, int], ...]
    ) -> Iterator[Mutant]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}" if function else node.name
        if isinstance(node, ast.expr | ast.stmt | ast.keyword):
            above = (_extent(node), *above)
            if not self._readable(node):
                return
            for operator, start, stop, new in self._edits(node):
                yield self._mutant(function, operator, start, stop, new, above)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _docstring(node, child):
                    yield from self._walk(child, function, above)

    def _edits(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        """(operator, start, stop, new text) of the edits of this very node."""
        if isinstance(node, ast.Constant):
            yield from self._constants(node)
        elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            old, new = ARITHMETIC[type(node.op)]
            yield from self._token("arithmetic", node.left, node.right, old, new)
        elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
            old, new = ARITHMETIC[type(node.op)]
            yield from self._token("arithmetic", node.target, node.value, f"{old}=", f"{new}=")
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield "arithmetic", self._start(node), self._start(node) + 1, "+"
        elif isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
                old, news = COMPARISONS[type(op)]
                for new in news:
                    yield from self._token("comparison", left, right, old, new)
        elif isinstance(node, ast.BoolOp):
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from self._token("and/or", left, right, old, new)
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg not in SAID_ANYWAY:
                    yield from self._dropped_keyword(node, keyword)
        yield from self._conditions(node)
        if isinstance(node, DELETABLE):
            yield "statement", self._start(node), self._stop(node), "pass"

    def _constants(self, node: ast.Constant) -> Iterator[tuple[str, int, int, str]]:
        start, stop, value = self._start(node), self._stop(node), node.value
        if isinstance(value, bool):
            yield "boolean", start, stop, str(not value)
        elif isinstance(value, int):
            yield "number", start, stop, str(value + 1)
            yield "number", start, stop, str(value - 1)
        elif isinstance(value, float) and math.isfinite(value):
            nudged = (math.nextafter(value, math.inf), value * LARGER) if value else (1.0,)
            for number in nudged:
                yield "number", start, stop, repr(number)

    def _conditions(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        """`not` added to a condition; a `not` anywhere dropped."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield "not", self._start(node), self._start(node.operand), ""
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            if not (isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)):
                start, stop = self._start(node.test), self._stop(node.test)
                text = self.source[start:stop].decode()
                yield "not", start, stop, f"(not ({text}))"

    def _token(
        self, operator: str, left: ast.expr, right: ast.expr, old: str, new: str
    ) -> Iterator[tuple[str, int, int, str]]:
        """The operator between two operands, if that is all there is besides brackets."""
        start, stop = self._stop(left), self._start(right)
        between = self.source[start:stop].decode()
        words = between.strip("() \t\r\n\\")
        if " ".join(words.split()) == old:
            at = start + len(between[: between.index(words)].encode())
            yield operator, at, at + len(words.encode()), new

    def _dropped_keyword(
        self, call: ast.Call, keyword: ast.keyword
    ) -> Iterator[tuple[str, int, int, str]]:
        """The argument, and the comma before or after it."""
        start, stop = self._start(keyword), self._stop(keyword)
        after = self.source[stop : self._stop(call)].decode()
        if after.lstrip().startswith(","):
            stop += len(after[: after.index(",") + 1].encode())
            rest = self.source[stop : self._stop(call)]
            stop += len(rest) - len(rest.lstrip(b" "))
        else:
            before = self.source[self._stop(call.func) : start].rstrip()
            if before.endswith(b","):
                start = self._stop(call.func) + len(before) - 1
        yield "keyword", start, stop, ""

    def _mutant(
        self,
        function: str,
        operator: str,
        start: int,
        stop: int,
        new: str,
        nodes: tuple[tuple[int, int, int, int], ...],
    ) -> Mutant:
        line = next(n for n, at in enumerate(self.starts) if at > start)
        text = self.source[self.starts[line - 1] : self.starts[line]].decode().strip()
        old = self.source[start:stop].decode()
        return Mutant(
            self.file, function or "module", operator, text, old, new, start, stop, line,
            nodes=nodes,
        )  # fmt: skip

    def _readable(self, node: ast.AST) -> bool:
        """Whether the node's place is true: inside f-strings, Python 3.11 sometimes errs."""
        if not isinstance(node, ast.expr):
            return True
        try:
            text = self.source[self._start(node) : self._stop(node)].decode()
            return ast.dump(ast.parse(f"({text}\n)", mode="eval").body) == _loaded(node)
        except (SyntaxError, ValueError, IndexError):
            return isinstance(node, ast.Starred | ast.Slice)

    def _start(self, node: ast.AST) -> int:
        line, column, _, _ = _extent(node)
        return self.starts[line - 1] + column

    def _stop(self, node: ast.AST) -> int:
        _, _, line, column = _extent(node)
        return self.starts[line - 1] + column


def _extent(node: ast.AST) -> tuple[int, int, int, int]:
    """First line and column, last line and column (after the end)."""
    names = ("lineno", "col_offset", "end_lineno", "end_col_offset")
    first, column, last, end = (int(getattr(node, name)) for name in names)
    return first, column, last, end


def _loaded(node: ast.expr) -> str:
    """The node's tree as if it stood on the right of an assignment."""
    return ast.dump(node).replace("ctx=Store()", "ctx=Load()").replace("ctx=Del()", "ctx=Load()")


def _docstring(parent: ast.AST, child: ast.AST) -> bool:
    """Whether the child is a text by itself, which does nothing."""
    return isinstance(child, ast.Expr) and (
        isinstance(child.value, ast.Constant) and isinstance(child.value.value, str)
    )
