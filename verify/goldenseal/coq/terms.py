"""The parts of a Coq term that matter to a recursion: brackets, matches, branches, patterns.

A term is read as a list of atoms, not parsed: notations cannot be known without Coq. What does not
read plainly is UnreadableError, and then nothing is admitted.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from goldenseal.coq.lexer import Token

OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = frozenset(OPENING.values())
_SINGLE = frozenset("()[]{},;.'`")  # characters that never join the ones beside them
KEYWORDS = frozenset(
    "as at cofix else end exists exists2 fix for forall fun if in is let match return struct then "
    "where with".split()
)
STRING = '"'  # stands for any string literal


class UnreadableError(Exception):
    """The term is not of a form that this module reads; the text says what is in the way."""


@dataclass(frozen=True)
class Atom:
    """A word, a bracket, or a run of other characters such as `=>` or `||`."""

    text: str
    line: int

    @property
    def is_name(self) -> bool:
        """Whether it is an identifier, qualified or not, and no keyword, number or `_`."""
        first = self.text[0]
        return (first.isalpha() or first == "_") and self.text != "_" and self.text not in KEYWORDS


def atoms(tokens: Sequence[Token]) -> list[Atom]:
    """Runs of glued symbols joined as Coq's lexer joins them, as far as that matters here."""
    read: list[Atom] = []
    joins = False  # whether the last atom is a run that may go on
    for token in tokens:
        text = STRING if token.is_string else token.text
        symbol = not (token.is_string or text[0].isalnum() or text[0] == "_" or text in _SINGLE)
        last = read[-1].text if read else ""
        if symbol and joins and token.glued and last not in (":=", "=>"):
            read[-1] = Atom(last + text, read[-1].line)
        elif text in CLOSING and token.glued and last == "|":
            read[-1:] = [Atom("|" + text, token.line), Atom(text, token.line)]  # {| ... |}
        elif text == "|" and token.glued and last in OPENING:
            read.append(Atom(last + text, token.line))
        else:
            read.append(Atom(text, token.line))
        joins = symbol
    return read


class Term:
    """A list of atoms with the questions that a recursion's shape asks. Ranges are half-open."""

    def __init__(self, parts: Sequence[Atom]):
        self.parts = parts

    def __getitem__(self, at: int) -> str:
        return self.parts[at].text

    def __len__(self) -> int:
        return len(self.parts)

    def texts(self, start: int, stop: int) -> list[str]:
        """The atoms' texts."""
        return [part.text for part in self.parts[start:stop]]

    def names(self, start: int, stop: int) -> set[str]:
        """Every identifier in a range."""
        return {part.text for part in self.parts[start:stop] if part.is_name}

    def closing(self, at: int) -> int:
        """Where the bracket that opens at `at` closes."""
        stack = []
        for place in range(at, len(self)):
            text = self[place]
            if text in OPENING:
                stack.append(OPENING[text])
            elif text in CLOSING:
                if stack.pop() != text:
                    break
                if not stack:
                    return place
        raise UnreadableError(f"`{self[at]}` is not closed")

    def end(self, at: int) -> int:
        """Where the match that begins at `at` has its `end`."""
        at_end = self.find(at + 1, len(self), ("end",))
        if at_end is None:
            raise UnreadableError("a `match` has no `end`")
        return at_end

    def find(self, start: int, stop: int, wanted: Collection[str]) -> int | None:
        """The first of the wanted atoms that stands in no bracket and in no match of the range."""
        at = start
        while at < stop:
            text = self[at]
            if text in wanted:
                return at
            if text in CLOSING:
                raise UnreadableError(f"`{text}` closes nothing")
            if text in OPENING:
                at = self.closing(at)
            elif text == "match":
                at = self.end(at)
            at += 1
        return None

    def split(self, start: int, stop: int, separator: str) -> Iterator[tuple[int, int]]:
        """The ranges between separators that stand in no bracket and in no match."""
        while True:
            at = self.find(start, stop, (separator,))
            yield start, stop if at is None else at
            if at is None:
                return
            start = at + 1

    def strict_parts(self, start: int, stop: int) -> set[str]:
        """Variables of a pattern that stand for strict parts of what it matches.

        Those below a constructor: none in `k`, `(k)` and `S k as k`, k in `S k` and `h :: k`.
        """
        while stop - start > 1 and self[start] == "(" and self.closing(start) == stop - 1:
            start, stop = start + 1, stop - 1
        either = list(self.split(start, stop, "|"))
        if len(either) > 1:
            return set.intersection(*(self.strict_parts(*each) for each in either))
        alias = self.find(start, stop, ("as",))
        if alias is not None:
            return self.strict_parts(start, alias) - self.names(alias, stop)
        texts = self.texts(start, stop)
        if len(texts) < 2 or {"{", ":", "%", ":=", STRING, "'", "`", "."} & set(texts):
            return set()
        first = self.parts[start]
        if not (first.is_name or first.text in ("_", "(", "[", "@") or first.text.isdigit()):
            return set()
        if first.text == "@":
            return self.names(start + 2, stop)
        applied = first.is_name and (
            self.parts[start + 1].is_name or texts[1] in ("_", *OPENING) or texts[1].isdigit()
        )
        return self.names(start + applied, stop)
