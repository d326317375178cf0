"""Start-up of the command, and small work with it, beside an earlier build: processor time.

    python -m benchmarks.startup --against 684351e [--rounds 7]

In turn, a process each: `--help`; `check` of one sealed record; `claims` of one document with one
claim; `verify --only theorems`, nothing changed (each build has built its theorems before, which is
not counted). Wall time on a shared machine is everybody's, so processor time is told.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks.beside import ROOT, checkout, package, processor

RECORD = "records/track_cpu_small/2026-11-23_SmallGPT"
DOCUMENT = """<!-- claims
steps = { record = "63300667", file = "record.json", pointer = "/knobs/ITERATIONS" }
-->

It took 300<!--=steps--> steps.
"""


def small_repository(folder: Path) -> Path:
    """One sealed record and one claim: both builds check the same files."""
    shutil.copytree(ROOT / RECORD, folder / RECORD)
    (folder / "pyproject.toml").write_text('[tool.goldenseal]\nclaims = ["CLAIMS.md"]\n')
    (folder / "CLAIMS.md").write_text(DOCUMENT)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", metavar="REVISION", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--theorems", action="store_true", help="Also the gate; builds both first.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        trees = {"now": ROOT, options.against: checkout(options.against, Path(name) / "before")}
        small = small_repository(Path(name) / "small")
        commands: list[tuple[list[str], Path | None]] = [
            (["--help"], small),
            (["check", RECORD], small),
            (["claims"], small),
        ]
        if options.theorems:
            commands.append((["verify", "--only", "theorems"], None))
        for words, where in commands:
            times: dict[str, list[float]] = {key: [] for key in trees}
            for _ in range(options.rounds + 1):
                for key, tree in trees.items():
                    code = ["-m", package(tree)[0], *words]
                    times[key].append(processor(tree, code, where or tree))
            now, before = (statistics.median(each[1:]) for each in times.values())
            print(
                f"{' '.join(words):25} {now:.3f} s, {before:.3f} s before: {now / before:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
