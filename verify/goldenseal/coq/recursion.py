"""Finds every recursive definition of a project, and refuses those outside the admitted shape.

Admitted are `Fixpoint`, alone or mutual, and one `fix` in the term of a definition, of the shape
that `shape` describes. All other ways to recursion are refused, since Coq's guard checker, which
`coqc` and `coqchk` share, has accepted wrong ones: docs/theorems.md. Proofs by induction are no
recursion here: they use the principles that Coq derives from an inductive type.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from goldenseal.coq.lexer import Sentence
from goldenseal.coq.project import THEOREMS, Project, Source, command
from goldenseal.coq.shape import ShapeError, check_shape, read_function
from goldenseal.coq.terms import Atom, Term, UnreadableError, atoms

ASK = "is not admitted; see docs/theorems.md, recursion"
_RECURSIVE = {"Fixpoint", "cofix", "fix"}
_TERMS = ("Definition", "Example", "Let")  # commands whose term may hold a `fix`
_BEFORE = frozenset({"Local", "Global", "Let", "Polymorphic", "Monomorphic", "Time", "#"})
_NEVER = {
    "CoFixpoint": "a corecursive definition",
    "Equations": "a recursion compiled by a plugin",
    "Function": "a recursion compiled by a plugin",
    "Functional": "a principle of a recursion, derived by a plugin",
}
# Commands and options by which Coq puts into a term what its text does not show.
_HIDING = {
    "Canonical": "canonical structures",
    "Class": "type classes",
    "Coercion": "coercions",
    "Coercions": "coercions",
    "Instance": "type classes",
    ":>": "coercions",
}
_HIDING_OPTIONS = {
    ("Implicit", "Arguments"): "implicit arguments that are not declared",
    ("Strict", "Implicit"): "implicit arguments that are not declared",
    ("Contextual", "Implicit"): "implicit arguments that are not declared",
    ("Program", "Mode"): "obligations",
}


@dataclass(frozen=True)
class Recursion:
    """An admitted definition: its place, its name, and the argument that decreases."""

    file: str
    line: int
    name: str
    argument: str


def recursions(project: Project) -> tuple[list[Recursion], list[str]]:
    """(admitted, findings): one line, with file, line and name, for each recursion refused."""
    admitted: list[Recursion] = []
    findings = []
    words = _notation_words(project)
    hiding = next((each for source in project.sources for each in _hiding(source)), None)
    for source in project.sources:
        for sentence in source.sentences:
            name, line = _name(sentence), sentence.line
            try:
                judged = list(_judge(sentence))
                if judged and hiding:
                    raise UnreadableError(f"{hiding} could put into it what is not to be seen")
                parts = {atom.text for atom in atoms(sentence.tokens)} if judged else set()
                if parts & words:
                    raise UnreadableError(f"`{min(parts & words)}` is a notation of the project")
                admitted += [Recursion(source.file, line, *each) for each in judged]
            except (ShapeError, UnreadableError) as error:
                findings.append(f"{source.file}:{line}: {name}: {error}: this recursion {ASK}")
            except RecursionError:
                findings.append(f"{source.file}:{line}: {name}: is nested too deeply: it {ASK}")
    return admitted, findings


def _name(sentence: Sentence) -> str:
    """What the sentence defines, or the command itself."""
    words = command(sentence.words)[0]
    while words[:1] in (("Let",), ("Fixpoint",)) and words[1:2] == ("Fixpoint",):
        words = words[1:]
    return words[1] if len(words) > 1 and words[0][:1].isalpha() else words[0] if words else "?"


def _judge(sentence: Sentence) -> Iterator[tuple[str, str]]:
    """(name, decreasing argument) of every recursion in a sentence."""
    words = sentence.words
    stated = command(words)[0]
    first = stated[0] if stated else ""
    if first in _NEVER:
        raise UnreadableError(f"`{first}` is {_NEVER[first]}")
    if first not in THEOREMS and not _RECURSIVE & set(words):
        return  # nearly every sentence: a step of a proof
    parts = atoms(sentence.tokens)
    term = Term(parts)
    texts = term.texts(0, len(term))
    if "cofix" in texts:
        raise UnreadableError("`cofix` is a corecursive definition")
    if "Fixpoint" in texts:
        yield from _fixpoint(term, texts.index("Fixpoint"))
    elif "fix" in texts:
        if first not in _TERMS + THEOREMS or "Program" in words or ":=" not in texts:
            raise UnreadableError("`fix` outside the term of a definition")
        yield from _fixes(parts)
    elif first in THEOREMS and term.find(0, len(term), ("with",)) is not None:
        raise UnreadableError("theorems stated together by `with` are proved by a recursion")


def _fixpoint(term: Term, at: int) -> Iterator[tuple[str, str]]:
    before = term.texts(0, at)
    odd = [each for each in before if each not in _BEFORE | {"[", "]", "local", "global", "export"}]
    if odd:
        raise UnreadableError(f"`{odd[0]}` before `Fixpoint`")
    ranges = list(term.split(at + 1, len(term), "with"))
    functions = [read_function(term, *each) for each in ranges]
    for function, place in zip(functions, check_shape(term, functions), strict=True):
        yield function.name, function.arguments[place]


def _fixes(parts: list[Atom]) -> Iterator[tuple[str, str]]:
    """Each `fix` in a term: its body is taken to go on until a bracket or a branch ends."""
    term = Term(parts)
    for at, part in enumerate(parts):
        if part.text != "fix":
            continue
        stop = _region_end(term, at + 1)
        if term.find(at + 1, stop, ("with", "for")) is not None:
            raise UnreadableError("a mutual `fix` in a term; write `Fixpoint`")
        function = read_function(term, at + 1, stop)
        (place,) = check_shape(term, [function])
        yield function.name, function.arguments[place]


def _region_end(term: Term, start: int) -> int:
    """The first bracket that closes, or branch or match that ends, after `start`."""
    at = start
    while at < len(term) and term[at] not in (")", "]", "}", "end", "|"):
        if term[at] in ("(", "[", "{"):
            at = term.closing(at)
        elif term[at] == "match":
            at = term.end(at)
        at += 1
    return at


def _notation_words(project: Project) -> set[str]:
    """What the project's own notations read as: a recursion that holds one is not read plainly."""
    words_of: set[str] = set()
    for source in project.sources:
        for sentence in source.sentences:
            words = command(sentence.words)[0]
            if words[:1] == ("Notation",) and len(words) > 1 and words[1]:
                words_of.add(words[1])  # an abbreviation
            elif {"Notation", "Infix", "where"} & set(words):
                strings = [token.text for token in sentence.tokens if token.is_string]
                pieces = {piece for text in strings for piece in text[1:-1].split()}
                # A bare identifier that the right side uses is a variable of the notation.
                words_of |= {piece.strip("'") for piece in pieces - set(words)}
    return words_of


def _hiding(source: Source) -> Iterator[str]:
    for sentence in source.sentences:
        words = sentence.words
        stated = command(words)[0]
        runs = atoms(sentence.tokens) if ":" in words and ">" in words else []
        said = {*stated[:2], *(run.text for run in runs if run.text == ":>")}
        for word, what in _HIDING.items():
            if word in said:
                yield f"`{word}` ({source.file}:{sentence.line}, {what})"
        for option, what in _HIDING_OPTIONS.items():
            if option[0] in words and option in pairwise(words):
                yield f"`{' '.join(option)}` ({source.file}:{sentence.line}, {what})"
        if words[:3] == ("#", "[", "program"):
            yield f"`program` ({source.file}:{sentence.line}, obligations)"
