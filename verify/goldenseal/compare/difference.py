"""Where two runs part: the first log line and key, the first tensor, and by how much."""

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from goldenseal.compare.tensors import tensor_difference
from goldenseal.disk import canonical
from goldenseal.disk.files import CHUNK, is_sha512, open_regular
from goldenseal.errors import CannotCheckError
from goldenseal.runlog import HEX_FLOAT, deterministic

MAX_SHOWN = 80
MAX_FLOAT32 = 2.0**128
ABSENT = object()


def log_difference(
    sealed: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], first: str = "sealed"
) -> str | None:
    """The first line at which two logs part, with both values; the numeric class alone is none.

    `first` is what the value of the first log is called.
    """
    for a, b in zip(sealed, new, strict=False):
        parted = list(_parted(_comparable(a), _comparable(b)))
        if parted:
            key, x, y = parted[0]
            where = f"step {_show(a['step'])}" if "step" in a else _show(a["kind"])
            far = distance(x, y)
            also = ", ".join(_show(name) for name, _, _ in parted[1:6])
            return (
                f"{where}: {_show(key)} is {_show(y)}, {first} {_show(x)}{far}"
                f"{'; also ' + also if also else ''}"
            )
    if len(sealed) != len(new):
        return f"the log has {len(new)} lines, {first} {len(sealed)}"
    return None


def parting_step(
    sealed: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> int | None:
    """The step of the first line at which two logs part; None when that line is of no step."""
    for a, b in zip(sealed, new, strict=False):
        if a["kind"] == "step" and next(_parted(_comparable(a), _comparable(b)), None):
            return a["step"] if type(a["step"]) is int else None
    return None


def differences(sealed: Any, new: Any, limit: int = 8, first: str = "sealed") -> list[str]:
    """Each place at which two JSON documents part, with both values, the first `limit` of them."""
    parted = [
        f"{f'{_show(key)} ' if key else ''}is {_show(y)}, {first} {_show(x)}"
        for key, x, y in _parted(sealed, new)
    ]
    return [*parted[:limit], *([f"and {len(parted) - limit} more"] if len(parted) > limit else [])]


def file_difference(sealed: Path, new: Path) -> str | None:
    """In what two files differ: for safetensors the first tensor with both values, in file order.

    Raises UsageError when the sealed file cannot be read.
    """
    if new.is_symlink() or not new.is_file():
        return "was not written"
    place = _first_different_byte(sealed, new)
    if place is None:
        return None
    other_bytes = f"other bytes, from byte {place} on"
    if sealed.suffix != ".safetensors":
        return other_bytes
    try:
        return tensor_difference(sealed, new) or other_bytes
    except CannotCheckError as error:  # which tensor is not known; that the bytes differ is
        return f"{other_bytes} ({error})"


def furthest_result(sealed: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, float] | None:
    """(name, relative difference) of the final result that differs most; None without results."""
    far = {
        name: relative(sealed[name], new.get(name)) for name in sealed if as_number(sealed[name])
    }
    if not far:
        return None
    name = max(sorted(far), key=lambda key: far[key])
    return name, far[name]


def outside(
    envelope: Mapping[str, float], sealed: Mapping[str, Any], new: Mapping[str, Any]
) -> list[str]:
    """The results that differ by more than the envelope allows, in words."""
    beyond = []
    for name, limit in sorted(envelope.items()):
        far = relative(sealed.get(name), new.get(name))
        if not far <= limit:
            beyond.append(
                f"{_show(name)} differs by {far:.2g}, relative; the envelope is {limit:g}"
            )
    return beyond


def relative(a: Any, b: Any) -> float:
    """|a - b| / max(|a|, |b|) of two numbers or hex floats; infinite where that has no meaning."""
    x, y = as_number(a), as_number(b)
    if x is None or y is None:
        return float("inf")
    if x == y:
        return 0.0
    far = abs(x - y) / max(abs(x), abs(y))
    return far if far == far else float("inf")


def as_number(value: Any) -> float | None:
    """A number or hex float as a float; None for anything else."""
    if isinstance(value, str) and HEX_FLOAT.fullmatch(value):
        return float.fromhex(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None


def distance(a: Any, b: Any) -> str:
    """How far two numbers are apart, as the end of a sentence; empty for anything else."""
    x, y = as_number(a), as_number(b)
    if x is None or y is None or isinstance(a, int) or isinstance(b, int):
        return ""
    return f"; relative difference {relative(a, b):.2g}{ulps(x, y)}"


def ulps(x: float, y: float) -> str:
    """The distance in units in the last place: of float32 where both are such, else of float64."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return ""
    single = all(
        abs(v) < MAX_FLOAT32 and struct.unpack("<f", struct.pack("<f", v))[0] == v for v in (x, y)
    )
    places = [_place(v, "<f", "<i") if single else _place(v, "<d", "<q") for v in (x, y)]
    return f", {abs(places[0] - places[1])} ulp of {'float32' if single else 'float64'}"


def _place(value: float, as_float: str, as_integer: str) -> int:
    """The number of the float when all are counted from zero, in order."""
    (bits,) = struct.unpack(as_integer, struct.pack(as_float, value))
    if bits >= 0:
        return int(bits)
    size = 8 * struct.calcsize(as_integer)
    return -int(bits + 2 ** (size - 1))


def _comparable(line: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in deterministic(line).items() if key != "numeric_class"}


def _parted(a: Any, b: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(key, sealed, new) of each difference, keys of inner objects joined by dots."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            inner = f"{path}.{key}" if path else key
            yield from _parted(a.get(key, ABSENT), b.get(key, ABSENT), inner)
    elif ABSENT in (a, b) or canonical.dumps(a) != canonical.dumps(b):
        yield path, a, b


def _show(value: Any) -> str:
    """A value of a stranger's file on one line, without what could steer a terminal."""
    if value is ABSENT:
        return "absent"
    if isinstance(value, str) and HEX_FLOAT.fullmatch(value):
        return f"{value} ({float.fromhex(value):.9g})"
    if isinstance(value, str) and is_sha512(value):
        return f"{value[:16]}…"
    text = json.dumps(value)
    if value and isinstance(value, str) and value.isascii() and value.isprintable():
        text = value
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _first_different_byte(a: Path, b: Path) -> int | None:
    place = 0
    with open_regular(a) as one, open_regular(b) as other:
        while True:
            x, y = one.read(CHUNK), other.read(CHUNK)
            if x != y:
                same = (i for i, (p, q) in enumerate(zip(x, y, strict=False)) if p != q)
                return place + next(same, min(len(x), len(y)))
            if not x:
                return None
            place += len(x)
