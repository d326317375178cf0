"""Scripts that are packed into a text literal: unpacked for reading, never run."""

import base64
import binascii
import lzma
import re
import zlib

MAX_UNPACKED = 1 << 23  # bytes; a bomb is not opened further
LITERAL = re.compile(r"""(?:[bB]?)(["'])([!-~]{400,})\1""")


def unpacked(text: str) -> str:
    """The script inside a wrapper (LZMA or zlib, base85 or base64); "" when there is none."""
    found = LITERAL.search(text)
    if not found:
        return ""
    for decode in (base64.b85decode, base64.b64decode, base64.a85decode):
        try:
            packed = decode(found[2])
        except (ValueError, binascii.Error):
            continue
        if opened := _open(packed):
            return opened
    return ""


def _open(packed: bytes) -> str:
    raw = [{"id": lzma.FILTER_LZMA2}]
    for opener in (
        lambda: lzma.LZMADecompressor().decompress(packed, MAX_UNPACKED),
        lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=raw).decompress(
            packed, MAX_UNPACKED
        ),
        lambda: zlib.decompressobj().decompress(packed, MAX_UNPACKED),
        lambda: zlib.decompressobj(-15).decompress(packed, MAX_UNPACKED),
    ):
        try:
            text = opener().decode("utf-8")
        except (lzma.LZMAError, zlib.error, UnicodeDecodeError, EOFError, MemoryError):
            continue
        if "import" in text or "def " in text:
            return text
    return ""
