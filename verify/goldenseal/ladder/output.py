"""What a run prints and writes, as facts that do not depend on where it ran."""

import fnmatch
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path


class LineSink(io.TextIOBase):
    """A standard output that hands over whole lines."""

    def __init__(self, take: Callable[[str], None]):
        self.take, self.rest = take, ""

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep what has no end yet."""
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.take(line)
        return len(text)

    def finish(self) -> None:
        """Hand over a last line without an end."""
        if self.rest:
            self.take(self.rest)
            self.rest = ""


def file_facts(
    folder: Path,
    ignored: Sequence[str],
    logs: Mapping[str, str],
    sources: Sequence[str],
    volatile: Sequence[str],
) -> Iterator[tuple[str, dict[str, str]]]:
    """(name, facts) of each output file, by name.

    ignored: glob patterns of files that are left out.
    logs: glob patterns of logs that begin with the source, each with the line that ends it.
    The folder itself, which another run has not, counts as `.` where a file names it.
    """
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        marker = next((m for p, m in logs.items() if fnmatch.fnmatch(name, p)), None)
        if marker is not None:
            text = path.read_text("utf-8", errors="backslashreplace").replace(str(folder), ".")
            yield name, log_facts(text, marker, sources, volatile)
        elif not any(fnmatch.fnmatch(name, pattern) for pattern in ignored):
            content = path.read_bytes().replace(os.fsencode(folder), b".")
            digest = hashlib.sha512(content).hexdigest()[:16]
            yield name, {"digest": digest, "bytes": str(len(content))}


def log_facts(
    text: str, marker: str, sources: Sequence[str], volatile: Sequence[str]
) -> dict[str, str]:
    """The lines of a log after `marker`, by number, and whether `sources` stand before it.

    Sizes that include the source's are given relative to it, so that two scripts can be compared.
    """
    source, end, rest = text.partition(f"{marker}\n")
    size = len(source.removesuffix("\n").encode())

    def relative(number: re.Match[str]) -> str:
        n = int(number[0])
        return f"source + {n - size}" if n >= size else number[0]

    def comparable(line: str) -> str:
        for pattern in volatile:
            line = re.sub(pattern, lambda part: re.sub(r"\d+", relative, part[0]), line)
        return line

    facts = {"source": str(bool(end) and all(part in source for part in sources))}
    for number, line in enumerate(rest.splitlines(), start=1):
        facts[f"line {number}"] = comparable(line)
    return facts
