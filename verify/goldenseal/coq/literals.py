"""Finds numbers in training code that are rounded where they stand, outside every constants module.

A number that stands in the code is *inexact* when it is no double: `0.02`, `2e-2`, `1 / 3`,
`5 ** 0.5`, `float("0.02")`. `0.5`, `1e22`, `1 / 16` and integers are exact. What is judged is the
largest expression made of nothing but numbers, arithmetic and calls of float, Fraction, Decimal,
pow and sqrt; with a name in it, it is a computation, and none of this module's business.
"""

import ast
import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from goldenseal.coq.arithmetic import FLOATS, InexactError, called, is_number, work_out
from goldenseal.errors import UsageError


def unproved_literals(
    root: Path, folders: Iterable[str], homes: Mapping[str, frozenset[str]]
) -> list[str]:
    """One line, with file and line, for each inexact number that is no declared constant.

    `homes` maps the file of a constants module, from the root, to the names that it declares:
    there, and only in the assignment of such a name, an inexact number may stand. Raises
    UsageError for a folder that is not there or a file that is not Python.
    """
    findings = []
    for name, (source, tree) in python_files(root, folders, homes).items():
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
    """Name from the root -> (text, tree) of every Python file under `folders`, and of `more`."""
    names = set(more)
    for folder in folders:
        if not (root / folder).is_dir():
            raise UsageError(f"pyproject.toml: tool.goldenseal.scan: {folder} is not a folder")
        names |= {path.relative_to(root).as_posix() for path in (root / folder).rglob("*.py")}
    files = {}
    for name in sorted(names):
        try:
            source = (root / name).read_text("utf-8")
            files[name] = source, ast.parse(source)
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            raise UsageError(f"{name}: cannot be read as Python: {error}") from None
    return files


def inexact(source: str, tree: ast.AST) -> Iterator[ast.expr]:
    """The inexact numbers below `tree`: single literals, or whole expressions of exact ones."""
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.expr) or not is_number(child):
            yield from inexact(source, child)
            if isinstance(child, ast.Call) and called(child) in FLOATS:
                yield from _inexact_texts(child)
            continue
        parts = (node for node in ast.walk(child) if isinstance(node, ast.expr))
        single = [node for node in parts if _is_inexact_literal(source, node)]
        if single:
            yield from single
            continue
        try:
            work_out(child)
        except InexactError:
            yield child
        except (ArithmeticError, ValueError, TypeError, KeyError):
            continue  # infinite, or an error in Python too: no number that a theorem could speak of


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
    if isinstance(node, ast.Constant):
        return ast.get_source_segment(source, node) or repr(node.value)
    return ast.unparse(node)
