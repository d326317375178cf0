"""Finds numbers in training code that are rounded where they stand, outside every constants module.

A number that stands in the code is *inexact* when it is no double: `0.02`, `2e-2`, `1 / 3`,
`5 ** 0.5`, `float("0.02")`. `0.5`, `1e22`, `1 / 16` and integers are exact. What is judged is the
largest expression made of nothing but numbers, arithmetic and calls of float, Fraction, Decimal,
pow and sqrt; with a name in it, it is a computation, and none of this module's business.
"""

import ast
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from goldenseal.coq.arithmetic import FLOATS, InexactError, called, is_number, work_out
from goldenseal.errors import UsageError

PythonFiles = Mapping[str, tuple[str, ast.Module]]  # name from the root -> (text, tree)


def unproved_literals(files: PythonFiles, homes: Mapping[str, frozenset[str]]) -> list[str]:
    """One line, with file and line, for each inexact number that is no declared constant.

    `homes` maps the file of a constants module, from the root, to the names that it declares:
    there, and only in the assignment of such a name, an inexact number may stand.
    """
    findings = []
    for name, (source, tree) in files.items():
        allowed = _declared_values(tree, homes[name]) if name in homes else set()
        places = set()
        for node in inexact(source, tree):
            if id(node) not in allowed:
                places.add((node.lineno, node.col_offset, _text(source, node)))
        ask = "declare it here" if name in homes else "declare it in a constants module, import it"
        findings += [
            f"{name}:{line}: {text} has no theorem; {ask}" for line, _, text in sorted(places)
        ]
    return findings


def python_files(
    root: Path, folders: Iterable[str], more: Iterable[str] = ()
) -> dict[str, tuple[str, ast.Module]]:
    """Name from the root -> (text, tree) of every Python file under `folders`, and of `more`.

    Raises UsageError for a folder that is not there or a file that is not Python.
    """
    files = {}
    for name in sorted(python_names(root, folders, more)):
        try:
            source = (root / name).read_text("utf-8")
            files[name] = source, ast.parse(source)
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            raise UsageError(f"{name}: cannot be read as Python: {error}") from None
    return files


def python_names(root: Path, folders: Iterable[str], more: Iterable[str] = ()) -> set[str]:
    """Their names alone. Raises UsageError for a folder that is not there."""
    names = set(more)
    for folder in folders:
        if not (root / folder).is_dir():
            raise UsageError(f"pyproject.toml: tool.goldenseal.scan: {folder} is not a folder")
        names |= {path.relative_to(root).as_posix() for path in (root / folder).rglob("*.py")}
    return names


def inexact(source: str, tree: ast.AST) -> Iterator[ast.expr]:
    """The inexact numbers below `tree`: single literals, or whole expressions of exact ones."""
    pending = [tree]
    while pending:
        for child in children(pending.pop()):
            if isinstance(child, ast.expr) and is_number(child):
                yield from _inexact_number(source, child)
                continue
            pending.append(child)
            if isinstance(child, ast.Call) and called(child) in FLOATS:
                yield from _inexact_texts(child)


def children(node: ast.AST) -> Iterator[ast.AST]:
    """As ast.iter_child_nodes, but for what has nothing below it: contexts such as Load."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            for each in value:
                if isinstance(each, ast.AST):
                    yield each
        elif isinstance(value, ast.AST) and name != "ctx":
            yield value


def _inexact_number(source: str, number: ast.expr) -> Iterator[ast.expr]:
    parts = (node for node in ast.walk(number) if isinstance(node, ast.expr))
    single = [node for node in parts if _is_inexact_literal(source, node)]
    if single:
        yield from single
        return
    try:
        work_out(number)
    except InexactError:
        yield number
    except (ArithmeticError, ValueError, TypeError, KeyError):
        return  # infinite, or an error in Python too: no number that a theorem could speak of


def _inexact_texts(call: ast.Call) -> Iterator[ast.expr]:
    """Texts anywhere in a call of float that it would round, as in float(get("LR", "0.02"))."""
    for node in ast.walk(call):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                if Fraction(Decimal(node.value)) != Fraction(float(node.value)):
                    yield node
            except (ArithmeticError, ValueError):
                continue  # no number, or none that is finite


def _is_inexact_literal(source: str, node: ast.expr) -> bool:
    """Whether a float's own text is not exactly the double that it stands for."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, float | complex):
        return False
    value = node.value.imag if isinstance(node.value, complex) else node.value
    text = _text(source, node).rstrip("jJ")
    try:
        # Positions inside an f-string are approximate before Python 3.12: another piece of it.
        text = text if float(text) == value else repr(value)
        return Fraction(Decimal(text)) != Fraction(value)
    except (InvalidOperation, ValueError, OverflowError):
        # 1e999 has no fraction and is no number at all.
        return math.isfinite(value) and Fraction(repr(value)) != Fraction(value)


def _declared_values(tree: ast.Module, names: frozenset[str]) -> set[int]:
    """Ids of the nodes in top-level assignments of declared names, `A, B = 0.1, 0.2` included."""
    nodes: set[int] = set()
    for statement in tree.body:
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.Assign):
            targets = [name for target in statement.targets for name in _names(target)]
        elif isinstance(statement, ast.AnnAssign):
            targets = _names(statement.target)
        else:
            continue
        if value is not None and targets and set(targets) <= names:
            nodes |= {id(node) for node in ast.walk(value)}
    return nodes


def _names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Tuple | ast.List):
        return [name for each in target.elts for name in _names(each)]
    return [target.id] if isinstance(target, ast.Name) else [""]


def _text(source: str, node: ast.expr) -> str:
    """What stands in the source."""
    if not isinstance(node, ast.Constant):
        return ast.unparse(node)
    if node.lineno != node.end_lineno:
        return ast.get_source_segment(source, node) or repr(node.value)
    line = "".join(_lines(source)[node.lineno - 1 : node.lineno]).encode()
    part = line[node.col_offset : node.end_col_offset]  # offsets count bytes of UTF-8
    return part.decode(errors="replace") or repr(node.value)


@lru_cache(maxsize=1)  # ast.get_source_segment splits the whole source for each number in it
def _lines(source: str) -> list[str]:
    """The lines as Python counts them: a form feed ends none."""
    return re.split(r"\r\n|\r|\n", source)
