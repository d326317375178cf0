"""An audit as one self-contained HTML page."""

from pathlib import Path

from goldenseal.audit.model import LIMITS, Audit
from goldenseal.disk.pages import page_of

TEMPLATE = Path(__file__).with_name("audit.html")


def page(made: Audit) -> str:
    """The page. Everything in it is escaped, for records are text of strangers.

    Raises CannotCheckError when jinja2 is missing.
    """
    rows = [(Path(verdict.record).name or verdict.record, verdict) for verdict in made.verdicts]
    return page_of(TEMPLATE, rows=rows, counts=made.counts(), limits=LIMITS)
