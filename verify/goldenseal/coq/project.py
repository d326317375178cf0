"""A folder of Coq files as its `_CoqProject` describes it: sources, requirements, declarations."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from goldenseal.coq.lexer import Sentence, sentences
from goldenseal.errors import UsageError

PROJECT_FILE = "_CoqProject"
LIBRARIES = ("Coq", "Flocq")  # the libraries that a project may require, by logical name

FACT = "Fact"  # by convention closed by computation: the gate demands that it rests on no axiom
THEOREMS = ("Theorem", "Lemma", "Corollary", "Proposition", "Remark", FACT)
DEFINITIONS = (
    "Definition", "Fixpoint", "CoFixpoint", "Inductive", "CoInductive", "Variant",
    "Record", "Structure", "Class", "Instance", "Example",
)  # fmt: skip
_PREFIXES = ("Local", "Global", "Program", "Polymorphic", "Monomorphic", "Time", "Export")


@dataclass(frozen=True)
class Declaration:
    """One named statement or definition: `kind` is its keyword, `name` is File.name."""

    kind: str
    name: str
    file: str
    line: int
    comment: str

    @property
    def is_theorem(self) -> bool:
        """True for what is proved, False for what is defined."""
        return self.kind in THEOREMS


@dataclass(frozen=True)
class Source:
    """One `.v` file. `module` is its name without the project's prefix."""

    file: str
    text: str

    @property
    def module(self) -> str:
        """The file's name without `.v`."""
        return self.file.removesuffix(".v")

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Raises UsageError for a comment, string or sentence that never ends."""
        return list(sentences(self.text, self.file))

    def declarations(self) -> Iterator[Declaration]:
        """Theorems and definitions that other files can name, in source order."""
        modules: list[tuple[str, str]] = []
        for sentence in self.sentences:
            words, local = command(sentence.words)
            if words[:1] in (("Module",), ("Section",)) and ":" not in words and "=" not in words:
                modules.append((words[0], words[-1]))
            elif words[:1] == ("End",) and modules and modules[-1][1] == words[-1]:
                modules.pop()
            elif len(words) > 1 and words[0] in THEOREMS + DEFINITIONS and not local:
                path = [self.module, *(name for kind, name in modules if kind == "Module")]
                comment = sentence.comments[-1] if sentence.comments else ""
                yield Declaration(
                    words[0], ".".join([*path, words[1]]), self.file, sentence.line, comment
                )

    def requires(self) -> Iterator[tuple[str, str, int]]:
        """(library or "", module, line) of everything that a Require names."""
        for sentence in self.sentences:
            words = sentence.words
            if "Require" not in words:
                continue
            at = words.index("Require")
            library = words[1] if words[0] == "From" and at == 2 else ""
            for token in sentence.tokens[at + 1 :]:
                if token.text not in ("Import", "Export"):
                    yield library, token.text, token.line


def command(words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """The sentence without attributes and prefixes, and whether one of them was `Local`."""
    local = False
    while words:
        if words[:2] == ("#", "["):
            end = words.index("]") if "]" in words else len(words) - 1
            local |= "local" in words[:end]
            words = words[end + 1 :]
        elif words[0] in _PREFIXES:
            local |= words[0] == "Local"
            words = words[1:]
        else:
            break
    return words, local


@dataclass(frozen=True)
class Project:
    """The sources in build order. `prefix` is the logical name that they share."""

    folder: Path
    prefix: str
    sources: tuple[Source, ...]
    description: str

    def declarations(self) -> list[Declaration]:
        """All declarations, in build order."""
        return [each for source in self.sources for each in source.declarations()]


def load(folder: Path) -> Project:
    """Read the project file and every source that it lists.

    The project file may hold `-Q . Name` (or `-R . Name`), file names and comments, and nothing
    else: a flag such as -type-in-type would change what a proof means.
    Raises UsageError naming the line that is not so, or a file that is missing or unreadable.
    """
    description = _read(folder / PROJECT_FILE)
    prefix, files = _parse(description)
    sources = tuple(Source(file, _read(folder / file)) for file in files)
    return Project(folder, prefix, sources, description)


def load_prefix(folder: Path) -> str:
    """The project's logical name alone, while a file that it lists is still to be written."""
    return _parse(_read(folder / PROJECT_FILE))[0]


def _parse(description: str) -> tuple[str, list[str]]:
    """Logical name and files, in order."""
    prefix, files = "", list[str]()
    for number, line in enumerate(description.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if match := re.fullmatch(r"-[QR] \. ([A-Za-z]\w*)", line):
            prefix = match[1]
        elif re.fullmatch(r"[A-Za-z]\w*\.v", line):
            if line in files:
                raise UsageError(f"{PROJECT_FILE}:{number}: lists {line} twice")
            files.append(line)
        else:
            raise UsageError(
                f"{PROJECT_FILE}:{number}: {line!r} is neither `-Q . Name` nor a .v file's name"
            )
    if not prefix:
        raise UsageError(f"{PROJECT_FILE}: has no line `-Q . Name`")
    if prefix in LIBRARIES:
        raise UsageError(f"{PROJECT_FILE}: {prefix} is the name of a library; choose another")
    return prefix, files


def _read(path: Path) -> str:
    if path.is_symlink():
        raise UsageError(f"{path.name}: is a link; a source must be a file of its own")
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path.name}: is not there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name}: cannot be read as UTF-8 text: {error}") from None


def unlisted(project: Project) -> list[str]:
    """`.v` files under the folder, at any depth, that the project file does not list."""
    listed = {source.file for source in project.sources}
    files = (path.relative_to(project.folder).as_posix() for path in project.folder.rglob("*.v"))
    return sorted(set(files) - listed)
