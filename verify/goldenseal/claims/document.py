"""A document as claims see it, by its kind: Markdown, LaTeX, or a picture that holds numbers.

The reader of a kind is loaded with the first document of it.
"""

from collections.abc import Callable

from goldenseal.claims.documents.model import Bound, Document, Exemption

__all__ = ["Bound", "Document", "Exemption", "parse"]


def parse(name: str, source: str) -> Document:
    """Read a document. What is wrong with it is among its findings; nothing is raised."""
    document = Document(name, source)
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    _reader(ending)(document)
    return document


def _reader(ending: str) -> Callable[[Document], None]:
    if ending in (".tex", ".ltx"):
        from goldenseal.claims.documents.latex import read
    elif ending == ".svg":
        from goldenseal.claims.documents.svg import read
    else:
        from goldenseal.claims.documents.markdown import read
    return read
