"""Writing a crate: a folder or a ZIP, whole or not there, the same bytes on every machine."""

import base64
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from goldenseal.disk.files import CHUNK, atomic_write, hash_both, open_regular
from goldenseal.errors import ContradictedError, UsageError
from goldenseal.export.crate import crate_of
from goldenseal.export.entities import Part
from goldenseal.records.check import check
from goldenseal.records.record import Record, read_record
from goldenseal.records.sums import SUMS, refuse_inside_sealed

METADATA = "ro-crate-metadata.json"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP knows; it knows no time zone
MODE = 0o100644 << 16


def sealed_record(folder: Path) -> tuple[Record, str]:
    """(record, identity) of a folder that is sealed and intact.

    Raises UsageError for one that is not sealed, ContradictedError for one that has changed.
    """
    report = check(folder)
    if not (folder / SUMS).is_file():
        raise UsageError(f"{folder} is not sealed: `goldenseal seal {folder}` first")
    if not report.holds:
        raise ContradictedError(f"{folder.name}: {report.reasons()[0]}")
    return read_record(folder.resolve()), str(report.identity)


def refuse_place(out: Path) -> None:
    """Raise UsageError where nothing new can be written: there is something, or it is sealed."""
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} exists: an export is written once, to a new place")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is no folder: make it first")
    refuse_inside_sealed(out)


def write_detached(folder: Path, out: Path, licence: str = "", base: str = "") -> dict[str, Any]:
    """Write the metadata of a crate alone to `out`, NAME.json: the files stay where they are.

    They are named by `base`, the address under which they can be had, and where that is not known
    by one that the identity of the record makes. Returns and raises as `write_crate`.
    """
    refuse_place(out)
    record, identity, parts = parts_of(folder)
    metadata = metadata_of(record, identity, parts, licence, base or address_of(identity))
    atomic_write(out, metadata)
    return {"path": str(out), "identity": identity, "files": 1}


def address_of(identity: str) -> str:
    """The arcp address of a sealed record, which names its files wherever they lie.

    <https://www.ietf.org/archive/id/draft-soilandreyes-arcp-03.html>, with the digest as in RFC
    6920: that of SHA512SUMS.
    """
    digest = base64.urlsafe_b64encode(bytes.fromhex(identity)).decode().rstrip("=")
    return f"arcp://ni,sha-512;{digest}"


def parts_of(folder: Path) -> tuple[Record, str, dict[str, Part]]:
    """(record, identity, its files), each hashed. Raises as `sealed_record`."""
    record, identity = sealed_record(folder)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    parts = {
        name: Part(hash_both(folder / name), (folder / name).lstat().st_size) for name in names
    }
    if parts[SUMS].digests.sha512 != identity:
        raise ContradictedError(f"{folder.name} changed while it was read")
    return record, identity, parts


def metadata_of(
    record: Record, identity: str, parts: dict[str, Part], licence: str, base: str = ""
) -> bytes:
    """The bytes of ro-crate-metadata.json."""
    document = crate_of(record, identity, parts, licence, base).metadata.generate()
    for entity in document["@graph"] if base else ():  # its root is no folder beside the file
        if entity["@id"] == "./":
            entity["@id"] = f"{base.rstrip('/')}/"
        if entity.get("about") == {"@id": "./"}:
            entity["about"] = {"@id": f"{base.rstrip('/')}/"}
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def write_crate(folder: Path, out: Path, licence: str = "") -> dict[str, Any]:
    """Write the Process Run Crate of a sealed record to `out`, a new folder or NAME.zip.

    The record lies in it as a folder of its own, which is still sealed. What is copied is hashed
    again. `licence` is the address of one. Returns what was written, for --json. Raises UsageError
    for a place that will not do, ContradictedError when the record is not what was sealed.
    """
    refuse_place(out)
    record, identity, parts = parts_of(folder)
    metadata = metadata_of(record, identity, parts, licence)
    with packing(out) as add:
        add(METADATA, metadata)
        for name in parts:
            with open_regular(folder / name) as file:
                _copy(file, add(f"{record.folder.name}/{name}", None), parts[name], name)
    return {"path": str(out), "identity": identity, "files": len(parts) + 1}


def _copy(source: Any, target: IO[bytes], part: Part, name: str) -> None:
    h = hashlib.sha512()
    with target:
        while chunk := source.read(CHUNK):
            h.update(chunk)
            target.write(chunk)
    if h.hexdigest() != part.digests.sha512:
        raise ContradictedError(f"{name} changed while it was copied")


@contextmanager
def packing(out: Path) -> Iterator[Any]:
    """Gives a function of (name, bytes, or None to get a file to write to).

    `out` is there once all went well, and nothing is otherwise.
    """
    scratch = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        if out.suffix.lower() == ".zip":
            with zipfile.ZipFile(scratch / "zip", "w") as archive:
                yield lambda name, data: _put(_entry(archive, name), data)
            os.chmod(scratch / "zip", 0o644)
            os.replace(scratch / "zip", out)
        else:
            top = scratch / "crate"
            yield lambda name, data: _put(_file(top / name), data)
            os.replace(top, out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Stored, since what a compressor makes depends on its version."""
    info = zipfile.ZipInfo(name, LONG_AGO)
    info.external_attr, info.create_system = MODE, 3
    return archive.open(info, "w", force_zip64=True)


def _file(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb")


def _put(file: IO[bytes], data: bytes | None) -> IO[bytes]:
    """Write all of it, or leave it open for the caller."""
    if data is not None:
        with file:
            file.write(data)
    return file
