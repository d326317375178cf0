"""Check this sealed folder with nothing but Python 3.9 or later:  python -I check_seal.py [FOLDER]

Compares every file of the folder with SHA512SUMS, and SHA512SUMS with seal.json. Links, devices,
hard links, and names that another system would misread are findings. Nothing is executed, nothing
is written, no network is used. One line a finding; exit code 0 intact, 1 not, 2 no such folder.

Whoever changed a folder could change this file too: for a record of a stranger, run a copy that
you trust and give it the folder. It does not judge record.json, run logs, or who signed: for that
there is `goldenseal check`, with which it shares no code, so that each can be held to the other.
"""

import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]  # the folder under suspicion: it may hold a hashlib.py of its own

# ruff: noqa: UP045  Python 3.9 knows no `X | None`
import base64
import hashlib
import json
import os
import stat
import unicodedata
from typing import Any, Optional

SUMS, SEAL, ENVELOPE = "SHA512SUMS", "seal.json", "seal.dsse.json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
PAYLOAD = "application/vnd.in-toto+json"
MAX_SUMS, MAX_JSON, MAX_DEPTH, MAX_DIGITS = 64 << 20, 16 << 20, 64, 1000
DEVICES = {"con", "prn", "aux", "nul"} | {p + str(i) for p in ("com", "lpt") for i in range(10)}


class Refused(Exception):
    """What is wrong, in one line."""


def findings(folder: str) -> tuple[list[str], str, int]:
    """(everything that is wrong, identity or "", number of files sealed). Raises Refused."""
    names, found = walk(folder)
    if SUMS not in names:
        return [*found, f"not sealed: there is no {SUMS}"], "", 0
    try:
        data = read(folder, SUMS, MAX_SUMS)
        sealed = parse_sums(data)
    except Refused as error:
        return [*found, str(error)], "", 0
    present = set(names) - {SUMS, ENVELOPE}
    found += [f"{name} is extra" for name in sorted(present - set(sealed))]
    found += [f"{name} is missing" for name in sorted(set(sealed) - present)]
    for name in sorted(present & set(sealed)):
        try:
            digest = hash_file(os.path.join(folder, name))
        except Refused as error:
            found.append(f"{name} {error}")
            continue
        if digest != sealed[name]:
            found.append(f"{name} changed: sealed {sealed[name]}, found {digest}")
    try:
        if SEAL in present:
            subjects = read_subjects(read(folder, SEAL, MAX_JSON))
            subjects[SEAL] = sealed[SEAL]
            odd = sorted(n for n in {*subjects, *sealed} if subjects.get(n) != sealed.get(n))
            found += [f"{SEAL} and {SUMS} do not agree about {name}" for name in odd]
        if ENVELOPE in names:
            check_envelope(read(folder, ENVELOPE, MAX_JSON), read(folder, SEAL, MAX_JSON))
    except Refused as error:
        found.append(str(error))
    return found, hashlib.sha512(data).hexdigest(), len(sealed)


def walk(folder: str) -> tuple[list[str], list[str]]:
    """(names of regular files, problems); nothing is followed or opened."""
    names, problems, pending = [], [], [""]
    seen: dict[str, str] = {}
    if os.path.islink(folder) or not os.path.isdir(folder):
        raise Refused(f"{folder} is not a folder")
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(os.path.join(folder, prefix)) as scan:
                entries = [(prefix + e.name, e.stat(follow_symlinks=False)) for e in scan]
        except OSError as error:
            problems.append(f"{prefix!r} cannot be read: {error.strerror}")
            continue
        for name, status in entries:
            if reason := problem_with_name(name) or problem_with_kind(status):
                problems.append(f"{name!r}: {reason}")
                continue
            other = seen.setdefault(fold(name), name)
            if other != name:
                problems.append(f"{other!r} and {name!r} differ only in case or form")
            if stat.S_ISDIR(status.st_mode):
                pending.append(name + "/")
            else:
                names.append(name)
    return sorted(names), sorted(problems)


def problem_with_kind(status: os.stat_result) -> str:
    """Why something in a folder is not a plain file or folder; "" when it is."""
    if stat.S_ISLNK(status.st_mode):
        return "a link; a record holds its files itself"
    if stat.S_ISDIR(status.st_mode):
        return ""
    if not stat.S_ISREG(status.st_mode):
        return "neither a file nor a folder"
    return "it has a second hard link, through which it can be changed" * (status.st_nlink > 1)


def problem_with_name(name: str) -> str:
    """Why a relative path cannot be part of a record; "" when it can."""
    parts = name.split("/")
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    if not 0 < size <= 4096 or len(parts) > MAX_DEPTH:
        return "the name is empty, too long or nested too deep"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in name):
        return "the name holds a control or invisible character"
    if any(part in ("", ".", "..") for part in parts):
        return "the name is absolute, or holds an empty, `.` or `..` part"
    if set('\\:*?"<>|') & set(name) or any(
        part.endswith((".", " ")) or part.split(".")[0].strip().lower() in DEVICES for part in parts
    ):
        return "the name cannot exist on Windows, or means something else there"
    return ""


