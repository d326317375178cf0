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
import string
import unicodedata
from bisect import bisect_right
from itertools import accumulate
from typing import Any, Optional

SUMS, SEAL, ENVELOPE = "SHA512SUMS", "seal.json", "seal.dsse.json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
PAYLOAD = "application/vnd.in-toto+json"
MAX_SUMS, MAX_JSON, MAX_DEPTH, MAX_DIGITS = 64 << 20, 16 << 20, 64, 1000
DEVICES = {"con", "prn", "aux", "nul"} | {p + str(i) for p in ("com", "lpt") for i in range(10)}
# Names hold characters of Unicode 13, that of Python 3.9, whatever this Python knows more, or the
# verdict would be another under the next one. Lengths of runs of code points from U+0000 on, in
# hex: by turns not allowed and allowed. Not allowed: unassigned, Cc, Cf, Cs, Zl, Zp.
RUNS = """
20 5f 21 d 1 2ca 2 6 4 7 1 1 1 14 1 18d 1 26 2 32 2 3 1 37 8 1b 4 6 11 16 2 bf 1 30 2 3b 2 65 e 3b
2 31 2 f 1 1c 2 1 1 b 35 15 1 12 b f 1 a1 1 8 2 2 2 16 1 7 1 1 3 4 2 9 2 2 2 4 8 1 4 2 1 5 2 19 2 3
1 6 4 2 2 16 1 7 1 2 1 2 1 2 2 1 1 5 4 2 2 3 3 1 7 4 1 1 7 11 a 3 1 9 1 3 1 16 1 7 1 2 1 5 2 a 1 3
1 3 2 1 f 4 2 c 7 7 1 3 1 8 2 2 2 16 1 7 1 2 1 5 2 9 2 2 2 3 7 3 4 2 1 5 2 12 a 2 1 6 3 3 1 4 3 2 1
1 1 2 3 2 3 3 3 c 4 5 3 3 1 4 2 1 6 1 e 15 5 d 1 3 1 17 1 10 3 8 1 3 1 4 7 2 1 3 5 4 2 a 7 16 1 3 1
17 1 a 1 5 2 9 1 3 1 4 7 2 7 1 1 4 2 a 1 2 d d 1 3 1 33 1 3 1 6 4 10 2 1a 1 3 1 12 3 18 1 9 1 1 2 7
3 1 4 6 1 1 1 8 6 a 2 3 c 3a 4 1d 25 2 1 1 1 5 1 18 1 1 1 17 2 5 1 1 1 6 2 a 2 4 20 48 1 24 4 27 1
24 1 f 1 d 25 c6 1 1 5 1 2 179 1 4 2 7 1 1 1 4 2 29 1 4 2 21 1 4 2 7 1 1 1 4 2 f 1 39 1 4 2 43 2 20
3 1a 6 56 2 6 2 29d 3 59 7 d 1 7 b 17 9 14 c d 1 3 1 2 c 5e 2 a 6 a 6 e 2 a 6 59 7 2b 5 46 a 1f 1 c
4 c 4 1 3 2a 2 5 b 2c 4 1a 6 b 3 3e 2 41 1 1d 2 b 6 a 6 e 2 11 3f 4c 4 2d 3 74 8 3c 3 f 3 3c 7 2b 2
b 8 2b 5 fa 1 11b 2 6 2 26 2 6 2 8 1 1 1 1 1 1 1 1f 2 35 1 f 1 e 2 6 1 13 2 3 1 9 1 b 5 18 7 31 10
2 2 1b 1 d 3 20 10 21 f 8c 4 297 19 b 15 714 2 20 1 98 1 2f 1 94 5 2d 1 1 5 1 2 38 7 2 e 18 9 7 1 7
1 7 1 7 1 7 1 7 1 7 1 7 1 73 2d 1a 1 59 c d6 1a c 4 40 1 56 2 67 5 2b 1 5e 1 54 c 2f 1 6ddd 3 48d 3
37 9 15c 14 b8 8 c0 2 9 2a 38 3 a 6 38 8 46 8 c 6 74 b 1e 3 4e 1 b 4 21 1 37 9 e 2 a 2 67 18 1c a 6
2 6 2 6 9 7 1 7 1 3c 4 7e 2 a 6 2ba4 c 17 4 31 804 1a6e 2 6a 26 7 c 5 5 1a 1 5 1 1 1 2 1 2 1 7c 11
16d 10 40 2 36 28 e 2 1a 6 33 1 13 1 4 4 5 1 87 4 be 3 6 2 6 2 6 2 3 3 7 1 7 d 2 2 c 1 1a 1 13 1 2
1 f 2 e 22 7b 5 3 4 2d 3 58 1 d 3 1 2f 2e 82 1d 3 31 f 1c 4 24 9 1e 5 2b 5 1e 1 25 4 e 2a 9e 2 a 6
24 4 24 4 28 8 34 b 1 90 137 9 16 a 8 98 6 2 1 1 2c 1 2 3 1 2 17 1 48 8 9 30 13 1 2 5 21 3 1b 5 1
40 38 4 14 2 32 1 2 5 8 1 3 1 1d 2 3 4 a 7 9 7 40 20 27 4 c 9 36 3 1d 2 1b 5 1a 7 4 c 7 50 49 37 33
d 33 7 2e 8 a 126 1f 1 2a 1 3 2 2 4e 28 8 2a 56 1c 14 17 9 4e 4 1e f 3e 1 4 e 19 7 a 6 35 1 12 8 27
9 60 1 14 b 12 1 2c 41 7 1 1 1 4 1 f 1 b 6 3b 5 a 6 4 1 8 2 2 2 16 1 7 1 2 1 5 1 a 2 2 2 3 2 1 6 1
5 7 2 7 3 5 8b 5c 1 5 1e 48 8 a a6 36 2 26 22 45 b a 6 d 13 39 7 a 36 1b 2 f 4 10 c0 3c 64 53 c 8 2
1 2 8 1 2 1 1e 1 2 2 c 9 a 46 8 2 2e 2 b 1b 48 8 53 1d 39 107 9 1 2d 1 e a 1d 3 20 2 16 1 e 49 7 1
2 1 2c 3 1 1 2 1 9 8 a 6 6 1 2 1 25 1 2 1 6 7 a 136 19 b7 1 f 32 d 39b 66 6f 1 5 b c4 abc 42f fd1
247 21b9 239 7 1f 1 a 4 2 60 1e 2 6 a 46 a a 1 7 1 15 5 13 2b0 5b 65 4b 4 39 7 11 40 5 b 2 e 17f8 8
4d6 2a 9 22f7 11f 31 3 11 4 8 18c 904 6b 5 d 3 9 7 a 2 4 1360 f6 a 27 2 4a 8 6e 17 46 9a 14 c 57 9
19 87 55 1 47 1 2 2 1 2 2 2 4 1 c 1 1 1 7 1 41 1 4 2 8 1 7 1 1c 1 4 1 5 1 1 3 7 1 154 2 124 2 2be f
5 1 f 550 7 1 11 2 7 1 2 1 5 d5 2d 3 e 2 a 4 2 170 3a 5 1 500 c5 2 10 29 4c 4 a 4 2 311 44 4c 3d c2
4 1 1b 1 2 1 1 2 1 1 a 1 4 1 1 1 1 6 1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 1 1 1 1 1 2 1 1 2 4 1 7
1 4 1 4 1 1 1 a 1 11 5 3 1 5 1 11 34 2 10e 2c 4 64 c f 2 f 1 f 1 25 a ae 38 1d d 2c 4 9 7 2 e 6 9a
3d8 8 d 3 d 3 74 c 59 7 c 14 c 4 38 8 a 6 28 8 1e 2 2 4e 79 1 52 1 87 c e 2 5 3 3 5 7 9 19 7 7 9 3
d 7 29 93 1 37 25 a 406 a6de 22 1035 b de 2 1682 e 1d31 c1f 21e 5e2 134b aedb5 f0 fe10 fffe 2 fffe
"""
BORDERS = list(accumulate(int(length, 16) for length in RUNS.split()))


