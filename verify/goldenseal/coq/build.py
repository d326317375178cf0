"""Builds a project from clean in a folder of its own, and keeps what it found under the digest
of the sources, so that an unchanged tree costs a few file reads.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from goldenseal.coq.checker import check_libraries, check_project
from goldenseal.coq.project import Project, Source
from goldenseal.coq.session import interrogate
from goldenseal.coq.toolchain import Toolchain
from goldenseal.disk.files import atomic_write

_SECONDS_PER_FILE = 120.0
_RESULT = "result.json"
_JUDGES = ("axioms.py", "build.py", "checker.py", "session.py")  # whose judgement a build keeps


@dataclass(frozen=True)
class Build:
    """What the sources with this `key` compile to.

    `objects` maps each compiled file to its SHA-256, `statements` each exported name to what Coq
    prints for it; `findings` are one-line reasons why the project is not sound.
    """

    key: str
    objects: dict[str, str]
    statements: dict[str, str]
    findings: tuple[str, ...]


def store_of(root: Path) -> Path:
    """Where builds are kept, outside the source folder."""
    return root / ".goldenseal" / "coq"


def key_of(project: Project, toolchain: Toolchain) -> str:
    """Digest of everything that a build depends on, the code that judges it included."""
    parts = [(Path(__file__).parent / name).read_text("utf-8") for name in _JUDGES]
    parts += [toolchain.version, toolchain.flocq, str(toolchain.root), project.description]
    for source in project.sources:
        parts += [source.file, source.text]
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


def build(
    project: Project,
    toolchain: Toolchain,
    store: Path,
    progress: Callable[[str], None] = lambda text: None,
) -> Build:
    """The kept build of these sources, or a new one from clean.

    A build that stops at a compile error is not kept. Raises CannotCheckError when a tool does
    not end, UsageError when a required library module is not installed.
    """
    key = key_of(project, toolchain)
    home = store / key[:32]
    try:
        kept = json.loads((home / _RESULT).read_text("utf-8"))
        return Build(key, kept["objects"], kept["statements"], tuple(kept["findings"]))
    except (OSError, ValueError, KeyError, TypeError):
        shutil.rmtree(home, ignore_errors=True)
    store.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="building-", dir=store))
    try:
        result = _build(project, toolchain, store, work, key, progress)
        if len(result.objects) == len(project.sources):
            text = json.dumps(asdict(result), indent=1, sort_keys=True)
            atomic_write(work / _RESULT, text.encode())
            try:
                os.replace(work, home)
            except OSError:  # another process finished the same build first
                if not (home / _RESULT).is_file():
                    raise
        return result
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _build(
    project: Project,
    toolchain: Toolchain,
    store: Path,
    work: Path,
    key: str,
    progress: Callable[[str], None],
) -> Build:
    for source in project.sources:
        (work / source.file).write_text(source.text, "utf-8", newline="\n")
    with ThreadPoolExecutor(max_workers=1) as pool:
        libraries = pool.submit(check_libraries, project, toolchain, store)
        objects: dict[str, str] = {}
        for source in project.sources:
            progress(f"coqc {source.file}")
            if failure := _compile(project, toolchain, work, source):
                return Build(key, objects, {}, (failure,))
            compiled = source.module + ".vo"
            objects[compiled] = _digest(work / compiled)
        progress("coqchk")
        findings = check_project(project, toolchain, work)
        progress("Print Assumptions")
        printed, bad = interrogate(project, toolchain, work)
        findings += bad
        shutil.rmtree(work / "session", ignore_errors=True)
        progress("coqchk, libraries")
        findings += libraries.result()
    return Build(key, objects, printed, tuple(findings))


def _compile(project: Project, toolchain: Toolchain, work: Path, source: Source) -> str | None:
    """One line saying where, in what and why a file does not compile, or None when it does."""
    arguments = ["-q", "-noglob", "-w", "none", "-Q", ".", project.prefix, source.file]
    done = toolchain.run(toolchain.coqc, arguments, cwd=work, seconds=_SECONDS_PER_FILE)
    if done.returncode == 0:
        return None
    place = re.search(r'File "[^"]*", line (\d+)', done.stdout)
    message = " ".join(done.stdout.partition("Error:")[2].split()) or "coqc gave no reason"
    line = int(place[1]) if place else 1
    name = next((d.name for d in reversed([*source.declarations()]) if d.line <= line), "")
    within = f" ({name})" if name else ""
    return f"{source.file}:{line}: does not compile{within}: {message[:300]}"


def stale(project: Project, result: Build, store: Path) -> list[str]:
    """One line for each compiled file that is not what the current sources compile to.

    Looks at the kept build, and at what lies between the sources, where an editor or `make` may
    have left files that coqc would silently use.
    """
    findings = []
    home = store / result.key[:32]
    for name, digest in sorted(result.objects.items()):
        if not (home / name).is_file() or _digest(home / name) != digest:
            findings.append(
                f"{home.relative_to(store.parent.parent)}/{name}: is not what the sources compiled "
                f"to; remove {store.relative_to(store.parent.parent)}"
            )
    for path in sorted(project.folder.rglob("*.vo")):
        name = path.relative_to(project.folder).as_posix()
        if result.objects.get(name) != _digest(path):
            findings.append(
                f"{project.folder.name}/{name}: is stale: the current sources compile to another "
                "file; remove it"
            )
    return findings


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
