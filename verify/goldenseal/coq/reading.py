"""What is judged without Coq: the sources, the constants, and the code that uses them.

A reading that found nothing is kept with the digest of each file that it read, so that an unchanged
tree is not read anew. One that found something never is: it is judged each time.
"""

import contextlib
import gc
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from goldenseal.coq import bridges, generate, index, project, recursion
from goldenseal.coq.actions import FOLDER
from goldenseal.coq.constants import Constant
from goldenseal.coq.literals import python_files, python_names, unproved_literals
from goldenseal.coq.project import FACT, Project
from goldenseal.coq.rules import source_findings
from goldenseal.coq.settings import Declared, Settings
from goldenseal.coq.usage import unused_constants
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.schema import CLOSED, parse

_FILE = "reading.json"


@dataclass(frozen=True)
class Reading:
    """What was found, how much is stated, and where each admitted recursion stands."""

    findings: tuple[str, ...]
    theorems: int
    facts: int
    recursions: dict[str, str]


@dataclass(frozen=True)
class _Kept:
    """A reading without findings. `files` maps what it read, named from the root, to digests;
    `digest` is that of all else here, and of what beside those files decides a reading.
    """

    __pydantic_config__ = CLOSED

    files: dict[str, str]
    reading: Reading
    digest: str


def read(root: Path, loaded: Project, known: Settings, declared: Declared, store: Path) -> Reading:
    """The kept reading where every file of it is the same, else a new one, kept when sound.

    Raises UsageError for a folder that is not there or a file that is not Python.
    """
    beside = _beside(loaded, known, declared)
    if kept := _still_holds(root, known, declared, beside, store):
        return kept
    with _collector_paused():
        tied = bridges.bridges(loaded)
        files = _digests(root, _names(root, known, declared, tied))
        reading = _read(root, loaded, known, declared, tied)
    if not reading.findings and files == _digests(root, files):  # else edited meanwhile
        _keep(store, files, reading, beside)
    return reading


def _read(
    root: Path, loaded: Project, known: Settings, declared: Declared, tied: list[bridges.Bridge]
) -> Reading:
    findings = code_findings(root, known, declared)
    findings += in_folder(readable_findings(loaded, declared.constants))
    findings += bridges.bridge_findings(root, tied)
    declarations = loaded.declarations()
    facts = sum(each.kind == FACT for each in declarations)
    return Reading(
        tuple(findings),
        sum(each.is_theorem for each in declarations) - facts,
        facts,
        {
            f"{each.file}:{each.line} {each.name}": f"on {each.argument}"
            for each in recursion.recursions(loaded)[0]
        },
    )


def _names(root: Path, known: Settings, declared: Declared, tied: list[bridges.Bridge]) -> set[str]:
    """Every file that decides a reading, those included whose absence does."""
    places = [place for each in tied for place in (*each.code, *each.tests)]
    tied_files = {place.partition(":")[0] for place in places}
    return {
        *_listed(root, known, declared),
        *filter(bridges.is_inside, tied_files),
        *(f"{FOLDER}/{name}" for name in (project.PROJECT_FILE, index.FILE)),
        bridges.FILE,
    }


def _listed(root: Path, known: Settings, declared: Declared) -> set[str]:
    """Those that are there because somebody put them into a folder that is searched."""
    theories = (path.relative_to(root).as_posix() for path in (root / FOLDER).rglob("*.v"))
    return {*theories, *python_names(root, known.scan, declared.homes)}


def _digests(root: Path, names: Iterable[str]) -> dict[str, str]:
    return {name: _digest(root / name) for name in names}


def _digest(path: Path) -> str:
    """A link is not what it leads to: a theory or a test that is a link is a finding."""
    try:
        data = path.read_bytes()
    except OSError:
        return "none"
    return hashlib.sha256(data).hexdigest() + (" link" if path.is_symlink() else "")


def _beside(loaded: Project, known: Settings, declared: Declared) -> str:
    """What decides a reading and is no file of the repository: the judge, and what was imported."""
    judge = [path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    homes = sorted((name, sorted(names)) for name, names in declared.homes.items())
    sources = [(source.file, source.text) for source in loaded.sources]
    return repr([sys.version, judge, known, declared.constants, homes, loaded.prefix, sources])


def _digest_of(files: dict[str, str], reading: Reading, beside: str) -> str:
    text = json.dumps([files, asdict(reading), beside], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _still_holds(
    root: Path, known: Settings, declared: Declared, beside: str, store: Path
) -> Reading | None:
    """The kept reading, unless it is not there, not whole, of other files or of another judge."""
    try:
        kept = parse(_Kept, json.loads((store / _FILE).read_text("utf-8")), _FILE)
    except (OSError, ValueError, UsageError, RecursionError):
        return None
    if kept.reading.findings or kept.digest != _digest_of(kept.files, kept.reading, beside):
        return None
    same = kept.files.keys() >= _listed(root, known, declared)
    return kept.reading if same and kept.files == _digests(root, kept.files) else None


def _keep(store: Path, files: dict[str, str], reading: Reading, beside: str) -> None:
    kept = _Kept(files, reading, _digest_of(files, reading, beside))
    with contextlib.suppress(OSError):  # a store that cannot be written costs time alone
        store.mkdir(parents=True, exist_ok=True)
        atomic_write(store / _FILE, json.dumps(asdict(kept), indent=1, sort_keys=True).encode())


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Syntax trees are hundreds of thousands of objects: looking through them for garbage, of
    which there is none, takes longer than making them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def code_findings(root: Path, known: Settings, declared: Declared) -> list[str]:
    """Numbers of the training code that are inexact where they stand, and constants not in use."""
    files = python_files(root, known.scan, declared.homes)
    return [*unproved_literals(files, declared.homes), *unused_constants(files, declared.homes)]


def readable_findings(loaded: Project, constants: list[Constant]) -> list[str]:
    """What is wrong with the sources, before compiling."""
    findings = source_findings(loaded)
    findings += [fault for each in constants if (fault := each.fault)]
    findings += _constant_findings(loaded, constants)
    declarations = loaded.declarations()
    findings += index.missing_words(declarations)
    findings += index.index_findings(loaded.folder, index.index(declarations))
    return findings


def _constant_findings(loaded: Project, constants: list[Constant]) -> list[str]:
    """Constants without theorem, theorems without constant, and any other drift of the file."""
    source = next((each for each in loaded.sources if each.file == generate.FILE), None)
    if source is None:
        return [
            f"{generate.FILE}: is not listed, so {each.name} has no theorem" for each in constants
        ]
    fresh = generate.constants_file(constants, loaded.prefix)
    if source.text == fresh:
        return []
    ask = "run `goldenseal theorems refresh`"
    proved, used = generate.proved_names(source.sentences), {each.name for each in constants}
    findings = [f"{source.file}: {name} has no theorem; {ask}" for name in sorted(used - proved)]
    findings += [
        f"{source.file}: has a theorem for {name}, which the code has no more; {ask}"
        for name in sorted(proved - used)
    ]
    lines = zip(source.text.splitlines(), fresh.splitlines(), strict=False)
    line = next((n for n, (old, new) in enumerate(lines, 1) if old != new), None)
    place = f"{source.file}:{line}" if line else source.file
    return findings or [f"{place}: differs from what the code says; {ask}"]


def in_folder(findings: list[str] | tuple[str, ...]) -> list[str]:
    """Findings about files of the folder, named from the root; others as they are."""
    return [
        f"{FOLDER}/{each}" if each.split(":")[0].endswith((".v", ".md", ".json")) else each
        for each in findings
    ]
