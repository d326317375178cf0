"""The sealed source of a record, found again: in the working tree, else in the git history.

A record seals its source by SHA-512 of each file. What has changed since is looked up, by that
digest, among all versions of the file that the repository's history holds. Nothing is checked out:
the versions are written to a folder of their own, so the working tree stays as it is.
"""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from goldenseal.disk.files import hash_file, problem_with_name

# A repository's own configuration must not run anything here, nor a user's change what is read.
SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.allow=never",
)
NO_CONFIG = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_OPTIONAL_LOCKS": "0"}


def restore_source(root: Path, sealed: Mapping[str, str], folder: Path) -> list[str]:
    """Write each sealed file (SHA-512 by path) into `folder`; returns the paths not found."""
    missing = []
    for name, digest in sorted(sealed.items()):
        target = folder / name
        if problem_with_name(name) is not None:
            missing.append(name)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        here = root / name
        if here.is_file() and not here.is_symlink() and hash_file(here) == digest:
            target.write_bytes(here.read_bytes())
        else:
            missing.append(name)
    if missing:
        for name, content in versions(root, missing):
            if name in missing and hashlib.sha512(content).hexdigest() == sealed[name]:
                (folder / name).write_bytes(content)
                missing.remove(name)
    return missing


def versions(root: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """(path, content) of every version of these files in the history of HEAD, newest first."""
    wanted = set(names)
    blobs = []
    for line in git(root, "rev-list", "--objects", "HEAD", "--", *names).decode().splitlines():
        blob, _, name = line.partition(" ")
        if name in wanted:
            blobs.append((name, blob))
    for name, blob in dict.fromkeys(blobs):
        yield name, git(root, "cat-file", "blob", blob)


def git(root: Path, *arguments: str) -> bytes:
    """What git prints; nothing when there is no git, no repository or no such object."""
    try:
        return subprocess.run(
            ["git", *SAFE, *arguments],
            cwd=root,
            env={**os.environ, **NO_CONFIG},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return b""
