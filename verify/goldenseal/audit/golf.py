"""The parameter-golf form: one folder a record with README, submission files, logs and a script."""

import re
from pathlib import Path

from goldenseal.audit import reader
from goldenseal.audit.checks import (
    assigned,
    averages,
    figures,
    headline,
    history,
    identity,
    impossible,
    improvement,
    listed,
    physics,
    prose,
    quoted,
    readme,
    score,
    seeds,
    sizes,
    spread,
    statistics,
    times,
)
from goldenseal.audit.chosen import choose
from goldenseal.audit.evidence import evidence_names, is_evidence, problem, read_evidence
from goldenseal.audit.model import Certainty, Notes, Record
from goldenseal.audit.readme_tables import read_readme
from goldenseal.audit.submission import read_submission

SIZES = "SCRIPT_SIZES"
LONG = re.compile(rb"bits?[-_ ]*(?:/|per)[-_ ]*byte", re.IGNORECASE)
MAX_STUB = 4096  # bytes of a script that only executes another file
CHECKS = (
    headline,
    score,
    seeds,
    spread,
    sizes,
    times,
    identity,
    physics,
    readme,
    prose,
    quoted,
    figures,
    averages,
    assigned,
    statistics,
    improvement,
    impossible,
    listed,
    history,
)


class GolfForm:
    """Reads and checks records of this form."""

    name = "parameter-golf"

    def matches(self, folder: Path) -> bool:
        """A submission file, or a log of bits a byte, within or in its folder of logs."""
        names = reader.scan(folder, depth=0)
        if any(reader.is_submission(name) for name in names):
            return True
        logs = evidence_names(folder, names)
        return any(
            b"bpb" in (ends := reader.ends(folder, name)) or LONG.search(ends) for name in logs
        )

    def read(self, folder: Path) -> Record:
        """The folder's claims and runs. Executes nothing and follows no link."""
        record = Record(folder, folder.name or str(folder))
        files = reader.scan(folder)
        _submissions(record, files)
        _scripts(record, files)
        _readme(record, files)
        for name in files:
            if is_evidence(name) and not reader.is_submission(name):
                read_evidence(record, name)
        _seeds_of_tables(record)
        _seeds_by_name(record)
        choose(record)
        return record

    def check(self, record: Record, notes: Notes) -> None:
        """Every check, each on its own subject."""
        for check in CHECKS:
            check.check(record, notes)


def _submissions(record: Record, files: dict[str, int]) -> None:
    names = [n for n in files if reader.is_submission(n) and "/" not in n]
    names = names or [n for n in files if reader.is_submission(n)]
    for name in names:
        data = reader.read(record.folder, name, reader.MAX_JSON)
        if data is None:
            problem(record, "submission", Certainty.AMBIGUOUS, name, "too large or unreadable")
            continue
        value, why = reader.parse_json(data)
        if why:
            certainty = Certainty.AMBIGUOUS if value is None else Certainty.NOTE
            problem(record, "submission", certainty, name, why)
        if value is not None:
            record.submissions.append(read_submission(name, value))
    for name in files:
        base = name.rsplit("/", 1)[-1].lower()
        if base.startswith(("submission", ".submission")) and not base.endswith(".json"):
            if re.search(r"json(?:~|\.(?:bak|swp|orig|old|save))$|\.sw[op]$", base):
                problem(record, "back-up-file", Certainty.NOTE, name, "left by an editor")


def _scripts(record: Record, files: dict[str, int]) -> None:
    for name, size in files.items():
        if name.endswith(".py"):
            record.scripts[name] = size
            data = reader.read(record.folder, name, reader.MAX_SCRIPT)
            if data:
                record.sources[name] = reader.decode(data)
            if not size:
                record.empty.append(name)
            elif size < MAX_STUB and "exec" in record.sources.get(name, ""):
                _read_by_stub(record, name, files)
    if SIZES in files:  # stands for scripts that were left out: their sizes, one a line
        listed = reader.decode(reader.read(record.folder, SIZES, reader.MAX_JSON) or b"")
        for match in re.finditer(r"^\s*(\d{1,12})\s+(\S.*?)\s*$", listed, re.MULTILINE):
            record.scripts.setdefault(match[2], int(match[1]))


def _read_by_stub(record: Record, name: str, files: dict[str, int]) -> None:
    """A stub counts with the files that it reads and executes."""
    folder = name.rpartition("/")[0]
    for named in re.findall(r"""["']([^"'\n]{1,200})["']""", record.sources[name]):
        path = f"{folder}/{named}" if folder else named
        if path in files and path != name:
            record.scripts[path] = files[path]


def _readme(record: Record, files: dict[str, int]) -> None:
    names = [n for n in files if n.lower() in ("readme.md", "readme.markdown", "readme")]
    if names:
        data = reader.read(record.folder, names[0], reader.MAX_README)
        if data is None:
            problem(record, "readme", Certainty.NOTE, names[0], "too large or unreadable")
        else:
            record.readme = read_readme(names[0], reader.decode(data))


def _seeds_of_tables(record: Record) -> None:
    """Whole numbers that no heading calls seeds are seeds where two of them are those of logs."""
    known = {run.seed for run in record.runs if run.seed is not None}
    known |= {log.named_seed for log in record.logs if log.named_seed is not None}
    readme = record.readme
    for table in readme.guessed if readme else ():
        cells = [cell for cell in readme.cells if cell.table == table] if readme else []
        if readme and len({cell.seed for cell in cells} & known) < 2:
            readme.cells = [cell for cell in readme.cells if cell.table != table]


def _seeds_by_name(record: Record) -> None:
    """A log that states no seed is of the claimed one that its name holds, as `run_1337.txt`."""
    claimed = set(record.claimed_seeds)
    for log in record.logs:
        named = {int(n) for n in re.findall(r"\d{1,10}", log.name)} & claimed
        if len(log.runs) == 1 and log.runs[0].seed is None and len(named) == 1:
            log.runs[0].seed = named.pop()
