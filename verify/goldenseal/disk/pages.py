"""HTML pages from templates: everything is escaped, and a name that lacks is an error."""

from pathlib import Path
from typing import Any

from goldenseal import __version__
from goldenseal.errors import CannotCheckError


def page_of(template: Path, **names: Any) -> str:
    """The template over these names and `version`. Raises CannotCheckError without jinja2."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise CannotCheckError("a page needs jinja2: pip install 'goldenseal[report]'") from None
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made = environment.from_string(template.read_text(encoding="utf-8"))
    return made.render(version=__version__, **names) + "\n"
