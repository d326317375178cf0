"""Where the time of `goldenseal verify` goes: processor seconds by gate, of runs and of judgement.

    .venv/bin/python -m benchmarks.verify_profile

A run that several gates look at is made once; it is counted to the first of them. Everything is
done in one process, one after the other, so the sum is not the wall time of a real call, which
uses all cores. Times of child processes (a second rank, Coq) are in.
"""

import resource
import time
from collections import defaultdict
from functools import partial

from rich.console import Console
from rich.table import Table

from goldenseal.config import find_root, systems
from goldenseal.ladder import suite
from goldenseal.ladder.probe import load_object
from goldenseal.ladder.recordings import Recordings


def seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    root = find_root()
    runs, making, judging = (defaultdict[str, float](float) for _ in range(3))
    start = time.perf_counter()
    for system in systems(root):
        probe = load_object(system.probe)
        with Recordings(probe, workers=1) as recordings:
            done = set()
            for rung in suite.ladder():
                name = f"{system.name}: {rung.NAME}"
                missing = [job for job in dict.fromkeys(rung.jobs(probe)) if job not in done]
                done.update(missing)
                runs[name] = len(missing)
                before = seconds()
                recordings.run(missing)
                making[name] = seconds() - before
                before = seconds()
                suite.judged(rung.NAME, partial(rung.judge, recordings))
                judging[name] = seconds() - before
    for module, gate in suite.REPOSITORY:
        before = seconds()
        suite.judged(module.NAME, partial(gate, root))
        judging[module.NAME] = seconds() - before
    total = sum(making.values()) + sum(judging.values())
    table = Table("gate", "runs", "s for runs", "s to judge", "part", box=None)
    for name in judging:
        part = (making[name] + judging[name]) / total
        cells = (f"{runs[name]:.0f}", f"{making[name]:.2f}", f"{judging[name]:.2f}", f"{part:.0%}")
        table.add_row(name, *cells)
    Console(width=110).print(table)
    print(f"{total:.1f} s of processor time, {time.perf_counter() - start:.1f} s by the clock")


if __name__ == "__main__":
    main()
