"""An audit as one self-contained HTML page."""

from pathlib import Path

from goldenseal import __version__
from goldenseal.audit.model import LIMITS, Audit
from goldenseal.errors import CannotCheckError

TEMPLATE = Path(__file__).with_name("audit.html")


def page(made: Audit) -> str:
    """The page. Everything in it is escaped, for records are text of strangers.

    Raises CannotCheckError when jinja2 is missing.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise CannotCheckError("a page needs jinja2: pip install 'goldenseal[report]'") from None
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    rows = [(Path(verdict.record).name or verdict.record, verdict) for verdict in made.verdicts]
    text = template.render(rows=rows, counts=made.counts(), limits=LIMITS, version=__version__)
    return text + "\n"
