"""Records: folders `records/<track>/<date>_<Name>/` with a record.json that says what they are.

record.json, schema 1: `name`, `date`, `seeds`, `status` (baseline, proposal, measured, superseded,
refuted); for a run also `system`, `knobs` (every one, resolved, as text), `data` and `source`
(SHA-512 by file), `numeric_class`, `logs` (file by seed) and `outputs` (the files that a re-run
must repeat). Only a measured record may hold `results`, and it needs a log for each seed listed.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify import canonical
from verify.errors import UsageError

SCHEMA = 1
STATUSES = ("baseline", "proposal", "measured", "superseded", "refuted")
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
    "results": dict,
    "corrects": str,
    "verdict": str,
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

    def get(self, key: str) -> Any:
        """A fact that a run must have. Raises UsageError when this record has none."""
        if key not in self.facts:
            where = f"{self.folder.name}/record.json"
            raise UsageError(f"{where} has no `{key}`: not a record of a run")
        return self.facts[key]


def read_record(folder: Path) -> Record:
    """Read and validate record.json.

    Raises UsageError, one line, naming the key that is missing, unknown, ill-typed or at odds.
    """
    path = folder / "record.json"
    where = f"{folder.name}/record.json"
    if path.is_symlink() or not path.is_file():
        raise UsageError(f"{where} is missing: it says what the record is, see docs/records.md")
    facts = canonical.loads(path.read_bytes(), where)
    if not isinstance(facts, dict):
        raise UsageError(f"{where} is not a JSON object")
    types = REQUIRED | OPTIONAL
    for key in [*REQUIRED, *sorted(facts)]:
        if key not in facts:
            raise UsageError(f"{where} lacks `{key}`")
        if key not in types:
            raise UsageError(f"{where} has an unknown key `{key}`; it may have {sorted(types)}")
        if not isinstance(facts[key], types[key]):
            raise UsageError(f"{where}: `{key}` must be a {types[key].__name__}")
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
    logs = record.get("logs")
    for seed in facts["seeds"]:
        name = logs.get(str(seed))
        if not isinstance(name, str) or not (record.folder / name).is_file():
            raise UsageError(f"{where}: seed {seed} is listed, but `logs` names no log of it")
    if len(set(facts["seeds"])) != len(facts["seeds"]):
        raise UsageError(f"{where}: a seed is listed twice")
    if not facts["seeds"]:
        raise UsageError(f"{where}: a measured record lists its seeds")


def record_folders(root: Path) -> list[Path]:
    """Every folder `records/<track>/<record>`, sorted; also those that nobody sealed."""
    return sorted(p for p in (root / "records").glob("*/*") if p.is_dir() and not p.is_symlink())
