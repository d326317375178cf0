"""Generated parts of a hand-written document: between `<!-- NAME -->` and `<!-- /NAME -->`."""

from goldenseal.errors import UsageError


def replace_part(text: str, name: str, part: str, where: str) -> str:
    """`text` with `part` between the markers of `name`, on lines of its own.

    Raises UsageError unless each marker is there once, in order.
    """
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(first) != 1 or text.count(last) != 1 or text.index(first) > text.index(last):
        raise UsageError(f"{where}: expected `{first}` and after it `{last}`, each once")
    head, tail = text.split(first)[0], text.split(last)[1]
    return f"{head}{first}\n{part.strip()}\n{last}{tail}"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
