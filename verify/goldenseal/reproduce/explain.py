"""`goldenseal explain A B`: in what two things differ, in words, where "differs" would not help.

A thing is a run log, a record's folder, a seal.json, a verdict.json, or the beginning of a digest:
of a record's identity, of a file in a sealed record, of a source tree, of the last verdict. Things
of different kinds are compared in what they have in common: a run log and a record, say, in their
knobs and numeric class.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from goldenseal.compare.difference import differences, log_difference
from goldenseal.config import settings
from goldenseal.disk import canonical
from goldenseal.disk.files import read_small
from goldenseal.errors import (
    EXIT_CONTRADICTED,
    EXIT_HOLDS,
    CannotCheckError,
    GoldensealError,
    UsageError,
)
from goldenseal.records.check import MAX_SUMS_BYTES, SEAL, SUMS, parse_sums
from goldenseal.records.record import read_record, record_folders
from goldenseal.records.source import SourceTree, read_source
from goldenseal.records.statement import SEAL_PREDICATE, VERDICT_PREDICATE, read_statement
from goldenseal.records.verdict import PATH as VERDICT
from goldenseal.records.verdict import read_verdict
from goldenseal.runlog import read_run_log


@dataclass(frozen=True)
class Thing:
    """Something that can be explained: what it is, and its facts by section."""

    label: str
    sections: Mapping[str, Any]
    log: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Explanation:
    """The differences by section; a section that both have and that is equal is in `equal`."""

    a: str
    b: str
    differences: dict[str, list[str]] = field(default_factory=dict)
    equal: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when nothing differs, 1 otherwise."""
        return EXIT_CONTRADICTED if self.differences else EXIT_HOLDS

    def lines(self) -> list[str]:
        """One line a difference, after the section it is of."""
        lines = [f"A is {self.a}", f"B is {self.b}"]
        for section, parted in self.differences.items():
            lines += [f"{section}: {text}" for text in parted]
        return [*lines, f"equal: {', '.join(self.equal) or 'nothing'}"]

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return vars(self)


def explain(root: Path, a: str, b: str, limit: int = 20) -> Explanation:
    """Compare two things. Raises UsageError for what is nothing of the kind, CannotCheckError when
    the two have nothing in common.
    """
    one, other = find(root, a), find(root, b)
    explanation = Explanation(one.label, other.label)
    for section in one.sections:
        if section not in other.sections:
            continue
        parted = differences(one.sections[section], other.sections[section], limit, "in A")
        if parted:
            explanation.differences[section] = parted
        else:
            explanation.equal.append(section)
    if one.log and other.log:
        place = log_difference(one.log[1:], other.log[1:], "in A")
        if place:
            explanation.differences["log"] = [place]
        else:
            explanation.equal.append("log")
    if not explanation.differences and not explanation.equal:
        raise CannotCheckError(f"{one.label} and {other.label} have nothing in common to compare")
    return explanation


def find(root: Path, text: str) -> Thing:
    """The thing of that path or digest."""
    path = Path(text)
    if text and path.is_dir():
        return of_record(path)
    if path.is_file():
        return of_file(path)
    if len(text) < 4 or not set(text) <= set("0123456789abcdef"):
        raise UsageError(f"{text!r} is neither a path here nor four or more digits of a digest")
    asked_for = [read() for digest, read in known(root) if digest.startswith(text)]
    matching = {thing.label: thing for thing in asked_for}
    if not matching:
        raise UsageError(
            f"nothing here has a digest beginning with {text}: records, their files, their "
            "source trees and the last verdict were searched"
        )
    if len(matching) > 1:
        raise UsageError(f"{text} is ambiguous: {', '.join(sorted(matching))}")
    return next(iter(matching.values()))