def fold(name: str) -> str:
    """What a file system that ignores case and Unicode form takes a name for."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def open_regular(path: str) -> int:
    """A descriptor of a regular file; a pipe would block and a link lead away."""
    extra = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
    try:
        descriptor = os.open(path, os.O_RDONLY | sum(getattr(os, flag, 0) for flag in extra))
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be read: {getattr(error, 'strerror', error)}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused("is not a regular file")
    return descriptor


def read(folder: str, name: str, limit: int) -> bytes:
    """The bytes of a small file."""
    try:
        with open(open_regular(os.path.join(folder, name)), "rb") as file:
            if os.fstat(file.fileno()).st_size > limit or len(data := file.read(limit + 1)) > limit:
                raise Refused(f"is larger than {limit} bytes")
            return data
    except (OSError, Refused) as error:
        raise Refused(f"{name} {error}") from None


def hash_file(path: str) -> str:
    """SHA-512 in hex, in constant memory."""
    h, buffer, total = hashlib.sha512(), bytearray(1 << 20), 0
    try:
        with open(open_regular(path), "rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            while (count := file.readinto(buffer)) and total <= before.st_size:
                h.update(memoryview(buffer)[:count])
                total += count
            after = os.fstat(file.fileno())
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None
    if (total, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Refused("changed while it was hashed")
    return h.hexdigest()


def is_digest(value: Any) -> bool:
    """Whether it is 128 lower-case hex digits."""
    return isinstance(value, str) and len(value) == 128 and set(value) <= set("0123456789abcdef")


def parse_sums(data: bytes) -> dict[str, str]:
    """Digests by name, of the one plain form: digest, two spaces, path; sorted; LF."""
    sums: dict[str, str] = {}
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise Refused(f"{SUMS} is not UTF-8") from None
    last = ""
    for number, line in enumerate(lines[:-1], start=1):
        digest, gap, name = line[:128], line[128:130], line[130:]
        if not is_digest(digest) or gap != "  ":
            raise Refused(f"{SUMS}:{number}: expected 128 hex digits, two spaces and a path")
        if reason := problem_with_name(name):
            raise Refused(f"{SUMS}:{number}: {reason}")
        if name in (SUMS, ENVELOPE):
            raise Refused(f"{SUMS}:{number}: {name} cannot be covered")
        if name <= last:
            raise Refused(f"{SUMS}:{number}: paths must be sorted, each once")
        sums[name], last = digest, name
    if lines[-1]:
        raise Refused(f"{SUMS}: the last line does not end")
    if SEAL not in sums:
        raise Refused(f"{SUMS}: {SEAL} is not covered")
    return sums


def parse_json(data: bytes, where: str) -> Any:
    """JSON without duplicate keys, NaN, absurd numbers, broken Unicode or deep nesting."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("a key is given twice")
        return dict(pairs)

    def number(text: str) -> float:
        if len(text) > MAX_DIGITS or abs(float(text)) == float("inf"):
            raise ValueError("a number of absurd size")
        return float(text)

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    hooks: dict[str, Any] = {"parse_int": number, "parse_float": number, "parse_constant": refuse}
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=unique, **hooks)
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair fails here
    except (ValueError, RecursionError) as error:
        raise Refused(f"{where}: {' '.join(str(error).split())}") from None
    level, depth = [document], 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        if depth > MAX_DEPTH:
            raise Refused(f"{where}: nested deeper than {MAX_DEPTH} levels")
        level = [x for item in level for x in (item.values() if isinstance(item, dict) else item)]
    return document


def read_subjects(data: bytes) -> dict[str, str]:
    """Digests by name of an in-toto Statement v1 with SLSA provenance v1."""
    document = parse_json(data, SEAL)
    subjects = document.get("subject") if isinstance(document, dict) else None
    kinds = (document.get("_type"), document.get("predicateType")) if subjects else ()
    if kinds != (STATEMENT, PREDICATE) or not isinstance(subjects, list):
        raise Refused(f"{SEAL}: not an in-toto Statement ({STATEMENT}) of {PREDICATE}")
    if not isinstance(document.get("predicate"), dict):
        raise Refused(f"{SEAL}: `predicate` must be an object")
    found: dict[str, str] = {}
    for number, subject in enumerate(subjects):
        name: Optional[str] = subject.get("name") if isinstance(subject, dict) else None
        digests = subject.get("digest") if isinstance(subject, dict) else None
        value = digests.get("sha512") if isinstance(digests, dict) else None
        if not isinstance(name, str) or not is_digest(value) or problem_with_name(name):
            raise Refused(f"{SEAL}: subject {number} needs a plain name and a sha512 digest")
        if name in found or name == SEAL:
            raise Refused(f"{SEAL}: subject {number} is named twice")
        found[name] = str(value)
    return found


def check_envelope(data: bytes, seal: bytes) -> None:
    """Refuse a signature of something else than seal.json. Who signed is not judged."""
    document = parse_json(data, ENVELOPE)
    try:
        fits = (
            document["payloadType"] == PAYLOAD
            and base64.b64decode(document["payload"], validate=True) == seal
            and len(document["signatures"]) > 0
        )
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise Refused(f"{ENVELOPE}: not a DSSE envelope of this {SEAL}")


def main(arguments: list[str]) -> int:
    """Print what is wrong, a line each; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if len(arguments) > 1:
        print("usage: python -I check_seal.py [FOLDER]", file=sys.stderr)
        return 2
    folder = arguments[0] if arguments else os.path.dirname(os.path.abspath(__file__))
    try:
        found, identity, files = findings(folder)
    except Refused as error:
        print(error, file=sys.stderr)
        return 2
    for line in found:
        print(line)
    if not found:
        print(f"intact, {files} files, identity {identity}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
