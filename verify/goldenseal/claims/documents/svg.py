"""Numbers that a command drew into an SVG, bound where they were drawn.

A group or text whose `id` is `claim:loss`, or which has `data-claim="loss"`, holds one number, and
that is the claim `loss`. In matplotlib: `axes.text(x, y, "2.6627", gid="claim:loss")`. Where
letters are drawn as outlines the number is read from the comment that matplotlib puts beside them.
Definitions may stand in a comment of the picture, or in the document that shows it. Ticks and other
numbers of a picture are not looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

from goldenseal.claims.documents.model import Bound, Document
from goldenseal.claims.documents.world import NAME, World
from goldenseal.claims.numerals import NUMERAL, read_numeral
from goldenseal.claims.text import hide

CLAIM_ID = re.compile(rf"claim:({NAME})")
ATTRIBUTE = "data-claim"


def read(document: Document) -> None:
    """Put the bound numbers of a picture into `document`."""
    world = World(document)
    source = document.source
    if "<!ENTITY" in source:
        world.bad(1, "an SVG with entities of its own is not read")
        return
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    try:
        root = ElementTree.fromstring(source, parser)
    except (ElementTree.ParseError, ValueError) as error:
        world.bad(1, f"no SVG: {error}")
        return
    title = next((_said(e) for e in root.iter() if _local(e) == "title"), "")
    for element in root.iter():
        if _is_comment(element):
            words = (element.text or "").split()
            if words[:1] == ["claims"]:
                world.define((element.text or "").lstrip()[len("claims") :], 1)
        elif name := _name(element):
            _bind(world, name, element, title)


def of_picture(document: Document, name: str, source: str) -> None:
    """Put the bound numbers of a picture into the document that shows it."""
    drawn = Document(name, source)
    read(drawn)
    document.bound += [replace(b, file=name, offset=-1) for b in drawn.bound]
    document.findings += [replace(f, document=name) for f in drawn.findings]
    for claim, (_, entry) in drawn.definitions.items():
        if document.definitions.get(claim, (0, entry))[1] != entry:
            World(document).bad(1, f"{claim} is defined here and, otherwise, in {name}")
        document.definitions.setdefault(claim, (1, entry))


def _bind(world: World, name: str, element: ElementTree.Element, title: str) -> None:
    text = _said(element)
    line = _line(world.document.source, name)
    numerals = list(NUMERAL.finditer(hide(text, heading=False)))
    if len(numerals) != 1:
        world.bad(line, f"the drawn text of {name}, {text!r:.60}, has {len(numerals)} numerals: "
                  "one is bound at a time")  # fmt: skip
        return
    match = numerals[0]
    world.block += 1
    world.document.bound.append(
        Bound(
            name,
            read_numeral(match[0]),
            line,
            -1,
            text[: match.start()],
            text[match.end() :],
            (text, title),
            "",
            text=text,
            start=match.start(),
            block=world.block,
        )
    )


def _name(element: ElementTree.Element) -> str:
    if given := element.get(ATTRIBUTE):
        return given
    match = CLAIM_ID.fullmatch(element.get("id", ""))
    return match[1] if match else ""


def _said(element: ElementTree.Element) -> str:
    """The text of an element; that of comments where it has none."""
    text = "".join(_texts(element, comments=False)).strip()
    return " ".join((text or "".join(_texts(element, comments=True))).split())


def _texts(element: ElementTree.Element, comments: bool) -> Iterator[str]:
    if _is_comment(element) == comments:
        yield element.text or ""
    for child in element:
        yield from _texts(child, comments)
        if not comments:
            yield child.tail or ""


def _is_comment(element: ElementTree.Element) -> bool:
    return not isinstance(element.tag, str)  # the tag of a comment is the function that makes it


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _line(source: str, name: str) -> int:
    for spelt in (f'"claim:{name}"', f"'claim:{name}'", f'"{name}"', f"'{name}'"):
        if (place := source.find(spelt)) >= 0:
            return source.count("\n", 0, place) + 1
    return 1
