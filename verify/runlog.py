"""The chained run log: one JSON line an event, each bound to all lines before it.

A line is an object with `kind`, its facts, optionally `clock` (whatever may differ between two
equal runs: times, joules, sizes of source and compressed files) and `chain`: the SHA-512 of the
previous line's chain followed by the canonical bytes of the line without `chain`. The first line
is of kind `header`, the last of kind `end`; a log without an `end` was cut short. An edited line
breaks the chain from there on.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from verify import canonical
from verify.errors import ContradictedError, UsageError

SCHEMA = 1
START = bytes(64)  # what the first line is chained to


class RunLog:
    """Writes a log. Each line is handed to the operating system when it is written."""

    def __init__(self, path: Path | str, header: Mapping[str, Any]):
        self._file = open(path, "wb", buffering=0)  # closed by end()
        self._chain = START
        self.write("header", {"schema": SCHEMA, **header})

    def write(
        self, kind: str, facts: Mapping[str, Any], clock: Mapping[str, Any] | None = None
    ) -> None:
        """Append one line. `facts` must not use the keys kind, clock and chain."""
        line: dict[str, Any] = {**facts, "kind": kind}
        if clock is not None:
            line["clock"] = dict(clock)
        self._chain = chained(self._chain, line)
        line["chain"] = self._chain.hex()
        self._file.write(canonical.dumps(line) + b"\n")

    def end(self, facts: Mapping[str, Any], clock: Mapping[str, Any] | None = None) -> None:
        """Write the closing line and close the file."""
        self.write("end", facts, clock)
        self._file.close()


def chained(previous: bytes, line: Mapping[str, Any]) -> bytes:
    """The chain value of a line (without its own) after `previous`."""
    return hashlib.sha512(previous + canonical.dumps(line)).digest()


def read_run_log(path: Path, complete: bool = True) -> list[dict[str, Any]]:
    """The lines of a log, chain checked; `complete=False` accepts one that was cut short.

    Raises ContradictedError naming the first line at which the chain breaks, or that the log was
    cut short; UsageError for a line that is not a JSON object.
    """
    lines, previous = [], START
    for number, raw in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        where = f"{path.name}:{number}"
        line = canonical.loads(raw, where)
        if not isinstance(line, dict):
            raise UsageError(f"{where}: not a JSON object")
        chain = line.pop("chain", None)
        previous = chained(previous, line)
        if chain != previous.hex():
            raise ContradictedError(f"{where}: the chain breaks here: this line was edited")
        lines.append(line)
    if not lines or lines[0].get("kind") != "header":
        raise ContradictedError(f"{path.name}: the first line is not a header")
    if complete and lines[-1].get("kind") != "end":
        raise ContradictedError(f"{path.name}:{len(lines)}: the log was cut short: no `end` line")
    return lines


def deterministic(line: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a line that an equal run repeats: all but `clock`."""
    return {key: value for key, value in line.items() if key not in ("clock", "chain")}


def deterministic_digest(lines: Iterable[Mapping[str, Any]]) -> str:
    """SHA-512 over the repeatable part of all lines: equal for bit-identical runs."""
    h = hashlib.sha512()
    for line in lines:
        h.update(canonical.dumps(deterministic(line)) + b"\n")
    return h.hexdigest()
