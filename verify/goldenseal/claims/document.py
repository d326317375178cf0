"""A document as claims see it, by its kind: Markdown, LaTeX, or a picture that holds numbers."""

from goldenseal.claims.documents import latex, markdown, svg
from goldenseal.claims.documents.model import Bound, Document, Exemption

__all__ = ["Bound", "Document", "Exemption", "parse"]
READERS = {".tex": latex.read, ".ltx": latex.read, ".svg": svg.read}


def parse(name: str, source: str) -> Document:
    """Read a document. What is wrong with it is among its findings; nothing is raised."""
    document = Document(name, source)
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    READERS.get(ending, markdown.read)(document)
    return document
