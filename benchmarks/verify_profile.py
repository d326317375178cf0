"""Where the time of `goldenseal verify` goes: processor seconds by gate, of runs and of judgement.

    .venv/bin/python -m benchmarks.verify_profile [SYSTEM ...]

A run that several gates look at is made once; it is counted to the first of them. Everything is
done in one process after the other, so the sum is not the wall time of a real call, which uses all
cores. Times of child processes (a second rank, Coq) are in. Without a name, all systems and the
gates of the repository.
"""

import argparse
import resource
import time
from collections import defaultdict
from functools import partial

from rich.console import Console
from rich.table import Table

from goldenseal.config import find_root, system, systems
from goldenseal.errors import UsageError
from goldenseal.ladder import suite
from goldenseal.ladder.processes import in_processes
from goldenseal.ladder.recordings import Recordings, warm_up
from goldenseal.ladder.systems import load

Row = tuple[str, float, float, float]  # gate, runs, seconds for them, seconds to judge


def seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def rows_of(name: str, reference: str) -> list[Row]:
    """The rungs of a system."""
    before = seconds()
    probe, imported = load(reference)
    rows = [(f"{name}: import", 0.0, 0.0, seconds() - before)]
    runs, making, judging = (defaultdict[str, float](float) for _ in range(3))
    with Recordings(probe, workers=1, imported=imported) as recordings:
        done = set()
        for rung in suite.ladder():
            missing = [job for job in dict.fromkeys(rung.jobs(probe)) if job not in done]
            done.update(missing)
            runs[rung.NAME] = len(missing)
            before = seconds()
            recordings.run(missing)
            making[rung.NAME] = seconds() - before
            before = seconds()
            suite.judged(rung.NAME, partial(rung.judge, recordings))
            judging[rung.NAME] = seconds() - before
    return rows + [(f"{name}: {n}", runs[n], making[n], judging[n]) for n in runs]


def main() -> None:
    root = find_root()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choices = [each.name for each in systems(root)]
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=", ".join(choices))
    try:
        named = [system(root, name) for name in parser.parse_args().systems]
    except UsageError as error:
        parser.error(str(error))
    start = time.perf_counter()
    before = seconds()
    warm_up()
    rows: list[Row] = [("torch", 0.0, 0.0, seconds() - before)]
    for each in named or systems(root):
        before = seconds()
        ((_, ended),) = in_processes([partial(rows_of, each.name, each.probe)], 1)
        if ended.value is None:
            raise SystemExit(f"{each.name}: {ended.error or ended.exit_code}")
        rows += ended.value
        print(f"{each.name}: {seconds() - before:.1f} s of processor time", flush=True)
    for name in () if named else suite.repository_gates(root)[0]:
        before = seconds()
        suite.run_repository_gates(root, [name], lambda name: None)
        rows.append((name, 0.0, 0.0, seconds() - before))
    total = sum(making + judging for _, _, making, judging in rows)
    table = Table("gate", "runs", "s for runs", "s to judge", "part", box=None)
    for name, runs, making, judging in rows:
        part = (making + judging) / total
        table.add_row(name, f"{runs:.0f}", f"{making:.2f}", f"{judging:.2f}", f"{part:.0%}")
    Console(width=110).print(table)
    print(f"{total:.1f} s of processor time, {time.perf_counter() - start:.1f} s by the clock")


if __name__ == "__main__":
    main()
