"""What the gates on two commands cost beside the command itself, in turn on one machine.

    .venv/bin/python -m benchmarks.pair [--rounds N] [--steps N]

The script is tests/foreign/plain: one file, set by environment variables, with a checkpoint that it
resumes. The pair has every gate, a feature that is on, and the resumed run, in one process at a
time. A recording alone is one run of the baseline under the recorder, untraced; both it and the
plain run import torch. Seconds are of the processor, children included.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.beside import ROOT, processor

IDIOM = "plain"
HERE = f"import sys; sys.path.insert(0, {str(ROOT)!r})"
PAIR_GOAL, RECORDING_GOAL = 12.0, 1.5


def record(steps: str) -> None:
    """One recording of the baseline's command, and nothing else."""
    from goldenseal.ladder import description
    from goldenseal.ladder.recordings import Job, Recordings
    from goldenseal.schema import parse
    from tests.foreign.pairs import idioms

    table, _ = idioms()[IDIOM]
    run = table["verify"] | {"environment": {"STEPS": steps}}
    written = parse(description.Description, run, "pair.toml")
    with tempfile.TemporaryDirectory() as sides:
        probe = description.probe_of(
            written, "pair.toml", Path(sides).resolve(), "./baseline", "./candidate"
        )
        job = Job("record", "baseline", probe.scenarios[0].name)
        with Recordings(probe, 1) as recordings:
            recordings.run([job])
            error = recordings.recording(job).error
    if error:
        sys.exit(f"the recorded run fails: {error}")


def pair(folder: Path) -> float:
    """Every gate on the idiom's correct candidate."""
    code = (
        f"{HERE}; from pathlib import Path; from tests.foreign.pairs import idioms, judge; "
        f"found = judge({IDIOM!r}, idioms()[{IDIOM!r}][0], Path('.').resolve()); "
        "sys.exit(None if found.verdict.value == 'pass' else str(found))"
    )
    folder.mkdir()
    return processor(ROOT, ["-c", code], folder)


def main() -> None:
    """Print the medians and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200, help="of the run that is recorded alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        work = Path(made).resolve()
        for side in ("baseline", "candidate"):
            shutil.copytree(ROOT / "tests/foreign" / IDIOM, work / side)
        call = f"import benchmarks.pair; benchmarks.pair.record('{options.steps}')"
        alone = ["-c", f"{HERE}; {call}"]
        seconds: dict[str, list[float]] = {"short": [], "pair": [], "long": [], "recorded": []}
        for number in range(options.rounds):
            for name, steps in (("short", "5"), ("long", str(options.steps))):
                os.environ["STEPS"] = steps
                seconds[name].append(processor(ROOT, ["train.py"], work / "baseline"))
            del os.environ["STEPS"]
            seconds["pair"].append(pair(work / f"pair {number}"))
            seconds["recorded"].append(processor(ROOT, alone, work))
            shown = "  ".join(f"{name} {of[-1]:.2f} s" for name, of in seconds.items())
            print(f"round {number + 1}: {shown}", flush=True)
    short, whole, long, recorded = (median(of) for of in seconds.values())
    print(f"the pair over the plain run: {whole / short:.1f} (goal: at most {PAIR_GOAL})")
    print(f"a recording over the plain run: {recorded / long:.2f} (goal: at most {RECORDING_GOAL})")


if __name__ == "__main__":
    main()
