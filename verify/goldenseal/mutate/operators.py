"""Single edits of a Python source. Outside the edited bytes the file stays as it is.

Left alone are imports, annotations, docstrings, `__all__` and definitions as a whole: an edit there
either stops everything at once or changes nothing that runs.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from goldenseal.mutate.edits import SAID_ANYWAY, Edit, edits_of
from goldenseal.mutate.source import Extent, Source, extent


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
    nodes: tuple[Extent, ...] = ()

    @property
    def key(self) -> str:
        """What names the edit as long as its line stays the same, wherever the line moves."""
        number = f" #{self.occurrence}" if self.occurrence else ""
        return f"{self.file}:{self.function}: {self.operator}: {self.text}: {self.edit}{number}"

    @property
    def edit(self) -> str:
        """Old and new text, on one line."""
        return f"{' '.join(self.old.split())} -> {' '.join(self.new.split())}"

    @property
    def identity(self) -> str:
        """Sixteen hex digits of SHA-512 over the key."""
        return hashlib.sha512(self.key.encode()).hexdigest()[:16]

    def apply(self, source: bytes) -> bytes:
        """The mutated file."""
        return source[: self.start] + self.new.encode() + source[self.stop :]


def mutants_of(source: bytes, file: str, area: str = "") -> list[Mutant]:
    """Every mutant of one file, in source order.

    Each parses, to another tree than the unchanged source and than any mutant before it.
    """
    made = Source(source)
    mutants, numbers = [], Counter[str]()
    trees = {_digest(made.tree)}
    for mutant in sorted(_walk(made, file, made.tree, "", ()), key=_place):
        try:
            tree = _digest(ast.parse(mutant.apply(source)))
        except (SyntaxError, ValueError):
            continue
        if tree not in trees:
            trees.add(tree)
            mutants.append(replace(mutant, occurrence=numbers[mutant.key], area=area))
            numbers[mutant.key] += 1
    return mutants


def _digest(tree: ast.Module) -> bytes:
    return hashlib.sha512(ast.dump(tree).encode()).digest()


def _place(mutant: Mutant) -> tuple[int, int, str, str]:
    return mutant.start, mutant.stop, mutant.operator, mutant.new


def _walk(
    source: Source, file: str, node: ast.AST, function: str, above: tuple[Extent, ...]
) -> Iterator[Mutant]:
    """All edits at and below a node, some of which may not parse."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        function = f"{function}.{node.name}" if function else node.name
    if isinstance(node, ast.expr | ast.stmt | ast.keyword | ast.excepthandler):
        if not source.readable(node) or _said_anyway(node):
            return
        for edit in edits_of(source, node):
            asked = tuple(map(extent, _affected(node, edit)))
            yield _mutant(source, file, function, edit, asked + above)
        above = (extent(node), *above)
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _idle(node, child):
                yield from _walk(source, file, child, function, above)


def _affected(node: ast.AST, edit: Edit) -> list[Any]:
    """The nodes in which an edit shows: where they are not executed, it changes nothing.

    A definition is executed when its module is, but matters where its body is; and a loop over
    nothing is what the loop is anyway wherever its body is not executed.
    """
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.body
    if edit[0] == "loop" and isinstance(node, ast.For):
        return node.body
    if edit[0] == "loop" and isinstance(node, ast.DictComp):
        return [node.key]
    if edit[0] == "loop" and isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        return [node.elt]
    return [node]


def _said_anyway(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg in SAID_ANYWAY


def _mutant(
    source: Source, file: str, function: str, edit: Edit, nodes: tuple[Extent, ...]
) -> Mutant:
    operator, start, stop, new = edit
    line, text = source.line(start)
    old = source.text(start, stop)
    return Mutant(
        file, function or "module", operator, text, old, new, start, stop, line, nodes=nodes
    )


def _idle(parent: ast.AST, child: ast.AST) -> bool:
    """Whether the child changes nothing that runs: a text by itself, or what `*` would import."""
    if isinstance(child, ast.Assign):
        return any(isinstance(t, ast.Name) and t.id == "__all__" for t in child.targets)
    return isinstance(child, ast.Expr) and (
        isinstance(child.value, ast.Constant) and isinstance(child.value.value, str)
    )
