"""Runs coqchk, Coq's independent checker, over the libraries and over the project.

The libraries take half a minute and change only when somebody installs another Coq, so they are
checked apart from the project, while it compiles; the answer is kept with the digest of each
library file that was read. The project's own files are checked with the libraries admitted:
together the two runs check what one run over everything would.
"""

import hashlib
import json
import re
from pathlib import Path

from goldenseal.coq.axioms import ALLOWED, context, is_allowed
from goldenseal.coq.project import LIBRARIES, Project
from goldenseal.coq.rules import library_modules
from goldenseal.coq.toolchain import Toolchain
from goldenseal.disk.files import atomic_write

_SECONDS = 1200.0
_PREDICATIVE = "Set is predicative"
_SOUND_THEORY = {_PREDICATIVE, "Rewrite rules are not allowed"}  # the second since Coq 8.20


def check_libraries(project: Project, toolchain: Toolchain, store: Path) -> list[str]:
    """Findings about the library modules that the project requires, and all that they require.

    Raises UsageError for a module that is not installed.
    """
    modules = {toolchain.library_file(root, rest)[0] for root, rest in library_modules(project)} | {
        "Coq.Init.Prelude"
    }
    parts = [Path(__file__).read_text("utf-8"), *sorted(ALLOWED)]
    parts += [toolchain.version, str(toolchain.root), *sorted(modules)]
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    kept = store / f"libraries-{name[:32]}.json"
    if _still_holds(kept):
        return []
    done = toolchain.run(toolchain.coqchk, ["-o", *sorted(modules)], cwd=store, seconds=_SECONDS)
    findings = _verdict(done.returncode, done.stdout, "the libraries")
    findings += [
        f"coqchk: a library rests on {axiom}, not on the allow-list"
        for axiom in context(done.stdout).get("Axioms", [])
        if not is_allowed(axiom)
    ]
    files = sorted(set(re.findall(r"^\[intern (.+\.vo) \.\.\.", done.stdout, re.MULTILINE)))
    if not findings and files:
        digests = {file: _digest(Path(file)) for file in files}
        atomic_write(kept, json.dumps(digests, indent=1).encode())
    return findings


def _still_holds(kept: Path) -> bool:
    """Whether an earlier run found nothing, over library files that are still the same."""
    try:
        digests = json.loads(kept.read_text("utf-8"))
        return all(_digest(Path(file)) == digest for file, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False


def check_project(project: Project, toolchain: Toolchain, compiled: Path) -> list[str]:
    """Findings about the project's own compiled files."""
    arguments = ["-o", "-silent", "-Q", ".", project.prefix]
    for source in project.sources:
        arguments += ["-norec", f"{project.prefix}.{source.module}"]
    done = toolchain.run(toolchain.coqchk, arguments, cwd=compiled, seconds=_SECONDS)
    return _verdict(done.returncode, done.stdout, "the project") + [
        f"coqchk: the project assumes {axiom}"
        for axiom in context(done.stdout).get("Axioms", [])
        # What an admitted library seals in a module shows up here; check_libraries judges those.
        if axiom.partition(".")[0] not in LIBRARIES
    ]


def _verdict(code: int, printed: str, what: str) -> list[str]:
    """Findings that do not depend on which axioms are allowed."""
    sections = context(printed)
    if code or "Axioms" not in sections or "Theory" not in sections:
        return [f"coqchk refuses {what}: {' '.join(printed[-300:].split())}"]
    findings = []
    for title, entries in sections.items():
        if title == "Theory":
            if _PREDICATIVE not in entries or set(entries) - _SOUND_THEORY:
                findings.append(f"coqchk: {what}: the theory is {', '.join(entries) or 'unnamed'}")
        elif title != "Axioms" and entries:
            findings.append(f"coqchk: {what}: {title}: {', '.join(entries)}")
    return findings


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
