"""Which page a folder gets."""

from pathlib import Path

from goldenseal.config import repository
from goldenseal.errors import UsageError
from goldenseal.report.page import record_page

RECORD = "record.json"


def page_on(path: Path, against: str = "") -> str:
    """The page on a record of ours, or else the audit of the records of others below `path`.

    Raises UsageError for what is neither, and for a comparison of what is no record of ours.
    """
    if (path / RECORD).is_file():
        return record_page(repository(), path, against)
    if against:
        raise UsageError(f"--against compares records with a {RECORD}: {path} has none")
    from goldenseal.audit import command
    from goldenseal.audit.page import page

    found = command.audit([path], None, None, 0)
    return page(found)
