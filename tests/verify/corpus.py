"""The fixed corpus of attacks on a sealed folder. Each is undone when its context ends."""

import contextlib
import itertools
import os
import random
import shutil
import socket
import stat
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

Attack = tuple[str, Callable[[], contextlib.AbstractContextManager[None]]]

HOSTILE_NAMES = [
    "",
    ".",
    "..",
    "../x",
    "../../etc/passwd",
    "a/../b",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "/",
    "/etc/passwd",
    "//server/share",
    "C:",
    "C:\\x",
    "c:/x",
    "\\\\server\\share",
    "..\\x",
    "a\\b",
    "nul",
    "NUL.txt",
    "con",
    "aux.c",
    "COM1",
    "lpt9.log",
    "x/prn",
    "a.",
    "a ",
    "a./b",
    "a:stream",
    "a*",
    "a?",
    'a"b',
    "a<b",
    "a>b",
    "a|b",
    "a\nb",
    "a\n",
    "\na",
    "a\rb",
    "a\tb",
    "a\x00b",
    "a\x1bb",
    "a\x7f",
    "a\u0085b",
    "a\u200bb",
    "a\u202eb",
    "a\u2028b",
    "\ufeffa",
    "a" * 5000,
    "/".join("d" * 65),
]


def files_of(folder: Path) -> list[Path]:
    """Every file of the folder."""
    return sorted(p for p in folder.rglob("*") if p.is_file())


@contextlib.contextmanager
def holding(path: Path, data: bytes) -> Iterator[None]:
    """A file with other bytes."""
    original = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(original)


@contextlib.contextmanager
def flipped(path: Path, place: int, mask: int) -> Iterator[None]:
    """A file with some bits of one byte the other way round."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        byte = os.pread(descriptor, 1, place)
        os.pwrite(descriptor, bytes([byte[0] ^ mask]), place)
        yield
        os.pwrite(descriptor, byte, place)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def added(path: Path, make: Callable[[Path], object]) -> Iterator[None]:
    """Something that was not there."""
    make(path)
    try:
        yield
    finally:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@contextlib.contextmanager
def replaced(path: Path, outside: Path, make: Callable[[Path, Path], object]) -> Iterator[None]:
    """Something else, or nothing, where a file was; the file itself is outside meanwhile."""
    shutil.move(path, outside)
    make(path, outside)
    try:
        yield
    finally:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif os.path.lexists(path):
            path.unlink()
        shutil.move(outside, path)


@contextlib.contextmanager
def renamed(path: Path, name: str) -> Iterator[None]:
    """A file under another name in its folder."""
    path.rename(path.with_name(name))
    try:
        yield
    finally:
        path.with_name(name).rename(path)


@contextlib.contextmanager
def hard_linked(path: Path, outside: Path) -> Iterator[None]:
    """A file that somebody else can write to by another name."""
    os.link(path, outside)
    try:
        yield
    finally:
        outside.unlink()


@contextlib.contextmanager
def swapped(a: Path, b: Path) -> Iterator[None]:
    """Two files, each under the name of the other."""
    first, second = a.read_bytes(), b.read_bytes()
    with holding(a, second), holding(b, first):
        yield


def bind_socket(path: Path, outside: Path) -> None:
    """A socket; its path is relative, for the kernel takes only short ones."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


SUBSTITUTES: dict[str, Callable[[Path, Path], object]] = {
    "nothing": lambda path, outside: None,
    "a link to an equal copy": lambda path, outside: path.symlink_to(outside),
    "a link to nowhere": lambda path, outside: path.symlink_to("/nowhere/at/all"),
    "a link to an endless device": lambda path, outside: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path, outside: path.symlink_to(path.name),
    "a folder": lambda path, outside: path.mkdir(),
    "a pipe": lambda path, outside: os.mkfifo(path),
    "a socket": bind_socket,
}
if os.geteuid() == 0:
    SUBSTITUTES["an endless device"] = lambda path, outside: os.mknod(
        path, stat.S_IFCHR | 0o666, os.makedev(1, 5)
    )


