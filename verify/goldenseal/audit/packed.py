"""Scripts that are packed into a text literal: unpacked for reading, never run."""

import base64
import lzma
import re
import zlib
from collections.abc import Callable

MAX_UNPACKED = 1 << 23  # bytes; a bomb is not opened further
LITERAL = re.compile(r"""[bB]?(["'])([^\s"'\\]{400,})\1""")
RAW = [{"id": lzma.FILTER_LZMA2}]


def is_packed(text: str) -> bool:
    """Whether a script is a wrapper around a packed one, of whatever kind."""
    return "exec" in text and LITERAL.search(text) is not None


def unpacked(text: str) -> str:
    """The script inside a wrapper (LZMA or zlib, base85 or base64); "" when there is none."""
    match = LITERAL.search(text)
    if not match:
        return ""
    for decode in (base64.b85decode, base64.b64decode, base64.a85decode):
        try:
            packed = decode(match[2])
        except ValueError:
            continue
        for opener in OPENERS:
            try:
                inner = opener(packed).decode("utf-8")
            except (lzma.LZMAError, zlib.error, UnicodeDecodeError, EOFError, MemoryError):
                continue
            if "import" in inner or "def " in inner:
                return inner
    return ""


def _xz(packed: bytes) -> bytes:
    return lzma.LZMADecompressor().decompress(packed, MAX_UNPACKED)


def _raw_lzma(packed: bytes) -> bytes:
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=RAW).decompress(packed, MAX_UNPACKED)


def _zlib(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, MAX_UNPACKED)


OPENERS: tuple[Callable[[bytes], bytes], ...] = (_xz, _raw_lzma, _zlib)
