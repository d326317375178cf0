"""Small training scripts in common idioms, with a correct feature each, and faults to be found.

A folder holds the script and `pair.toml`: how it is run ([verify]), the edits that make the
candidate ([[feature]]), and further edits that are faults ([[fault]]), each with a pattern that a
finding must match for its cause to count as named.
"""

import contextlib
import importlib.util
import io
import os
import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from goldenseal.errors import GoldensealError
from goldenseal.ladder import description, suite
from goldenseal.result import Verdict
from goldenseal.schema import parse

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Judged:
    """What the gates say of a pair: findings by gate, and the worst verdict."""

    verdict: Verdict
    findings: tuple[str, ...]

    def names(self, pattern):
        """Whether a finding matches."""
        return any(re.search(pattern, finding) for finding in self.findings)


def idioms():
    """Name: (its table, what it needs that is not installed here)."""
    found = {}
    for path in sorted(HERE.glob("*/pair.toml")):
        table = tomllib.loads(path.read_text())
        needs = table.pop("needs", [])
        found[path.parent.name] = table, [n for n in needs if importlib.util.find_spec(n) is None]
    return found


def edited(folder, edits):
    """Apply edits to the files of a folder; what is to be replaced must be there once."""
    for edit in edits:
        path = folder / edit["file"]
        text = path.read_text()
        assert text.count(edit["old"]) == 1, (edit["file"], edit["old"], text.count(edit["old"]))
        path.write_text(text.replace(edit["old"], edit["new"]))


def judge(name, table, into, fault=None, only=(), workers=1):
    """The gates on the idiom's candidate, with a fault or without."""
    for side in ("baseline", "candidate"):
        shutil.copytree(HERE / name, into / side, ignore=shutil.ignore_patterns("__pycache__"))
    edited(into / "candidate", table["feature"])
    if fault is not None:
        edited(into / "candidate", [fault])
    (into / "sides").mkdir()
    written = parse(description.Description, table["verify"], "pair.toml")
    before = os.getcwd()
    os.chdir(into)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            probe = description.probe_of(
                written, "pair.toml", into / "sides", "./baseline", "./candidate"
            )
            results = suite.run_commands(probe, only, lambda *told: None, workers)
    except GoldensealError as error:
        return Judged(Verdict.NOT_RUN, (str(error),))
    finally:
        os.chdir(before)
    texts = tuple(f"{r.gate}: {text}" for r in results for text in r.findings)
    return Judged(suite.worst(results), texts)


def say(text):
    """One line, at once."""
    print(text, flush=True)
    sys.stdout.flush()
