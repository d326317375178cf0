"""What ties theorems to code: of which function each speaks, and which test holds the two together.

A theorem names both, in the comment above it (`Code: file:name, file:name` and `Test: ...`), or its
file does for all of its theorems, in lines of the box that it opens with (`(* Code: file:name *)`).
`none` says that there is no such code, or no such test. Files are named from the root.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from goldenseal.coq.generate import FILE as CONSTANTS_FILE
from goldenseal.coq.project import FACT, Declaration, Project

FILE = "docs/theorem-table.md"  # where it is kept, every theorem must be tied
NONE = "none"
LABELS = ("Code", "Test")
_BOX_LINE = re.compile(rf"^\(\* ({'|'.join(LABELS)}): +(\S.*?) +\*\)$", re.MULTILINE)
_DEFINITION = re.compile(
    r"^( *)(?:(?:async )?(def|class) (\w+)|(\w+(?:, *\w+)*)(?: *:[^=\n]+)? *=(?!=))", re.MULTILINE
)
_HEAD = """# What ties each theorem to the code

Written by `goldenseal theorems refresh` from `Code:` and `Test:` in `theorems/*.v`, and checked by
`goldenseal theorems check`: each file and name is there, and the test's file speaks of the code.
What a theorem says, and does not say, is in [its index](../theorems/README.md); the constants of
the code, which the gate compares bit by bit, are not listed. Where there is no test, it says so.

## Table

| theorem | code | test |
|---|---|---|
"""


@dataclass(frozen=True)
class Bridge:
    """A theorem written by hand, the places of which it speaks and of the tests that tie it."""

    theorem: Declaration
    code: tuple[str, ...]
    tests: tuple[str, ...]


def bridges(project: Project) -> list[Bridge]:
    """One for each theorem and fact written by hand, in build order."""
    found = []
    for source in project.sources:
        box = source.text.partition("\n\n")[0]
        of_file = {label: _places(label, _BOX_LINE.findall(box)) for label in LABELS}
        for each in source.declarations():
            if each.kind not in ("Theorem", FACT) or source.file == CONSTANTS_FILE:
                continue
            own = {label: _in_comment(label, each.comment) for label in LABELS}
            code, tests = (own[label] or of_file[label] for label in LABELS)
            found.append(Bridge(each, code, tests))
    return found


def _places(label: str, lines: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(
        place.strip() for name, words in lines if name == label for place in words.split(",")
    )


def _in_comment(label: str, comment: str) -> tuple[str, ...]:
    text = " ".join(comment.removesuffix("*)").split())
    match = re.search(rf" {label}: ([^ ,]+(?:, [^ ,]+)*)", text)
    return tuple(match[1].split(", ")) if match else ()


def table(found: list[Bridge]) -> str:
    """The text of the whole file."""
    rows = [f"| `{b.theorem.name}` | {_cell(b.code)} | {_cell(b.tests)} |\n" for b in found]
    return _HEAD + "".join(rows)


def _cell(places: tuple[str, ...]) -> str:
    return "<br>".join(place if place == NONE else f"`{place}`" for place in places)


def faults(root: Path, found: list[Bridge]) -> list[str]:
    """One line for each theorem whose code or test is not there any more, or does not fit."""
    files: dict[str, _File] = {}
    return [
        f"theorems/{each.theorem.file}:{each.theorem.line}: {each.theorem.name} {fault}"
        for each in found
        for fault in _faults(root, each, files)
    ]


def bridge_findings(root: Path, found: list[Bridge]) -> list[str]:
    """The faults, or one line when the table is not current. Nothing where no table is kept."""
    try:
        kept = (root / FILE).read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        return [f"{FILE}: cannot be read as UTF-8 text: {error}"]
    if findings := faults(root, found):
        return findings
    if kept != table(found):
        return [f"{FILE}: is not the current one; run `goldenseal theorems refresh`"]
    return []


def _faults(root: Path, bridge: Bridge, files: dict[str, "_File"]) -> Iterator[str]:
    for label, places in zip(LABELS, (bridge.code, bridge.tests), strict=True):
        if not places:
            yield f"names no `{label}: file:name`, neither above it nor in the box of its file"
    code, tests = ([each for each in some if each != NONE] for some in (bridge.code, bridge.tests))
    gone = False
    for place in (*code, *tests):
        name, colon, inner = place.partition(":")
        file = files.setdefault(name, _File(root / name))
        if not colon or not inner or not is_inside(name):
            gone = True
            yield f"names {place}, which is not of the form file:name"
        elif file.text is None:
            gone = True
            yield f"speaks of {place}, but there is no such file: follow the code, or drop it"
        elif inner not in file.defined:
            gone = True
            yield f"speaks of {place}, but {name} defines no {inner}: follow the code, or drop it"
    if code and tests and not gone and not any(_speaks(files, test, code) for test in tests):
        yield f"is tied by {', '.join(tests)}, where none of {', '.join(code)} is named"


def is_inside(name: str) -> bool:
    """Whether a file's name stays in the repository."""
    return ".." not in name and not name.startswith("/")


def _speaks(files: dict[str, "_File"], test: str, code: list[str]) -> bool:
    words = files[test.partition(":")[0]].words
    return any(re.split(r"[:.]", place)[-1] in words for place in code)


@dataclass(frozen=True)
class _File:
    """A Python file, read by its lines: to parse each would cost more than an unchanged gate."""

    path: Path

    @cached_property
    def text(self) -> str | None:
        try:
            return None if self.path.is_symlink() else self.path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of the file."""
        return frozenset(re.findall(r"\w+", self.text or ""))

    @cached_property
    def defined(self) -> frozenset[str]:
        """Functions, classes and variables, and what stands in classes, as Class.method."""
        found, inside = set(), list[tuple[int, str]]()
        for indent, kind, name, variables in _DEFINITION.findall(self.text or ""):
            while inside and inside[-1][0] >= len(indent):
                inside.pop()
            for each in [name] if kind else variables.split(","):
                if inside or not indent:
                    found.add(".".join([*(outer for _, outer in inside), each.strip()]))
            if kind:
                inside.append((len(indent), name))
        return frozenset(found)