AUTOCRLF = "as git's core.autocrlf makes it: put `* -text` into .gitattributes, check out again"


class Refused(Exception):
    """What is wrong, in one line."""


def findings(folder: str) -> tuple[list[str], str, int]:
    """(everything that is wrong, identity or "", number of files sealed). Raises Refused."""
    names, found = walk(folder)
    if SUMS not in names:
        return [*found, f"not sealed: there is no {SUMS}"], "", 0
    try:
        data, identity = read(folder, SUMS, MAX_SUMS), ""
        try:
            sealed, identity = parse_sums(data), hashlib.sha512(data).hexdigest()
        except Refused:
            if b"\r\n" not in data:
                raise
            sealed = parse_sums(data.replace(b"\r\n", b"\n"))
            found.append(f"{SUMS}: its line ends are CRLF, those of a seal LF, {AUTOCRLF}")
    except Refused as error:
        return [*found, str(error)], "", 0
    present = set(names) - {SUMS, ENVELOPE}
    found += [f"{name} is extra" for name in sorted(present - set(sealed))]
    found += [f"{name} is missing" for name in sorted(set(sealed) - present)]
    subjects: dict[str, tuple[str, str]] = {}
    told = ""
    try:
        subjects = read_subjects(read(folder, SEAL, MAX_JSON)) if SEAL in present else {}
    except Refused as error:
        told = str(error)
    for name in sorted(present & set(sealed)):
        short = subjects.get(name, ("", ""))[1]
        try:
            digest, found_short = hash_file(os.path.join(folder, name), bool(short))
        except Refused as error:
            found.append(f"{name} {error}")
            continue
        if digest != sealed[name] and line_ends_only(folder, name, sealed[name]):
            found.append(f"{name} differs in line ends only, {AUTOCRLF}")
        elif digest != sealed[name]:
            found.append(f"{name} changed: sealed {sealed[name]}, found {digest}")
        elif short != found_short:
            found.append(f"{name}: not the sha256 that {SEAL} gives: {short}, found {found_short}")
    if told:
        found.append(told)
    elif SEAL in present:
        names_of = {name: both[0] for name, both in subjects.items()} | {SEAL: sealed[SEAL]}
        odd = sorted(n for n in {*names_of, *sealed} if names_of.get(n) != sealed.get(n))
        found += [f"{SEAL} and {SUMS} do not agree about {name}" for name in odd]
    try:
        if ENVELOPE in names:
            check_envelope(read(folder, ENVELOPE, MAX_JSON), read(folder, SEAL, MAX_JSON))
    except Refused as error:
        found.append(str(error))
    return found, identity, len(sealed)


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
    for c in name:
        if not (" " <= c <= "~" or bisect_right(BORDERS, ord(c)) % 2):
            return (
                "the name holds a control or invisible character, or one newer than Unicode 13: "
                f"U+{ord(c):04X}"
            )
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


