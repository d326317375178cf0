"""Files that differ in line ends only, as git makes them where core.autocrlf translates.

A seal covers bytes, so such a file has changed all the same; but nobody edited it, and one line in
.gitattributes mends it.
"""

import hashlib
from pathlib import Path

from goldenseal.disk.files import CHUNK, open_regular

REMEDY = (
    "git translates them where core.autocrlf is on: put `* -text` into .gitattributes and check "
    "the files out again"
)
TEXT_BYTES = 8000  # git takes a file for text when there is no NUL among so many


def as_lf(data: bytes) -> bytes:
    """The same text with LF for CRLF."""
    return data.replace(b"\r\n", b"\n")


def line_ends_only(path: Path, sealed: str) -> str | None:
    """In what the line ends of a text differ, when its SHA-512 was `sealed` but for them.

    Raises UsageError when the file cannot be read.
    """
    lf, crlf = hashlib.sha512(), hashlib.sha512()
    held = b""  # the first half of a CRLF that two chunks share
    with open_regular(path) as file:
        if b"\0" in file.read(TEXT_BYTES):
            return None
        file.seek(0)
        while chunk := file.read(CHUNK):
            data = held + chunk
            held = b"\r" if data.endswith(b"\r") else b""
            text = as_lf(data.removesuffix(held))
            lf.update(text)
            crlf.update(text.replace(b"\n", b"\r\n"))
    for digest, words in ((lf, "CRLF here, sealed LF"), (crlf, "LF here, sealed CRLF")):
        digest.update(held)
        if digest.hexdigest() == sealed:
            return words
    return None
