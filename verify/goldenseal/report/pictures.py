"""The curves of a sealed record as files, for documents whose claims are judged."""

import re
from pathlib import Path

from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.records.check import check
from goldenseal.records.record import read_record
from goldenseal.records.sums import refuse_inside_sealed
from goldenseal.report.bound import Origin
from goldenseal.report.curves import pictures
from goldenseal.report.page import logs_by_file

SHORT = 16  # hex digits of an identity


def write_pictures(folder: Path, out: Path) -> list[str]:
    """Draw each curve of a sealed record into a file of the folder `out`, whose names it returns.

    Raises UsageError for a record that is not sealed and intact, or a folder that is.
    """
    report = check(folder)
    if not report.holds:
        raise UsageError(f"{folder.name}: {report.reasons()[0]}: only what is sealed can be bound")
    refuse_inside_sealed(out / "picture.svg")
    identity = str(report.identity)[:SHORT]
    runs = logs_by_file(read_record(folder))
    origins = {run: Origin(identity, file) for run, (file, _) in runs.items()}
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for title, svg in pictures({run: lines for run, (_, lines) in runs.items()}, origins).items():
        names.append(re.sub(r"[^A-Za-z0-9_.-]+", "-", title) + ".svg")
        atomic_write(out / names[-1], svg.encode())
    return names