def look_alikes(name: str) -> set[str]:
    """Names that a file system which ignores case or Unicode form takes for this one."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and c != "/" else c for c in name)
    found = {name.upper(), name.swapcase(), name.title(), wide, name.replace("s", "\u017f")}
    for place, letter in enumerate(name):
        found.add(name[:place] + letter.swapcase() + name[place + 1 :])
    return found - {name}


def attacks(folder: Path, other: Path, outside: Path, seed: int = 1597) -> Iterator[Attack]:
    """Every attack, by what it does. `other` is another sealed record."""
    draw = random.Random(seed)
    paths = files_of(folder)
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    for path, name in names.items():
        content = path.read_bytes()
        for place in range(0, len(content), 1 if len(content) < 4096 else 2):
            mask = draw.randrange(1, 256)
            yield f"{name}: byte {place} ^ {mask}", lambda p=path, i=place, m=mask: flipped(p, i, m)
        for end in {*range(0, len(content), max(1, len(content) // 40))}:
            yield f"{name}: cut at {end}", lambda p=path, c=content[:end]: holding(p, c)
        for extra in (b"\n", b" ", b"\0", b"x", b"\xff", b"{}", content):
            yield f"{name}: + {extra[:9]!r}", lambda p=path, c=content + extra: holding(p, c)
        returns = content.replace(b"\n", b"\r\n") + b"\r"
        yield f"{name}: CRLF", lambda p=path, c=returns: holding(p, c)
        yield f"{name}: BOM", lambda p=path, c=b"\xef\xbb\xbf" + content: holding(p, c)
        for words, make in SUBSTITUTES.items():
            yield f"{name}: {words}", lambda p=path, m=make: replaced(p, outside, m)
        yield f"{name}: hard link", lambda p=path: hard_linked(p, outside)
        for new in (f"{path.name}.orig", f".{path.name}", path.name[:-1], path.name.swapcase()):
            yield f"{name} renamed to {new}", lambda p=path, n=new: renamed(p, n)
        for look in sorted(look_alikes(name)):
            if not os.path.lexists(folder / look) and (folder / look).parent.is_dir():
                yield (
                    f"{look} beside {name}",
                    lambda n=look: added(folder / n, lambda p: p.write_bytes(b"x")),
                )
    for a, b in itertools.combinations(paths, 2):
        yield f"{names[a]} and {names[b]} swapped", lambda a=a, b=b: swapped(a, b)
    for name in HOSTILE_NAMES:
        path = os.path.join(folder, name)
        if "\x00" in name or len(name) > 255 or name.startswith("/") or ".." in name.split("/"):
            continue
        if not os.path.lexists(path) and os.path.isdir(os.path.dirname(path)):
            yield f"{name!r} added", lambda p=path: added(Path(p), lambda p: p.write_bytes(b"x"))
    for pair in (("caf\u00e9", "cafe\u0301"), ("\u00c5", "\u212b"), ("\ufb01", "fi")):
        yield f"{pair} added", lambda pair=pair: added_pair(folder, *pair)
    yield from attacks_on_sums(folder / "SHA512SUMS")
    for name in ("seal.json", "SHA512SUMS", "check_seal.py", "record.json", "README.md"):
        data = (other / name).read_bytes()
        if data != (folder / name).read_bytes():
            yield f"{name} of another record", lambda n=name, d=data: holding(folder / n, d)


@contextlib.contextmanager
def added_pair(folder: Path, a: str, b: str) -> Iterator[None]:
    """Two files that some file systems cannot tell apart."""
    if a != b and unicodedata.normalize("NFKC", a) != unicodedata.normalize("NFKC", b):
        raise ValueError(f"{a!r} and {b!r} are not alike")
    with (
        added(folder / a, lambda path: path.write_bytes(b"x")),
        added(folder / b, lambda path: path.write_bytes(b"y")),
    ):
        yield


def attacks_on_sums(path: Path) -> Iterator[Attack]:
    """SHA512SUMS with lines dropped, doubled, exchanged, or naming what no record holds."""
    lines = path.read_text().splitlines(keepends=True)
    changed: dict[str, list[str]] = {}
    for number, line in enumerate(lines):
        rest = lines[:number], lines[number + 1 :]
        changed[f"line {number} dropped"] = [*rest[0], *rest[1]]
        changed[f"line {number} twice"] = [*rest[0], line, line, *rest[1]]
        for name in [*HOSTILE_NAMES, "SHA512SUMS", "seal.dsse.json", *look_alikes(line[130:-1])]:
            changed[f"line {number} is {name!r}"] = [*rest[0], f"{line[:130]}{name}\n", *rest[1]]
            changed[f"also {name!r} at {number}"] = [
                *rest[0], line, f"{line[:130]}{name}\n", *rest[1],
            ]  # fmt: skip
        for old, new in (("  ", " "), ("  ", " *"), ("  ", "   "), ("  ", "\t"), ("\n", "")):
            changed[f"line {number}: {old!r} is {new!r}"] = [
                *rest[0], line.replace(old, new, 1), *rest[1],
            ]  # fmt: skip
        changed[f"line {number} in capitals"] = [
            *rest[0], line[:128].upper() + line[128:], *rest[1],
        ]  # fmt: skip
    for order in itertools.islice(itertools.permutations(lines), 1, 120):
        changed[f"order {[lines.index(x) for x in order]}"] = list(order)
    for words, text in changed.items():
        data = "".join(text).encode()
        if data != path.read_bytes():
            yield f"SHA512SUMS: {words}", lambda d=data: holding(path, d)
