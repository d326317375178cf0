"""Every record under records/ is sealed and intact."""

from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.records.check import check
from goldenseal.records.record import record_folders
from goldenseal.result import GateResult, conclude

NAME = "seals"


def check_seals(root: Path) -> GateResult:
    """Check all records; one that nobody sealed is a finding."""
    findings, files = [], 0
    folders = record_folders(root)
    for folder in folders:
        where = folder.relative_to(root).as_posix()
        try:
            report = check(folder)
        except UsageError as error:
            findings.append(f"{where}: {error}")
            continue
        files += report.files
        findings += [f"{where}: {reason}" for reason in report.reasons()]
    if not folders:
        findings.append("records/ holds no record")
    return conclude(NAME, f"{len(folders)} records, {files} files", findings)
