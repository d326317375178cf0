"""Records: folders `records/<track>/<date>_<Name>/` with a record.json that says what they are.

record.json, schema 1: `name`, `date`, `seeds`, `status` (baseline, proposal, measured, incomplete,
superseded, refuted); for a run also `system`, `knobs` (every one, resolved, as text), `data` and
`source` (SHA-512 by file), `numeric_class`, `logs` (file by seed), `outputs` (the files that a
re-run must repeat) and `envelope` (by result, the relative difference that a re-run may show).
For a command of no system `command`, the words that were typed, and `environment`: Python,
packages, variables that were asked for and not set, files that were left out.
For runs that another tool logged `evidence`: by which, of how many runs, and what is not known.
`verdict` is the digest of the verdict under which it was launched, `waivers` gives the reason, by
name, for what did not hold then.
Only a measured record may hold `results`, and it needs a log for each seed listed.
A study, many runs in one record, has `plan` and `runs` in place of `logs`; a sweep has `cells`, the
name of a file with a line for each planned cell; see records/kinds/recorded.py. `incomplete` is a
sweep of which a cell is lacking: it has no results.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldenseal import __version__
from goldenseal.disk import canonical
from goldenseal.disk.files import is_sha512, problem_with_name
from goldenseal.errors import UsageError
from goldenseal.records.kinds import Kind, Listed, kind_of
from goldenseal.records.kinds.lines import lines_of

RECORD = "record.json"
SCHEMA = 1
STATUSES = ("baseline", "proposal", "measured", "incomplete", "superseded", "refuted")
REQUIRED: dict[str, type] = {
    "schema": int,
    "name": str,
    "date": str,
    "status": str,
    "seeds": list,
}
OPTIONAL: dict[str, type] = {
    "system": str,
    "knobs": dict,
    "data": dict,
    "source": dict,
    "numeric_class": dict,
    "logs": dict,
    "outputs": list,
    "envelope": dict,
    "results": dict,
    "corrects": str,
    "verdict": str,
    "waivers": dict,
    "plan": str,
    "runs": list,
    "cells": str,
    "command": list,
    "environment": dict,
    "evidence": dict,
}
RUN_KEYS: dict[str, type] = {
    "configuration": str,
    "seed": int,
    "knobs": dict,
    "log": str,
    "state": str,
    "results": dict,
}


def _is_date(value: str) -> bool:
    try:
        return datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and problem_with_name(value) is None


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and is_sha512(value)


def _is_reason(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_limit(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_run(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(RUN_KEYS)
        and all(type(value[key]) is kind for key, kind in RUN_KEYS.items())
        and _is_name(value["log"])
        and all(isinstance(text, str) for text in value["knobs"].values())
    )


# What must hold of a value beyond its type, and in which words.
SHAPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "date": (_is_date, "a date such as 2026-01-31"),
    "seeds": (lambda v: all(type(seed) is int for seed in v), "a list of integers"),
    "knobs": (lambda v: all(isinstance(text, str) for text in v.values()), "texts by knob"),
    "data": (lambda v: all(_is_digest(d) for d in v.values()), "SHA-512 digests by file"),
    "source": (lambda v: all(_is_digest(d) for d in v.values()), "SHA-512 digests by file"),
    "logs": (lambda v: all(_is_name(name) for name in v.values()), "files of the record by seed"),
    "outputs": (lambda v: all(_is_name(name) for name in v), "a list of files of the record"),
    "envelope": (lambda v: all(_is_limit(x) for x in v.values()), "positive numbers by result"),
    "corrects": (_is_digest, "the identity of a record, 128 hex digits"),
    "verdict": (_is_digest, "a SHA-512 digest"),
    "waivers": (lambda v: all(map(_is_reason, v.values())), "a reason by what did not hold"),
    "plan": (_is_name, "a file of the record"),
    "cells": (_is_name, "a file of the record"),
    "command": (lambda v: bool(v) and all(isinstance(w, str) for w in v), "a list of words"),
    "runs": (
        lambda v: len(v) > 0 and all(_is_run(run) for run in v),
        f"a list of runs, each with the keys {sorted(RUN_KEYS)}",
    ),
}


@dataclass(frozen=True)
class Record:
    """A record's folder and what its record.json says."""

    folder: Path
    facts: dict[str, Any] = field(repr=False)

    @property
    def status(self) -> str:
        """One of STATUSES."""
        return str(self.facts["status"])

    @property
    def kind(self) -> Kind:
        """What it is a record of, and what follows from that."""
        return kind_of(self.facts)

    def cells(self) -> list[Listed]:
        """The cells that it lists. Raises UsageError for a list of another form."""
        return list(self.kind.cells(self.facts, lambda name: lines_of(self.folder / name)))

    def get(self, key: str) -> Any:
        """A fact that a run must have. Raises UsageError when this record has none."""
        if key not in self.facts:
            where = f"{self.folder.name}/{RECORD}"
            raise UsageError(f"{where} has no `{key}`: not a record of a run")
        return self.facts[key]