def of_record(folder: Path) -> Thing:
    """A record, by its record.json, its sums and its run log."""
    facts = read_record(folder).facts
    sections: dict[str, Any] = {"status": facts["status"], "seeds": texts(facts["seeds"])}
    kept = ("command", "environment", "knobs", "data", "source")
    sections |= {key: facts[key] for key in kept if key in facts}
    if "numeric_class" in facts:
        sections["numeric class"] = facts["numeric_class"]
    if "results" in facts:
        sections["results"] = facts["results"]
    if (folder / SUMS).is_file():
        sections["files"] = parse_sums(read_small(folder / SUMS, MAX_SUMS_BYTES))
    logs = sorted(set(facts.get("logs", {}).values()))
    log = read_run_log(folder / logs[0], complete=False) if len(logs) == 1 else []
    return Thing(f"record {folder.name}", sections, log)


def _of_covered(folder: Path, name: str, digest: str) -> Thing:
    """A file of a record: a run log or a seal by what it says, any other by its bytes."""
    if name.endswith(".jsonl") or name == SEAL:
        try:
            return of_file(folder / name)
        except GoldensealError:  # lines of another kind: a stranger's log
            pass
    return Thing(f"file {folder.name}/{name}", {"files": {name: digest}})


def texts(seeds: Sequence[Any]) -> list[str]:
    """Seeds as texts, as run logs have them."""
    return [str(seed) for seed in seeds]


def of_file(path: Path) -> Thing:
    """A run log, a seal or a verdict."""
    if path.suffix == ".jsonl":
        lines = read_run_log(path, complete=False)
        header = lines[0]
        sections = {
            name: header[key]
            for name, key in (("knobs", "knobs"), ("numeric class", "numeric_class"))
            if key in header
        }
        return Thing(f"run {path}", sections | {"seeds": texts([header.get("seed")])}, lines)
    document = canonical.read(path, path.name)
    kind = document.get("predicateType") if isinstance(document, dict) else None
    if kind == VERDICT_PREDICATE:
        return of_verdict(path)
    if kind == SEAL_PREDICATE:
        return of_seal(path)
    raise UsageError(f"{path}: neither a run log (.jsonl) nor a seal nor a verdict")


def of_verdict(path: Path) -> Thing:
    """What was verified, where, with which result."""
    told = read_verdict(path)
    gates = {each.gate: each.verdict for each in told.gates}
    environment = told.predicate.get("environment")
    sections = {"source": told.covered, "gates": gates, "environment": environment}
    return Thing(f"verdict {path}", sections)


def of_seal(path: Path) -> Thing:
    """The run that a seal tells of, and the files that it covers."""
    files, predicate = read_statement(path, SEAL_PREDICATE)
    run = predicate.get("buildDefinition", {})
    given = run.get("externalParameters", {})
    sections = {key: given[key] for key in ("status", "knobs") if key in given}
    sections["seeds"] = texts(given.get("seeds", []))
    sections["numeric class"] = run.get("internalParameters", {}).get("numeric_class")
    return Thing(f"seal {path}", sections | {"files": files})


def known(root: Path) -> Iterator[tuple[str, Callable[[], Thing]]]:
    """(digest, what reads it) of all that has a digest: no long log is read in vain."""
    for folder in record_folders(root):
        if not (folder / SUMS).is_file():
            continue
        raw = read_small(folder / SUMS, MAX_SUMS_BYTES)
        yield hashlib.sha512(raw).hexdigest(), partial(of_record, folder)
        for name, digest in parse_sums(raw).items():
            yield digest, partial(_of_covered, folder, name, digest)
        source = read_record(folder).facts.get("source")
        if source:
            label = f"source of {folder.name}"
            yield SourceTree(source).digest, partial(Thing, label, {"source": source})
    if "source" in settings(root):
        tree = read_source(root)
        yield tree.digest, partial(Thing, "source as it is here", {"source": tree.files})
    if (root / VERDICT).is_file():
        raw = read_small(root / VERDICT, MAX_SUMS_BYTES)
        yield hashlib.sha512(raw).hexdigest(), partial(of_verdict, root / VERDICT)
