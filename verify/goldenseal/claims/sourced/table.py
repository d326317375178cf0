"""A TOML file of sourced numbers and of what was said of them: read, and judged.

[source.bp_30]
label = "BP, accuracy"
origin = "paper, table 2"
seeds = { 42 = ".5851", 123 = ".5845", 456 = ".5863" }
epochs = 30

[[claim]]
says = "BP without penalty: .609 +- .004"
kind = "statistic"
printed = ".609"
deviation = ".004"
seeds = 3
from = ["bp_30"]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from goldenseal.claims.sourced import rows, seeds
from goldenseal.claims.sourced.claim import Claim, Fault, Said
from goldenseal.claims.sourced.numbers import Source, number
from goldenseal.claims.sourced.tables import Rows
from goldenseal.disk.files import read_small
from goldenseal.disk.toml import read_toml
from goldenseal.errors import UsageError
from goldenseal.schema import CLOSED, parse

MAX_BYTES = 4 * 1024 * 1024
KINDS = seeds.KINDS | rows.KINDS
NEEDS = seeds.NEEDS | rows.NEEDS


@dataclass(frozen=True)
class Entry(Said):
    """A claim as it is written: sources, groups and tables by name."""

    __pydantic_config__ = CLOSED
    sources: tuple[str, ...] = ()
    table: str = ""
    groups: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Sourced:
    """A file of sourced numbers. `lines`: where each claim begins."""

    name: str
    sources: dict[str, Source]
    tables: dict[str, Rows]
    claims: list[Claim]
    lines: list[int]


def read(path: Path, name: str = "") -> Sourced:
    """The sources and claims of a file. Raises UsageError, one line, for what is wrong in it."""
    text = read_small(path, MAX_BYTES)
    try:
        return parsed(text.decode("utf-8"), name or path.name)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name or path}: not UTF-8: {error.reason}") from None


def parsed(text: str, name: str) -> Sourced:
    """`read`, of a text."""
    table = read_toml(text.encode(), f"{name}: not TOML")
    if unknown := sorted(set(table) - {"source", "table", "claim", "lineage"}):
        raise UsageError(
            f"{name}: unknown table [{unknown[0]}]; it has `source`, `table`, `claim`, `lineage`"
        )
    try:
        sources = {n: _checked(Source, n, e, name) for n, e in table.get("source", {}).items()}
        tables = {n: _checked(Rows, n, e, name) for n, e in table.get("table", {}).items()}
    except AttributeError:
        raise UsageError(f"{name}: [source.NAME] and [table.NAME] are tables") from None
    lineage = parse(_Lineage, {"of": table.get("lineage", {})}, name, "lineage").of
    claims = [_claim(entry, sources, tables, lineage, name) for entry in table.get("claim", [])]
    begins = [
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if line.split("#")[0].strip() == "[[claim]]"
    ]
    lines = begins if len(begins) == len(claims) else [1] * len(claims)
    return Sourced(name, sources, tables, claims, lines)


@dataclass(frozen=True)
class _Lineage:
    of: dict[str, tuple[str, ...]]


def _checked(kind: Any, name: str, entry: Any, file: str) -> Any:
    made = parse(kind, entry, file, "source" if kind is Source else "table", name)
    try:
        made.check(name)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    return made


def _claim(
    written: Mapping[str, Any],
    sources: Mapping[str, Source],
    tables: Mapping[str, Rows],
    lineage: dict[str, tuple[str, ...]],
    file: str,
) -> Claim:
    renamed = {"sources" if key == "from" else key: value for key, value in written.items()}
    entry = parse(Entry, renamed, file, "claim")
    where = f"{file}: {entry.says}"
    if entry.kind not in KINDS:
        raise UsageError(f"{where}: {entry.kind} is none of {', '.join(KINDS)}")
    least, needed = NEEDS[entry.kind]
    lacking = [key for key in needed if not getattr(entry, key)]
    if lacking or len(entry.sources) < least:
        what = [f"`{key}`" for key in lacking] + [f"{least} in `from`"] * bool(least)
        raise UsageError(f"{where}: kind {entry.kind!r} needs {', '.join(what)}")
    if entry.kind == "order" and len(entry.sources) < 2 and not entry.groups:
        raise UsageError(f"{where}: kind 'order' needs two in `from`, or `groups` of such")
    legal = rows.CHOICES.get(entry.kind)
    if legal and entry.which not in legal:
        raise UsageError(f"{where}: `which` is {entry.which!r}; it may be {', '.join(legal)}")
    if entry.table and entry.table not in tables:
        raise UsageError(f"{where}: there is no table {entry.table}")
    try:
        for key in ("printed", "deviation", "times", "low", "high", "by"):
            if getattr(entry, key):
                number(getattr(entry, key))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None

    def named(names: Sequence[str]) -> tuple[Source, ...]:
        if unknown := sorted(set(names) - set(sources)):
            raise UsageError(f"{where}: there is no source {unknown[0]}")
        return tuple(sources[each] for each in names)

    own = {f.name for f in fields(Entry)} - {"sources", "groups", "table"}
    return Claim(
        **{key: getattr(entry, key) for key in own},
        sources=named(entry.sources),
        groups=tuple(named(group) for group in entry.groups),
        table=tables.get(entry.table),
        lineage=lineage,
    )


def judged(claim: Claim) -> list[Fault]:
    """Everything that is wrong with a claim. Raises UsageError where it cannot be asked."""
    return [fault for check in KINDS[claim.kind] for fault in check(claim)]
