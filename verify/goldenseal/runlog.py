"""The chained run log: one JSON line an event, each bound to all lines before it.

A line is an object with `kind`, its facts, optionally `clock` (whatever may differ between two
equal runs: times, joules, sizes of source and compressed files) and `chain`: the SHA-512 of the
previous line's chain followed by the canonical bytes of the line without `chain`. The first line
is of kind `header`, the last of kind `end`; a log without an `end` was cut short. An edited line
breaks the chain from there on.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import open_regular
from goldenseal.errors import ContradictedError, UsageError

SCHEMA = 1
START = bytes(64)  # what the first line is chained to
MAX_LINE_BYTES = 1 << 20
HEX_FLOAT = re.compile(r"-?(0x[01]\.[0-9a-f]+p[+-]\d+|inf)|nan")  # how a line holds a float


class RunLog:
    """Writes a log. Each line is handed to the operating system when it is written."""

    def __init__(self, path: Path | str, header: Mapping[str, Any]):
        self._file = open(path, "wb", buffering=0)  # closed by end()
        self._chain = START
        self.write("header", {"schema": SCHEMA, **header})

    @classmethod
    def resume(cls, path: Path, size: int) -> "RunLog":
        """Go on with a log after its first `size` bytes; what follows them is cut off.

        Raises ContradictedError when it is shorter than that, or its chain breaks before;
        UsageError for what is no log, or no file.
        """
        with open_regular(path) as file:
            kept = file.read(size)
        if len(kept) < size or not kept.endswith(b"\n"):
            raise ContradictedError(f"{path.name}: no line of it ends after {size} bytes")
        chain = START
        for number, raw in enumerate(kept[:-1].split(b"\n"), start=1):
            _, chain = _check_line(raw, chain, f"{path.name}:{number}")
        log = cls.__new__(cls)
        log._file, log._chain = open(path, "r+b", buffering=0), chain
        log._file.truncate(size)
        log._file.seek(size)
        return log

    def sync(self) -> int:
        """Write through to the disk; returns the bytes so far."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def write(
        self, kind: str, facts: Mapping[str, Any], clock: Mapping[str, Any] | None = None
    ) -> None:
        """Append one line. `facts` must not use the keys kind, clock and chain."""
        line: dict[str, Any] = {**facts, "kind": kind}
        if clock is not None:
            line["clock"] = dict(clock)
        self._chain = chained(self._chain, canonical.dumps(line))
        line["chain"] = self._chain.hex()
        self._file.write(canonical.dumps(line) + b"\n")

    def end(self, facts: Mapping[str, Any], clock: Mapping[str, Any] | None = None) -> None:
        """Write the closing line and close the file."""
        self.write("end", facts, clock)
        self._file.close()


def chained(previous: bytes, body: bytes) -> bytes:
    """The chain value of a line, given as canonical bytes without its own, after `previous`."""
    return hashlib.sha512(previous + body).digest()


def read_run_log(path: Path, complete: bool = True) -> list[dict[str, Any]]:
    """The lines of a log without their chains; see `run_log_lines`."""
    return list(run_log_lines(path, complete))


def run_log_lines(path: Path, complete: bool = True) -> Iterator[dict[str, Any]]:
    """The lines of a log, one after the other, each once its chain is checked.

    `complete=False` accepts a log that was cut short. Raises ContradictedError naming the first
    line at which the chain breaks, or that the log was cut short or goes on after its end;
    UsageError for a line that is no JSON object with a `kind`, or longer than 1 MiB.
    """
    chain, kind, number = START, None, 0
    with open_regular(path) as file:
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{path.name}:{number}"
            if kind == "end":
                raise ContradictedError(f"{where}: the log goes on after its `end` line")
            if not raw.endswith(b"\n"):
                if len(raw) > MAX_LINE_BYTES:
                    raise UsageError(f"{where}: a line of more than {MAX_LINE_BYTES} bytes")
                break  # cut short within a line
            line, chain = _check_line(raw[:-1], chain, where)
            kind = line["kind"]
            if number == 1 and kind != "header":
                raise ContradictedError(f"{where}: the first line is not a header")
            yield line
    if kind is None:
        raise ContradictedError(f"{path.name}: the log has no header: it is empty")
    if complete and kind != "end":
        raise ContradictedError(f"{path.name}:{number}: the log was cut short: no `end` line")


def _check_line(raw: bytes, previous: bytes, where: str) -> tuple[dict[str, Any], bytes]:
    if raw.endswith(b"\r"):
        raise ContradictedError(f"{where}: CRLF for LF, as git makes it where core.autocrlf is on")
    line = canonical.loads(raw, where)
    if not isinstance(line, dict) or not isinstance(line.get("kind"), str):
        raise UsageError(f"{where}: not a JSON object with a `kind`")
    stated = str(line.pop("chain", ""))
    # `kind` follows `chain` in canonical order, so a comma follows it too.
    body = raw.replace(b'"chain":"%b",' % stated.encode(), b"", 1)
    chain = chained(previous, body)
    if stated != chain.hex() or not canonical.is_canonical(body, line):
        raise ContradictedError(f"{where}: the chain breaks here: this line was edited")
    return line, chain


def deterministic(line: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a line that an equal run repeats: all but `clock`."""
    return {key: value for key, value in line.items() if key not in ("clock", "chain")}


def deterministic_digest(lines: Iterable[Mapping[str, Any]]) -> str:
    """SHA-512 over the repeatable part of all lines: equal for bit-identical runs."""
    h = hashlib.sha512()
    for line in lines:
        h.update(canonical.dumps(deterministic(line)) + b"\n")
    return h.hexdigest()
