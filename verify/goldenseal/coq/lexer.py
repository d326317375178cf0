"""Lexer for Coq sources that knows nested comments and strings.

It finds what a proof script must not contain before anything is compiled: a text search would
trip over a word in a comment, and miss one behind a comment that ends inside a string.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from goldenseal.errors import UsageError


class Token(NamedTuple):
    """A word (a qualified name is one word), a string literal, or one other character.

    `glued` says that nothing, no white space and no comment, stands between it and the one before.
    """

    text: str
    line: int
    is_string: bool = False
    glued: bool = False


@dataclass(frozen=True)
class Sentence:
    """The tokens up to a full stop (not included), and the comments since the sentence before."""

    tokens: tuple[Token, ...]
    comments: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        """Line of the first token, from 1."""
        return self.tokens[0].line

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Token texts; a string literal becomes the empty word, which is no keyword."""
        return tuple("" if token.is_string else token.text for token in self.tokens)


# A word may hold dots between identifiers (`Z.max`), never at the end: there a dot ends a sentence.
# A number ends where Coq's does: in `do 1fix f 1` a keyword follows.
_WORD = (
    r"[^\W\d][\w']*(?:\.[^\W\d][\w']*)*"
    r"|0[xX][0-9a-fA-F][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]+)?(?:[pP][+-]?[0-9_]+)?"
    r"|[0-9][0-9_]*(?:\.[0-9_]+)?(?:[eE][+-]?[0-9_]+)?"
)
_PIECE = re.compile(
    r"(?P<space>\s+)|(?P<comment>\(\*)|(?P<string>\")|(?P<stop>\.(?=\s|\(\*|\Z))"
    rf"|(?P<word>{_WORD})|(?P<other>.)"
)
_LETTERS = ("Ll", "Lo", "Lt", "Lu")  # Unicode categories of what is a letter to Coq too
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"


def _is_odd(character: str) -> bool:
    """Whether Python takes it for a part of a word, and Coq perhaps not."""
    if character.isascii() or character in _SUBSCRIPTS or not character.isalnum():
        return False
    return unicodedata.category(character) not in _LETTERS


def _comment_end(text: str, start: int, file: str) -> int:
    """Offset after the comment that opens at `start`. Coq lexes strings inside comments too."""
    depth, at = 0, start
    while at < len(text):
        if text.startswith("(*", at):
            depth, at = depth + 1, at + 2
        elif text.startswith("*)", at):
            depth, at = depth - 1, at + 2
            if depth == 0:
                return at
        elif text[at] == '"':
            at = _string_end(text, at, file)
        else:
            at += 1
    raise UsageError(f"{file}:{_line(text, start)}: the comment opened here never ends")


def _string_end(text: str, start: int, file: str) -> int:
    """Offset after the string that opens at `start`; a doubled quote stays inside."""
    at = start + 1
    while (at := text.find('"', at)) >= 0:
        if not text.startswith('""', at):
            return at + 1
        at += 2
    raise UsageError(f"{file}:{_line(text, start)}: the string opened here never ends")


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def sentences(text: str, file: str = "<text>") -> Iterator[Sentence]:
    """The sentences of a source, in order.

    Raises UsageError, naming file and line, for a comment, string or sentence that never ends.
    """
    tokens: list[Token] = []
    comments: list[str] = []
    at, line, end = 0, 1, -1  # `end` is where the last token ended
    while piece := _PIECE.match(text, at):
        start, at, kind = at, piece.end(), piece.lastgroup
        if kind == "word" or kind == "other":
            word = piece[0]
            if not word.isascii():
                for odd in filter(_is_odd, word):  # `²fix` is a symbol and a keyword
                    raise UsageError(f"{file}:{line}: {odd!r} may be a letter or a symbol to Coq")
            tokens.append(Token(word, line, glued=start == end))
            end = at
        elif kind == "stop":
            if tokens:
                yield Sentence(tuple(tokens), tuple(comments))
            tokens, comments = [], []
        elif kind == "comment":
            at = _comment_end(text, start, file)
            if not tokens:
                comments.append(text[start:at])
        elif kind == "string":
            at = _string_end(text, start, file)
            tokens.append(Token(text[start:at], line, is_string=True, glued=start == end))
            end = at
        line += text.count("\n", start, at)
    if tokens:
        raise UsageError(f"{file}:{tokens[0].line}: the sentence that starts here never ends")
