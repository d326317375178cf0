"""Off means off, asked of a pair by one function: the pytest plugin calls it, and anybody may.

It types the command line in a process of its own, so that what it judges cannot depend on what the
caller has imported, and torch is loaded there alone.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.errors import EXIT_HOLDS

PROBE = "probe.toml"


@dataclass(frozen=True)
class Judged:
    """What the gates said of a pair: exit code of `goldenseal verify`, its JSON, its words."""

    exit_code: int
    document: dict[str, Any]
    said: str

    @property
    def holds(self) -> bool:
        """Whether every gate passed; a gate that could not run is no pass."""
        return self.exit_code == EXIT_HOLDS

    def lines(self) -> Iterator[str]:
        """One line a gate that did not pass, its findings below it; else what was said."""
        for gate in self.document.get("gates", []):
            if gate["verdict"] != "pass":
                yield f"{gate['verdict']}: {gate['gate']}: {gate['summary']}"
                yield from (f"  · {finding}" for finding in gate["findings"])
        if "gates" not in self.document:  # no gate was run
            yield self.said


def judge_pair(
    baseline: Path | str,
    candidate: Path | str,
    *,
    probe: Path | str | None = None,
    command: Sequence[str] = (),
    options: Sequence[str] = (),
    only: Sequence[str] = (),
    jobs: int = 0,
    folder: Path | None = None,
) -> Judged:
    """`goldenseal verify` on a baseline and a candidate, in `folder` (the present one).

    probe: how two scripts are run; left out, it is the probe.toml beside the candidate, if there is
    one. command: the words after `--`. options: further words before it.
    """
    here = folder or Path.cwd()
    beside = (here / candidate).parent / PROBE
    if probe is None and not command and Path(candidate).suffix == ".py" and beside.is_file():
        probe = beside.resolve()
    words = ["--baseline", str(baseline), "--candidate", str(candidate), "--jobs", str(jobs)]
    words += ["--probe", str(probe)] if probe is not None else []
    words += [word for gate in only for word in ("--only", gate)]
    words += [*options, *(("--", *command) if command else ())]
    done = subprocess.run(
        [sys.executable, "-m", "goldenseal", "verify", "--json", *words],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        document = json.loads(done.stdout)
    except ValueError:
        document = {}
    return Judged(done.returncode, document, done.stderr.strip() or done.stdout.strip())
