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
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path

from goldenseal.coq.checker import check_libraries, check_project
from goldenseal.coq.project import Project, Source
from goldenseal.coq.session import interrogate
from goldenseal.coq.toolchain import Toolchain
from goldenseal.disk.files import atomic_write

_SECONDS_PER_FILE = 120.0
_JOBS = 2  # processes of Coq at a time, of half a gigabyte each; the libraries' check is one
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
    with ThreadPoolExecutor(max_workers=_JOBS) as pool:
        libraries = pool.submit(check_libraries, project, toolchain, store)
        if failures := _compile_all(project, toolchain, work, pool, progress):
            first = next(source for source in project.sources if source.file in failures)
            return Build(key, {}, {}, (failures[first.file],))
        objects = {
            compiled: _digest(work / compiled)
            for compiled in (source.module + ".vo" for source in project.sources)
        }
        progress("coqchk, Print Assumptions")
        checked = pool.submit(check_project, project, toolchain, work)
        asked = pool.submit(interrogate, project, toolchain, work)
        findings = checked.result()
        printed, bad = asked.result()
        findings += bad
        shutil.rmtree(work / "session", ignore_errors=True)
        progress("coqchk, libraries")
        findings += libraries.result()
    return Build(key, objects, printed, tuple(findings))


def waits_for(project: Project) -> dict[str, set[str]]:
    """For each file, those that must be compiled before it: all of them earlier in build order.

    These are the files that it requires; and those that require it though they come earlier: they
    must fail for want of it, as they do when files are compiled one by one.
    """
    place = {source.module: number for number, source in enumerate(project.sources)}
    waits: dict[str, set[str]] = {source.file: set() for source in project.sources}
    for source in project.sources:
        for _, name, _ in source.requires():
            module = name.removeprefix(project.prefix + ".")
            if module in place and module != source.module:
                user, used = sorted((source.module, module), key=place.__getitem__, reverse=True)
                waits[user + ".v"].add(used + ".v")
    return waits


def _compile_all(
    project: Project,
    toolchain: Toolchain,
    work: Path,
    pool: ThreadPoolExecutor,
    progress: Callable[[str], None],
) -> dict[str, str]:
    """Compiles each file as soon as those before it are there; file -> why it does not compile.

    After a failure only files that stand earlier in build order are begun, so that the first
    failure in that order is found whichever came first.
    """
    waits = waits_for(project)
    waiting, running, done = list(project.sources), dict[Future[str | None], Source](), set[str]()
    failures: dict[str, str] = {}
    while True:
        for source in [each for each in waiting if waits[each.file] <= done]:
            waiting.remove(source)
            progress(f"coqc {source.file}")
            running[pool.submit(_compile, project, toolchain, work, source)] = source
        if not running:
            return failures
        for ended in wait(running, return_when=FIRST_COMPLETED).done:
            source = running.pop(ended)
            if failure := ended.result():
                failures[source.file] = failure
                later = project.sources[project.sources.index(source) :]
                waiting = [each for each in waiting if each not in later]
            else:
                done.add(source.file)


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
