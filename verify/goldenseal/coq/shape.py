"""Whether recursive functions are of the one shape that is admitted.

Each recursive call stands applied, and its decreasing argument is a variable that a match binds to
a strict part of the structural argument, or of another such variable. The guard checkers of Coq
know more shapes, and were wrong about some: docs/theorems.md.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from goldenseal.coq.terms import CLOSING, KEYWORDS, OPENING, STRING, Term, UnreadableError

_BINDERS = frozenset({"fun", "forall", "exists", "exists2", "let", "λ", "∀", "∃", "Σ", "Π"})
_BEFORE_A_HEAD = frozenset({"else", "if", "in", "match", "return", "then", "with"})
_NOT_BEFORE_A_HEAD = ("@", "%", ".", "'", "`", STRING)  # as the end of a run of symbols
_MOST_CHOICES = 4096  # of a decreasing argument for each function
_UNSEEN = {
    "_": "a hole that Coq fills",
    "ltac": "a tactic in a term",
    "ltac2": "a tactic in a term",
    "fix": "a recursion inside a recursion",
    "cofix": "a recursion inside a recursion",
    "where": "a notation of its own",
    "`": "a generalised binder",
}


class ShapeError(Exception):
    """A recursion is outside the admitted shape; the text says where it leaves it."""


@dataclass(frozen=True)
class Function:
    """A recursive function: explicit arguments by name ("" for none), and the range of its body."""

    name: str
    arguments: tuple[str, ...]
    struct: str
    start: int
    stop: int

    @property
    def candidates(self) -> list[int]:
        """Positions of arguments on which it may be said to recurse."""
        wanted = {self.struct} if self.struct else set(self.arguments) - {""}
        once = {name for name in wanted if self.arguments.count(name) == 1}
        return [place for place, name in enumerate(self.arguments) if name in once]


def read_function(term: Term, start: int, stop: int) -> Function:
    """`name binders {struct x} : type := body`. Raises UnreadableError for any other form."""
    if start >= stop or not term.parts[start].is_name:
        raise UnreadableError("a recursion begins with the function's name")
    name, at, struct = term[start], start + 1, ""
    arguments: list[str] = []
    while at < stop and term[at] not in (":", ":="):
        text = term[at]
        if term.parts[at].is_name or text == "_":
            arguments.append("" if text == "_" else text)
        elif text == "(":
            close = term.closing(at)
            arguments += _binder(term, at + 1, close)
            at = close
        elif text in ("{", "["):
            close = term.closing(at)
            inner = term.texts(at + 1, close)
            if inner[:1] == ["struct"] and len(inner) == 2:
                struct = inner[1]
            elif {"wf", "measure", "struct", ":=", "`"} & set(inner):
                raise UnreadableError(f"`{{{' '.join(inner)}}}` is no plain binder")
            at = close
        else:
            raise UnreadableError(f"`{text}` among the binders of {name}")
        at += 1
    body = term.find(at, stop, (":=",))
    if body is None:
        raise UnreadableError(f"the body of {name} is left to tactics")
    if term.names(start + 1, body) & {name}:
        raise UnreadableError(f"{name} stands in its own type")
    return Function(name, tuple(arguments), struct, body + 1, stop)


def _binder(term: Term, start: int, stop: int) -> list[str]:
    """Names in `(a b : type)`."""
    colon = term.find(start, stop, (":",))
    names = term.texts(start, stop if colon is None else colon)
    if term.find(start, stop, (":=",)) is not None or not names:
        raise UnreadableError("a binder with a value")
    if not all(term.parts[start + place].is_name or n == "_" for place, n in enumerate(names)):
        raise UnreadableError(f"`({' '.join(names)})` is no plain binder")
    return ["" if name == "_" else name for name in names]


def check_shape(term: Term, functions: Sequence[Function]) -> list[int]:
    """Positions of the decreasing arguments of functions that call each other.

    Raises ShapeError, or UnreadableError for a term that cannot be judged.
    """
    names = {function.name for function in functions}
    if len(names) < len(functions):
        raise UnreadableError("two functions of one name")
    if math.prod(len(function.candidates) for function in functions) > _MOST_CHOICES:
        raise UnreadableError("too many arguments to choose from; write {struct x}")
    problem: ShapeError | None = None
    for places in itertools.product(*(function.candidates for function in functions)):
        walk = _Walk(term, dict(zip((f.name for f in functions), places, strict=True)))
        try:
            for function, place in zip(functions, places, strict=True):
                walk.body(function, function.arguments[place])
        except ShapeError as error:
            problem = problem or error
            continue
        if not walk.calls:
            raise ShapeError("no call of itself is to be seen; write `Definition`")
        return list(places)
    raise problem or ShapeError("has no argument that it could recurse on")


@dataclass(frozen=True)
class _Scope:
    """Names that stand for the structural argument (`whole`) and for strict parts of it."""

    whole: frozenset[str]
    parts: frozenset[str] = frozenset()

    def without(self, names: set[str]) -> "_Scope":
        return _Scope(self.whole - names, self.parts - names)


class _Walk:
    """Goes through bodies; `places` maps a function to its decreasing argument's position."""

    def __init__(self, term: Term, places: dict[str, int]):
        self.term, self.places, self.calls = term, places, 0
        self.structural = ""

    def body(self, function: Function, structural: str) -> None:
        """Every call in one body."""
        self.structural = structural
        self.term.find(function.start, function.stop, ())  # every bracket and match is closed
        self.walk(function.start, function.stop, _Scope(frozenset({structural})))

    def walk(self, start: int, stop: int, scope: _Scope) -> None:
        """A range in which `scope` holds; what it binds is taken to be bound to the range's end."""
        term, at = self.term, start
        while at < stop:
            text = term[at]
            if text in _UNSEEN:
                raise ShapeError(f"`{text}`: {_UNSEEN[text]}")
            if text in OPENING:
                close = term.closing(at)
                bound = {term[at + 1]} if text == "{" else set()
                self.walk(at + 1, close, scope.without(bound))
                at = close
            elif text == "match":
                end = term.end(at)
                self.match(at, end, scope)
                at = end
            elif text in _BINDERS:
                head = term.find(at + 1, stop, ("=>", ",", ":="))
                if head is None:
                    raise UnreadableError(f"`{text}` without what it binds for")
                self.no_call(at + 1, head, f"the binder of `{text}`")
                scope, at = scope.without(self.term.names(at + 1, head)), head
            elif text in self.places:
                self.call(at, stop, scope)
            at += 1

    def no_call(self, start: int, stop: int, where: str) -> None:
        """Refuse a function's name, and what could hide one, in a range where none belongs."""
        for text in self.term.texts(start, stop):
            if text in self.places or (text in _UNSEEN and text != "_"):
                raise ShapeError(f"`{text}` stands in {where}")

    def match(self, at: int, end: int, scope: _Scope) -> None:
        """`match a, b as .. in .. return .. with pattern => body | .. end`."""
        term = self.term
        begin = term.find(at + 1, end, ("with",))
        if begin is None:
            raise UnreadableError("a `match` without `with`")
        head = term.find(at + 1, begin, ("return",)) or begin
        self.no_call(head, begin, "the `return` of a match")
        columns = []
        for start, stop in term.split(at + 1, head, ","):
            scrutinee = term.find(start, stop, ("as", "in")) or stop
            self.no_call(scrutinee, stop, "the `as` or `in` of a match")
            self.walk(start, scrutinee, scope)
            alone = scrutinee - start == 1
            columns.append(alone and term[start] in scope.whole | scope.parts)
        place = begin + 1 + (term[begin + 1] == "|")
        while place < end:
            arrow = term.find(place, end, ("=>",))
            if arrow is None:
                raise UnreadableError("a branch of a `match` without `=>`")
            stop = term.find(arrow + 1, end, ("|",)) or end
            self.no_call(place, arrow, "a pattern")
            inner = scope.without(term.names(place, arrow))
            parts = inner.parts | self.parts(place, arrow, columns)
            self.walk(arrow + 1, stop, _Scope(inner.whole, parts))
            place = stop + 1

    def parts(self, start: int, stop: int, columns: list[bool]) -> set[str]:
        """Variables that every alternative of a pattern binds to a strict part."""
        parts = []
        for low, high in self.term.split(start, stop, "|"):
            patterns = list(self.term.split(low, high, ","))
            if len(patterns) != len(columns):
                return set()
            pairs = zip(patterns, columns, strict=True)
            parts.append({n for each, good in pairs if good for n in self.term.strict_parts(*each)})
        return set.intersection(*parts)

    def call(self, at: int, stop: int, scope: _Scope) -> None:
        """A function of the recursion by name: it must be applied, to a part of the argument."""
        term, name = self.term, self.term[at]
        self.calls += 1
        before = term[at - 1]
        head = before in OPENING or before in _BEFORE_A_HEAD
        if not head:
            symbol = not term.parts[at - 1].is_name and not before[0].isdigit()
            odd = before in CLOSING | KEYWORDS | {"?"} or before.endswith(_NOT_BEFORE_A_HEAD)
            head = symbol and not odd
        if not head or (before == "(" and term[at - 2] == "."):
            raise ShapeError(f"`{name}` is not applied, but given to `{before}`")
        place = at + 1
        for _ in range(self.places[name]):
            place = self.argument(place, stop, name)
        text = term[place] if place < stop else ""
        after = self.argument(place, stop, name)
        if text not in scope.parts or after != place + 1:
            wrong = " ".join(term.texts(place, after))
            raise ShapeError(
                f"the call `{' '.join(term.texts(at, after))}` is not on a variable that a match "
                f"binds to a part of `{self.structural}`, but on `{wrong}`"
            )

    def argument(self, at: int, stop: int, name: str) -> int:
        """Where the argument that begins at `at` ends."""
        term = self.term
        text = term[at] if at < stop else ""
        if text == "(":
            end = term.closing(at)
            if term.find(at + 1, end, (":=",)) is not None:
                raise ShapeError(f"`{name}` is given an argument by name")
            end += 1
        elif text and (term.parts[at].is_name or text[0].isdigit()):
            end = at + 1
        else:
            raise ShapeError(f"`{name}` stands without its decreasing argument")
        while end + 1 < stop and term[end] in ("%", "."):  # a scope, or a projection
            end = term.closing(end + 1) + 1 if term[end + 1] in OPENING else end + 2
        return end