def hash_file(path: str, both: bool = False) -> tuple[str, str]:
    """SHA-512 and, for `both`, SHA-256, else "", in hex, of one reading in constant memory."""
    h, buffer, total = hashlib.sha512(), bytearray(1 << 20), 0
    short = hashlib.sha256() if both else None
    try:
        with open(open_regular(path), "rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            while (count := file.readinto(buffer)) and total <= before.st_size:
                h.update(memoryview(buffer)[:count])
                if short:
                    short.update(memoryview(buffer)[:count])
                total += count
            after = os.fstat(file.fileno())
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None
    if (total, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Refused("changed while it was hashed")
    return h.hexdigest(), short.hexdigest() if short else ""


def line_ends_only(folder: str, name: str, sealed: str) -> bool:
    """Whether a file of up to 64 MiB was sealed with LF for its CRLF, or CRLF for its LF."""
    try:
        text = read(folder, name, MAX_SUMS).replace(b"\r\n", b"\n")
    except Refused:
        return False
    both = (text, text.replace(b"\n", b"\r\n"))
    return sealed in [hashlib.sha512(data).hexdigest() for data in both]


def is_digest(value: Any, length: int = 128) -> bool:
    """Whether it is so many lower-case hex digits: 128 of SHA-512, 64 of SHA-256."""
    return isinstance(value, str) and len(value) == length and set(value) <= set("0123456789abcdef")


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


def read_subjects(data: bytes) -> dict[str, tuple[str, str]]:
    """(SHA-512, SHA-256 or "") by name, of an in-toto Statement v1 with SLSA provenance v1.

    Since format 0.3 every subject gives both, before that none gave the second.
    """
    document = parse_json(data, SEAL)
    subjects = document.get("subject") if isinstance(document, dict) else None
    kinds = (document.get("_type"), document.get("predicateType")) if subjects else ()
    if kinds != (STATEMENT, PREDICATE) or not isinstance(subjects, list):
        raise Refused(f"{SEAL}: not an in-toto Statement ({STATEMENT}) of {PREDICATE}")
    if not isinstance(document.get("predicate"), dict):
        raise Refused(f"{SEAL}: `predicate` must be an object")
    found: dict[str, tuple[str, str]] = {}
    for number, subject in enumerate(subjects):
        name: Optional[str] = subject.get("name") if isinstance(subject, dict) else None
        digests = subject.get("digest") if isinstance(subject, dict) else None
        value = digests.get("sha512") if isinstance(digests, dict) else None
        if not isinstance(name, str) or not is_digest(value) or problem_with_name(name):
            raise Refused(f"{SEAL}: subject {number} needs a plain name and a sha512 digest")
        if name in found or name == SEAL:
            raise Refused(f"{SEAL}: subject {number} is named twice")
        short = digests.get("sha256", "") if isinstance(digests, dict) else ""
        if isinstance(digests, dict) and "sha256" in digests and not is_digest(short, 64):
            raise Refused(f"{SEAL}: subject {number}: its sha256 must be 64 hex digits")
        found[name] = str(value), short
    if len({bool(short) for _, short in found.values()}) > 1:
        raise Refused(f"{SEAL}: some subjects have a sha256, others have none")
    return found


def from_base64(text: Any) -> bytes:
    """RFC 4648, padded, in either alphabet, as DSSE wants it. Raises ValueError."""
    odd = set(text.rstrip("=")) - set(string.ascii_letters + string.digits)
    if (
        len(text) % 4
        or len(text) - len(text.rstrip("=")) > 2
        or not (odd <= set("+/") or odd <= set("-_"))
    ):
        raise ValueError("not base64")
    return base64.b64decode(text.replace("-", "+").replace("_", "/"))


def check_envelope(data: bytes, seal: bytes) -> None:
    """Refuse a signature of something else than seal.json. Who signed is not judged."""
    document = parse_json(data, ENVELOPE)
    try:
        signatures = document["signatures"]
        fits = document["payloadType"] == PAYLOAD and from_base64(document["payload"]) == seal
        fits = fits and isinstance(signatures, list) and 0 < len(signatures) <= 64
        for signature in signatures:
            from_base64(signature["sig"])
            fits = fits and isinstance(signature.get("keyid", ""), str)
    except (AttributeError, KeyError, TypeError, ValueError):
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
