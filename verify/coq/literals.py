"""Finds float literals in training code that no registered constant accounts for.

A literal such as 0.5, whose text is exactly its double, needs no theorem. Any other is rounded
by the compiler, so it must be the value of a constant, which has one.
"""

import ast
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from verify.constants import Constant
from verify.errors import UsageError


def unproved_literals(
    root: Path, folders: Iterable[str], constants: Iterable[Constant]
) -> list[str]:
    """`file:line: 0.3 has no theorem`, for every Python file under `folders`, in order.

    A sign is not part of a literal, so values are compared without it. Raises UsageError for a
    folder that is not there or a file that is not Python.
    """
    proved = {abs(float(each.value)) for each in constants}
    findings = []
    for folder in folders:
        if not (root / folder).is_dir():
            raise UsageError(f"pyproject.toml: tool.goldenseal.scan: {folder} is not a folder")
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            findings += [
                f"{name}:{line}: {text} has no theorem; register it as a Constant"
                for line, text in _inexact(path, name, proved)
            ]
    return findings


def _inexact(path: Path, name: str, proved: set[float]) -> list[tuple[int, str]]:
    """(line, text) of the inexact literals in a file whose value is not in `proved`."""
    try:
        source = path.read_text("utf-8")
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(f"{name}: cannot be read as Python: {error}") from None
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, float | complex):
            continue
        value = node.value.imag if isinstance(node.value, complex) else node.value
        text = ast.get_source_segment(source, node) or repr(value)
        if not _exact(text, value) and value not in proved:
            found.append((node.lineno, text))
    return sorted(found)


def _exact(text: str, value: float) -> bool:
    try:
        return Fraction(Decimal(text.rstrip("jJ"))) == Fraction(value)
    except (InvalidOperation, ValueError, OverflowError):
        # Positions inside an f-string are approximate, so the text may be another piece of it;
        # 1e999 has no fraction and is no number at all.
        return value in (float("inf"), float("-inf")) or Fraction(repr(value)) == Fraction(value)
