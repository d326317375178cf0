"""What is already known: one JSON line a mutant, so that a killed run goes on where it was."""

import json
import os
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from goldenseal.mutate.operators import Mutant

FOLDER = Path(".goldenseal") / "mutants"


class State:
    """The results for one source. Each line names the source that it belongs to."""

    def __init__(self, root: Path, system: str, source: str):
        self.path = root / FOLDER / f"{system}-{source[:16]}.jsonl"
        self.source = source
        self.results: dict[str, dict[str, Any]] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._read()

    def _read(self) -> None:
        """A last line without its end was being written when the run was killed: it is dropped.

        Raises UsageError for a line that is damaged or belongs to another source.
        """
        whole, _, rest = self.path.read_bytes().rpartition(b"\n")
        for number, line in enumerate(whole.splitlines(), start=1):
            place = f"{self.path}:{number}"
            entry = canonical.loads(line, place)
            if not isinstance(entry, dict) or {"source", "mutant", "result"} - set(entry):
                raise UsageError(f"{place}: is no result of a mutant; remove the file")
            if entry["source"] != self.source:
                raise UsageError(f"{place}: belongs to another source; remove the file")
            self.results[entry["mutant"]] = entry["result"]
        if rest:
            with open(self.path, "rb+") as file:
                file.truncate(len(whole) + 1 if whole else 0)

    def known(self, mutant: Mutant) -> dict[str, Any] | None:
        """The result of a mutant, if there is one."""
        return self.results.get(mutant.identity)

    def add(self, mutant: Mutant, result: dict[str, Any]) -> None:
        """Keep a result; once this returns it survives a kill of the program."""
        entry = {"source": self.source, "mutant": mutant.identity, "key": mutant.key}
        line = json.dumps({**entry, "result": result}, sort_keys=True, ensure_ascii=False)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.results[mutant.identity] = result
