"""`goldenseal bundle`: a training system in one file that runs from anywhere.

A bundle is loader.py, then `FILES["path"] = r'''text'''` for each file that the system needs, in
order of path, then a call that runs it. A path is that below the folder in which packages lie. The
bytes depend on those texts alone. Compressed, it is one line that unpacks the same text.
"""

import ast
import base64
import contextlib
import hashlib
import json
import re
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from goldenseal.bundle.imports import entry_of, is_own, needs_of, read_text
from goldenseal.config import System, package_folders
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError

LOADER = Path(__file__).with_name("loader.py")
MARK = b"# Goldenseal bundle"  # begins each bundle
MAX_BYTES = 16 * 1024 * 1024  # of text that is read or unpacked; some hundred times our own
SQUEEZED = (
    MARK + b", compressed\n"
    b"import base64, zlib\n"
    b'exec(compile(zlib.decompress(base64.b85decode("%b")), __file__, "exec"))\n'
)


@dataclass(frozen=True)
class Bundle:
    """A system's files in one. `packages`: those of other projects that they import."""

    entry: str
    files: dict[str, str]
    packages: tuple[str, ...] = ()

    def plain(self) -> bytes:
        """The bundle as readable text."""
        rule = "# " + "-" * 97
        parts = [f"{MARK.decode()}\n", read_text(LOADER), "\n\nFILES = {}\n"]
        for path, text in sorted(self.files.items()):
            parts.append(f"\n{rule}\n# {path}\n{rule}\n")
            parts.append(f"FILES[{json.dumps(path)}] = {literal(text)}\n")
        parts.append("\ninstall(FILES, __file__)\n")
        parts.append(f'if __name__ == "__main__":\n    run("{self.entry}")\n')
        return "".join(parts).encode("utf-8")

    def compressed(self) -> bytes:
        """The same, zlib and base85 in one line; the bytes depend on the zlib in use."""
        return SQUEEZED % base64.b85encode(zlib.compress(self.plain(), level=9))


def literal(text: str) -> str:
    """A Python expression for `text`, readable when it can be: a raw string over many lines."""
    raw = "r'''" + text.replace("'''", "''' \"'''\" r'''") + "'''"
    with contextlib.suppress(SyntaxError, ValueError):
        if ast.literal_eval(raw) == text:
            return raw
    return repr(text)


def make_bundle(root: Path, system: System) -> Bundle:
    """The bundle of a system, as its files are now.

    Raises UsageError when it needs what no bundle may hold; see `needs_of`.
    """
    folders = package_folders(root)
    if not is_own(root, system.module, folders):
        raise UsageError(f"system {system.name}: there is no module {system.module} under {root}")
    entry = entry_of(root, system.module, folders)
    needs = needs_of(root, entry, folders=folders)
    packages = sorted(needs.packages - sys.stdlib_module_names)
    files = {_below(path, folders): text for path, text in needs.files.items()}
    return Bundle(entry, files, tuple(packages))


def _below(path: str, folders: Sequence[str]) -> str:
    """The path from the innermost of the folders that it lies in."""
    pure = PurePosixPath(path)
    places = [pure.relative_to(folder) for folder in folders if pure.is_relative_to(folder)]
    return min(places, key=lambda place: len(place.parts)).as_posix()


def write_bundle(bundle: Bundle, out: Path, compress: bool = False) -> dict[str, Any]:
    """Write it; returns the report: path, bytes, sha512, files, packages.

    Raises UsageError rather than overwrite anything but a bundle, or where nothing can be written.
    """
    if out.is_symlink() or (out.exists() and not is_bundle(out)):
        raise UsageError(f"{out} exists and is no bundle: give another path, or move it away")
    data = bundle.compressed() if compress else bundle.plain()
    try:
        atomic_write(out, data)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None
    return {
        "path": str(out),
        "bytes": len(data),
        "compressed": compress,
        "sha512": hashlib.sha512(data).hexdigest(),
        "files": sorted(bundle.files),
        "packages": list(bundle.packages),
    }


def in_words(report: Mapping[str, Any]) -> str:
    """The report on one line."""
    packages = ", ".join(report["packages"]) or "no other package"
    size = f"{report['bytes']:,} bytes of code from {len(report['files'])} files"
    return f"{report['path']}: {size}; imports {packages}"


def is_bundle(path: Path) -> bool:
    """Whether a file begins as bundles do."""
    try:
        with path.open("rb") as file:
            return file.read(len(MARK)) == MARK
    except OSError:
        return False


def read_bundle(data: bytes, where: str) -> Bundle:
    """The files in a bundle, without running anything of it.

    Raises UsageError, beginning with `where`, unless `data` is what `plain` or `compressed` of
    those files gives: then nothing else hides in it.
    """
    plain = _unpacked(data, where)
    try:
        body = ast.parse(plain).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(f"{where}: not Python: no bundle") from None
    files: dict[str, str] = {}
    for node in body:
        match node:
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name("FILES"), slice=ast.Constant(str(path)))],
                value=ast.Constant(str(text)),
            ):
                files[path] = text
    ends = re.search(rb'\n    run\("([\w.]+)"\)\n\Z', plain)
    bundle = Bundle(ends[1].decode() if ends else "", files)
    if bundle.plain() != plain:
        raise UsageError(
            f"{where}: not what this version of `goldenseal bundle` makes of the files in it: "
            "bundle them again"
        )
    return bundle


def _unpacked(data: bytes, where: str) -> bytes:
    """The plain text of a bundle. Raises UsageError when it is too large, or badly packed."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"{where}: {len(data)} bytes of code, at most {MAX_BYTES} are read")
    before, after = SQUEEZED.split(b"%b")
    if not data.startswith(before):
        return data
    stream = zlib.decompressobj()
    try:
        packed = base64.b85decode(data[len(before) : -len(after)])
        plain = stream.decompress(packed, MAX_BYTES + 1)
    except (ValueError, zlib.error) as error:
        raise UsageError(f"{where}: the packed code is damaged: {error}") from None
    whole = stream.eof and not stream.unused_data and data.endswith(after)
    if not whole or len(plain) > MAX_BYTES:
        raise UsageError(f"{where}: the packed code is cut short, too large, or followed by more")
    return plain