def read_record(folder: Path) -> Record:
    """Read and validate record.json.

    Raises UsageError, one line, naming the key that is missing, unknown, ill-typed or at odds.
    """
    path = folder / RECORD
    where = f"{folder.name}/{RECORD}"
    if path.is_symlink() or not path.is_file():
        raise UsageError(f"{where} is missing: it says what the record is, see docs/records.md")
    return record_of(folder, canonical.read(path, where))


def record_of(folder: Path, facts: Any) -> Record:
    """The record of that folder whose record.json says this. Raises UsageError as `read_record`."""
    where = f"{folder.name}/{RECORD}"
    if not isinstance(facts, dict):
        raise UsageError(f"{where} is not a JSON object")
    types = REQUIRED | OPTIONAL
    for key in [*REQUIRED, *sorted(facts)]:
        if key not in facts:
            raise UsageError(f"{where} lacks `{key}`")
        if key not in types:
            raise UsageError(f"{where} has an unknown key {key!r}; it may have {sorted(types)}")
        if not isinstance(facts[key], types[key]):
            raise UsageError(f"{where}: `{key}` must be a {types[key].__name__}")
        holds, words = SHAPES.get(key, (None, ""))
        if holds and not holds(facts[key]):
            raise UsageError(f"{where}: `{key}` must be {words}")
    if facts["schema"] != SCHEMA:
        raise UsageError(f"{where}: schema {facts['schema']}, only schema {SCHEMA} is known")
    if facts["status"] not in STATUSES:
        raise UsageError(f"{where}: status {facts['status']!r}, expected one of {STATUSES}")
    record = Record(folder, facts)
    _check_results(record, where)
    return record


def _check_results(record: Record, where: str) -> None:
    facts = record.facts
    if record.status != "measured":
        if "results" in facts:
            raise UsageError(f"{where}: a {record.status} record holds no `results`")
        return
    record.kind.refuse(record, where)


def provenance(record: Record) -> dict[str, Any]:
    """What a seal says of the record, in the shape of SLSA provenance 1.0."""
    facts = record.facts
    dependencies = [
        {"name": f"{kind}/{name}", "digest": {"sha512": digest}}
        for kind in ("source", "data")
        for name, digest in sorted(facts.get(kind, {}).items())
    ]
    keys = ("name", "date", "status", "system", "knobs", "seeds", "outputs", "envelope", "corrects")
    command = ("command", "evidence")
    launch = ("waivers",)  # the verdict is a by-product, below
    study = ("plan", "runs", "cells")  # with the digest of each run's weights
    byproducts = []
    if "verdict" in facts:
        byproducts.append({"name": "verdict", "digest": {"sha512": facts["verdict"]}})
    return {
        "buildDefinition": {
            "buildType": "urn:goldenseal:record:1",
            "externalParameters": {
                k: facts[k] for k in (*keys, *command, *study, *launch) if k in facts
            },
            "internalParameters": {
                "numeric_class": facts.get("numeric_class", {}),
                **{k: facts[k] for k in ("environment",) if k in facts},
            },
            "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": {"id": "urn:goldenseal", "version": {"goldenseal": __version__}},
            "byproducts": byproducts,
        },
    }


def words_on_launch(record: Record) -> str:
    """What a reader should know of how its runs were launched; nothing when a verdict was green."""
    facts = record.facts
    if waivers := facts.get("waivers"):
        words = "; ".join(f"{name} ({reason})" for name, reason in sorted(waivers.items()))
        return f"launched under waivers of what did not hold: {words}"
    if record.kind.name == "evidence":
        told = facts["evidence"]
        return f"logged by {', '.join(told['tools'])}; not known: {'; '.join(told['unknown'])}"
    if record.kind.name == "command":
        return ""  # no system, so there are no gates that could have been asked
    if record.status in ("measured", "incomplete") and "verdict" not in facts:
        return "no verdict covers what it ran: record.json has neither `verdict` nor `waivers`"
    return ""


def record_folders(root: Path) -> list[Path]:
    """Every folder `records/<track>/<record>`, sorted; also those that nobody sealed.

    A link to a folder is among them, so that a check can refuse it.
    """
    return sorted(p for p in (root / "records").glob("*/*") if p.is_dir() or p.is_symlink())
