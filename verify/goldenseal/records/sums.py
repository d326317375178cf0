"""SHA512SUMS, which coreutils can check: its one plain form, written and read."""

from collections.abc import Mapping
from pathlib import Path

from goldenseal.disk.files import is_sha512, problem_with_name
from goldenseal.disk.line_ends import REMEDY, as_lf
from goldenseal.errors import UsageError
from goldenseal.records.signing import ENVELOPE, SEAL

SUMS = "SHA512SUMS"
MAX_SUMS_BYTES = 64 * 1024 * 1024


def sums_text(digests: Mapping[str, str]) -> bytes:
    """Lines of digest, two spaces, relative path; sorted by path; LF."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def parse_sums(data: bytes) -> dict[str, str]:
    """Digests by name. Raises UsageError with the line for anything but the one plain form."""
    sums: dict[str, str] = {}
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{SUMS}: not UTF-8: {error.reason}") from None
    if "\r\n" in text and is_translated(data):
        raise UsageError(f"{SUMS}: its line ends are CRLF, those of a seal LF; {REMEDY}")
    if text and not text.endswith("\n"):
        raise UsageError(f"{SUMS}: the last line does not end")
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        digest, name = line[:128], line[130:]
        if not is_sha512(digest) or line[128:130] != "  ":
            raise UsageError(f"{SUMS}:{number}: expected 128 hex digits, two spaces and a path")
        problem = problem_with_name(name)
        if problem:
            raise UsageError(f"{SUMS}:{number}: {problem}")
        if name == SUMS:
            raise UsageError(f"{SUMS}:{number}: the file cannot hold its own digest")
        if name == ENVELOPE:
            raise UsageError(f"{SUMS}:{number}: a signature comes after the sums")
        if sums and name <= next(reversed(sums)):
            raise UsageError(f"{SUMS}:{number}: paths must be sorted, each once")
        sums[name] = digest
    if SEAL not in sums:
        raise UsageError(f"{SUMS}: {SEAL} is not covered")
    return sums


def is_translated(data: bytes) -> bool:
    """Whether these are sums but for their line ends."""
    try:
        parse_sums(as_lf(data))
    except UsageError:
        return False
    return b"\r\n" in data


def refuse_inside_sealed(path: Path) -> None:
    """Raise UsageError when `path` lies in a sealed folder, which one more file would break."""
    for folder in (path.parent.resolve() / path.name).parents:
        if (folder / SUMS).is_file():
            raise UsageError(f"{path} lies in {folder}, which is sealed: write it elsewhere")


def refuse_output(path: Path) -> None:
    """Raise UsageError unless a file can be written there, over another one or anew.

    Asked before the work whose outcome is written.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no folder: make it first")
    refuse_inside_sealed(path)


def refuse_new_record(folder: Path) -> None:
    """Raise UsageError unless a record can be made there: a new folder, of a name for everyone."""
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} exists: a record is made once, in a new folder")
    if problem := problem_with_name(folder.name):
        raise UsageError(f"{folder}: {problem}")
    refuse_inside_sealed(folder)
