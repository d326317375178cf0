"""A record as one HTML page: what it is, whether it is intact, its runs as curves, its files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldenseal.claims.documents.safe_html import to_html
from goldenseal.disk.files import read_small
from goldenseal.disk.pages import page_of
from goldenseal.errors import GoldensealError
from goldenseal.grids.analysis import p_text
from goldenseal.records.check import SUMS, CheckReport, check, parse_sums
from goldenseal.records.record import Record, read_record
from goldenseal.report.claims import claims_on
from goldenseal.report.curves import pictures
from goldenseal.report.study import run_logs, study_pictures, study_tables
from goldenseal.report.table import Table
from goldenseal.reproduce.explain import explain
from goldenseal.runlog import read_run_log

MAX_README_BYTES = 1 << 20
P_KEY = re.compile(r"p|p_\w+|p[_-]?values?")
TEMPLATE = Path(__file__).with_name("record.html")


def record_page(root: Path, folder: Path, against: str = "") -> str:
    """The page on one record, with its difference to another one when `against` names it.

    Raises UsageError when the folder is no record, CannotCheckError when a package is missing.
    """
    record, report = read_record(folder), check(folder)
    other = explain(root, str(folder), against) if against else None
    return page_of(
        TEMPLATE,
        record=record,
        facts=heading(record),
        report=report,
        readme=readme(folder),
        tables=[table for table in (*tables(record), claims_on(root, folder)) if table.rows],
        results=study_pictures(record),
        pictures=pictures({run: lines for run, (_, lines) in logs_by_file(record).items()}),
        files=files(folder, report),
        other=other,
    )


def heading(record: Record) -> list[tuple[str, str]]:
    """What stands on top, in words."""
    facts = record.facts
    rows = [("status", record.status), ("date", str(facts["date"]))]
    if facts["seeds"]:
        rows.append(("seeds", ", ".join(map(str, facts["seeds"]))))
    rows += [(key, str(facts[key])) for key in ("system", "corrects") if key in facts]
    return rows


def tables(record: Record) -> list[Table]:
    """Results, knobs, environment, data: whatever of them the record has."""
    facts = record.facts
    pairs = ("name", "value")
    results = study_tables(record) or [Table("Results", pairs, flat(facts.get("results", {})))]
    return [
        *results,
        Table("Knobs", pairs, flat(facts.get("knobs", {}))),
        Table("Numeric class", pairs, flat(facts.get("numeric_class", {}))),
        Table("Data", ("file", "SHA-512"), flat(facts.get("data", {}))),
    ]


def flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, ...]]:
    """(dotted name, value as text) of each leaf, sorted by name."""
    rows: list[tuple[str, ...]] = []
    for key, value in sorted(facts.items()):
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", leaf(key, value)))
    return rows


def leaf(key: str, value: Any) -> str:
    """A value as text: a float at ten digits, in a list at six, a p at two."""
    if isinstance(value, list):
        return ", ".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in value)
    if not isinstance(value, float):
        return str(value)
    return p_text(value) if P_KEY.fullmatch(key) else f"{value:.10g}"


def logs_by_file(record: Record) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """(file, lines) of each run log, by seed or by cell; a log that cannot be read is left to the
    check above.
    """
    found = {}
    for seed, name in sorted(record.facts.get("logs", {}).items()):
        try:
            found[f"seed {seed}"] = name, read_run_log(record.folder / name, complete=False)
        except GoldensealError:
            continue
    return found | {cell: (name, lines) for cell, name, lines in run_logs(record)}


def files(folder: Path, report: CheckReport) -> list[tuple[str, str, str]]:
    """(name, bytes, SHA-512) of what the seal covers."""
    if report.identity is None:
        return []
    rows = []
    for name, digest in parse_sums(read_small(folder / SUMS, 64 * MAX_README_BYTES)).items():
        path = folder / name
        size = str(path.lstat().st_size) if path.is_file() and not path.is_symlink() else "missing"
        rows.append((name, size, digest))
    return rows


def readme(folder: Path) -> str:
    """README.md as HTML; empty when there is none."""
    path = folder / "README.md"
    if not path.is_file() or path.is_symlink():
        return ""
    return to_html(read_small(path, MAX_README_BYTES).decode("utf-8", errors="replace"))
