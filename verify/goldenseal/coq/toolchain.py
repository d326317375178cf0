"""The Coq on this machine: whether it is one we know, and how to run it undisturbed."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from goldenseal.errors import CannotCheckError, UsageError

INSTALL = "apt-get install -y coq libcoq-flocq libcoq-interval"
OLDEST, NEWEST = (8, 16), (8, 20)  # the sources are written for these, both included
OLDEST_FLOCQ, NO_FLOCQ = (4, 1), (5, 0)
# Left alone, coqc makes a young heap of 256 MiB for the second that it runs, a fifth of its time,
# and coqchk one of 2 MiB, which it collects for a tenth of its time. The old heap of coqc is hardly
# worth collecting; that of coqchk is, since it grows with all the libraries.
_COQC_HEAP, _COQCHK_HEAP = "s=256k,o=1000", "s=1M,o=200"  # young: words; old: percent of waste
_LIBRARY_FOLDERS = {"Coq": "theories", "Flocq": "user-contrib/Flocq"}


@dataclass(frozen=True)
class Toolchain:
    """`version` is Coq's, `flocq` the library's; `root` holds all libraries."""

    coqc: str
    coqchk: str
    version: str
    flocq: str
    root: Path

    def run(
        self, program: str, arguments: list[str], *, cwd: Path, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """Run `coqc` or `coqchk` with stdout and stderr merged.

        Raises CannotCheckError when it does not end within `seconds`.
        """
        heap = _COQCHK_HEAP if program == self.coqchk else _COQC_HEAP
        try:
            return subprocess.run(
                [program, *arguments],
                cwd=cwd,
                env=environment(cwd) | {"OCAMLRUNPARAM": heap},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotCheckError(
                f"{Path(program).name} {arguments[-1]} did not end within {seconds:.0f} s"
            ) from None

    def library_file(self, library: str, module: str) -> tuple[str, Path]:
        """Logical name and `.vo` of a library module named as `From library Require module` does.

        Raises UsageError when no file, or more than one, has that name.
        """
        folder = self.root / _LIBRARY_FOLDERS[library]
        exact = folder / (module.replace(".", "/") + ".vo")
        files = [exact]
        if not exact.is_file():
            files = sorted(folder.rglob(exact.relative_to(folder).as_posix()))
        if len(files) != 1:
            raise UsageError(
                f"{library}.{module}: {len(files)} library files have this name; write it in full"
            )
        inner = files[0].relative_to(folder).with_suffix("").as_posix().replace("/", ".")
        return f"{library}.{inner}", files[0]


def environment(home: Path) -> dict[str, str]:
    """An environment in which no file of the user's can stand in for a library."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "XDG_DATA_DIRS": str(home),
        "LC_ALL": "C.UTF-8",
    }


def find() -> Toolchain:
    """The installed Coq with Flocq.

    Raises CannotCheckError, with the line to type, when one is absent or of an unknown version.
    """
    coqc, coqchk = shutil.which("coqc"), shutil.which("coqchk")
    if not coqc or not coqchk:
        raise CannotCheckError(f"Coq is not installed; type: {INSTALL}")
    version = re.search(r"version (\d+)\.(\d+)[\w.+]*", _ask(coqc, "--version"))
    if not version:
        raise CannotCheckError(f"{coqc} does not tell its version; type: {INSTALL}")
    if not OLDEST <= (int(version[1]), int(version[2])) <= NEWEST:
        raise CannotCheckError(
            f"Coq {version[1]}.{version[2]} is not one of {OLDEST[0]}.{OLDEST[1]} to "
            f"{NEWEST[0]}.{NEWEST[1]}, the versions that the proofs are known for; type: {INSTALL}"
        )
    checker = re.search(r"version (\d+\.\d+[\w.+]*)", _ask(coqchk, "--version"))
    if not checker or checker[1] != version[0].removeprefix("version "):
        checked_by = checker[1] if checker else "without a version"
        raise CannotCheckError(f"coqchk is {checked_by}, but coqc is {version[0]}; type: {INSTALL}")
    root = Path(_ask(coqc, "-where").strip())
    return Toolchain(
        coqc, coqchk, version[0].removeprefix("version "), _flocq(root / "user-contrib/Flocq"), root
    )


def _flocq(folder: Path) -> str:
    """Flocq's version, from the source that it installs beside the compiled file."""
    if not (folder / "Core/Core.vo").is_file():
        raise CannotCheckError(f"Coq has no Flocq; type: {INSTALL}")
    try:
        version = re.search(r'"(\d+)\.(\d+)[\d.]*"', (folder / "Version.v").read_text("utf-8"))
    except OSError:
        version = None
    if not version or not OLDEST_FLOCQ <= (int(version[1]), int(version[2])) < NO_FLOCQ:
        named = version[0].strip('"') if version else "without a version"
        raise CannotCheckError(f"Flocq {named} is not 4.1 or a later 4; type: {INSTALL}")
    return version[0].strip('"')


def _ask(program: str, question: str) -> str:
    try:
        done = subprocess.run(
            [program, question], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotCheckError(f"{program} {question}: {error}; type: {INSTALL}") from None
    return done.stdout
