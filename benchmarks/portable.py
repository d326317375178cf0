"""Is the portable lane portable? Real runs, bit for bit, on this CPU and on emulated ones.

    .venv/bin/python -m benchmarks.portable            # what `make portable` calls
    .venv/bin/python -m benchmarks.portable --models Haswell,EPYC --lanes portable
    .venv/bin/python -m benchmarks.portable --set MODEL_DIM=64 --set TRAIN_SEQ_LEN=128
    .venv/bin/python -m benchmarks.portable --write-covered    # extends kit/covered.txt

Each run trains, evaluates, exports and adapts for a few steps while every operation's result is
digested; equal means that all of these, and the files written, agree. A difference is named by the
first operation that differs, where both runs had the same inputs. The native lane and the last
system, which computes a root by the route that the lane forbids, are there to differ: a trial that
finds no difference in them shows nothing.

Emulation is qemu's user mode (Debian: `apt install qemu-user`): the interpreter itself runs on the
emulated CPU. Exit code 0: portable is equal everywhere and covered.txt is complete; 1: it is not;
3: it could not be checked, for want of qemu or because a run failed.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.portable_settings import (
    CREDIT,
    CREDIT_CB,
    CREDIT_DFA,
    CREDIT_EP,
    CREDIT_FA,
    CREDIT_SB,
    DUAL,
    MORE_FEATURES,
    OTHER_PATHS,
    SMALL,
    SOUP,
    SOUP_ON,
    STUDENT,
    VIT,
    VIT_ON,
)
from goldenseal.config import python_path

ROOT = Path(__file__).parents[1]
COVERED_FILE = ROOT / "train_gpt_style" / "kit" / "covered.txt"
QEMU = "qemu-x86_64"
HOST = "this CPU"
# Two makers; the first two have AVX only: no AVX2, no fused multiply-add.
MODELS = ("SandyBridge", "Opteron_G4", "Haswell", "EPYC", "Skylake-Server")


@dataclass(frozen=True, eq=False)
class System:
    """A program and the environment of its small run."""

    name: str
    program: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    lanes: tuple[str, ...] = ("portable",)
    must_differ: bool = False


class RunFailed(Exception):
    """The program did not get to its end on some CPU."""


GEOMETRY = str(ROOT / "benchmarks" / "portable_geometry.py")
VALUES = str(ROOT / "benchmarks" / "portable_values.py")
SYSTEMS = (
    System("gpt", ("train_gpt_style.gpt",), SMALL, lanes=("portable", "native")),
    System("gpt, other paths", ("train_gpt_style.gpt",), OTHER_PATHS),
    System("gpt, more features", ("train_gpt_style.gpt",), MORE_FEATURES),
    System("vit_rft", ("train_gpt_style.vit_rft",), VIT),
    System("vit_rft, RFT", ("train_gpt_style.vit_rft",), VIT_ON),
    System("credit", ("train_gpt_style.credit",), CREDIT),
    System("credit, fa", ("train_gpt_style.credit",), CREDIT_FA),
    System("credit, dfa", ("train_gpt_style.credit",), CREDIT_DFA),
    System("credit, ep", ("train_gpt_style.credit",), CREDIT_EP),
    System("credit, state-bridge", ("train_gpt_style.credit",), CREDIT_SB),
    System("credit, credit-bridge", ("train_gpt_style.credit",), CREDIT_CB),
    System("dual_stream", ("train_gpt_style.dual_stream",), DUAL),
    System("geometry", (GEOMETRY,)),
    System("soup", ("train_gpt_style.soup",), SOUP),
    System("soup, consensus", ("train_gpt_style.soup",), SOUP_ON),
    System("soup_student", ("train_gpt_style.soup_student",), STUDENT),
    System("values", (VALUES,), lanes=("portable", "native")),
    System("forbidden root", (VALUES, "--sqrt"), must_differ=True),
)


# ----------------------------------------------------------------------------------------------
# Running one system on one CPU
# ----------------------------------------------------------------------------------------------


def command(model: str) -> list[str]:
    """The interpreter, on the emulated CPU unless `model` is HOST."""
    interpreter = os.path.realpath(sys.executable)
    return [interpreter] if model == HOST else [QEMU, "-cpu", model, interpreter]


def run_all(systems, model: str, lane: str, data: dict[str, str], folder: Path):
    """Run each system on one CPU; {system: trace or RunFailed}, a trace closed by digests of files.

    They are forks of one process (`portable_runs.py`), which under emulation is most of the time.
    """
    plan, places = [], {}
    for number, system in enumerate(systems):
        places[system] = place = folder / str(number)
        place.mkdir(parents=True)
        arguments = ["--trace", str(place / "trace.txt"), *system.program]
        plan.append((str(place), {"HOME": str(place), **system.environment}, arguments))
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    environment = {
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", ""),
        # Emulated, the interpreter does not see that it belongs to a virtual environment.
        "PYTHONPATH": os.pathsep.join(
            [str(ROOT), python_path(ROOT), sysconfig.get_paths()["purelib"]]
        ),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMERICS": lane,
        "OMP_NUM_THREADS": "1",  # in the native lane too: the CPU is to be the only difference
        "MKL_NUM_THREADS": "1",
        **data,
    }
    done = subprocess.run(
        [*command(model), "-m", "benchmarks.portable_runs", str(folder / "plan.json")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return {system: outcome(system, model, place, done) for system, place in places.items()}


def outcome(system: System, model: str, place: Path, done) -> "Path | RunFailed":
    """The trace of one run, or its last words; of one that never began, its process's."""
    code, said = done.returncode, done.stdout + done.stderr
    if (place / "exit.txt").is_file():
        code = int((place / "exit.txt").read_text(encoding="utf-8"))
        parts = (place / "printed.txt", place / "errors.txt")
        said = "".join(part.read_text(encoding="utf-8", errors="replace") for part in parts)
    elif code == 0:
        code = 70  # it never began
    if code != 0:
        words = " / ".join(said.strip().splitlines()[-3:])
        return RunFailed(f"{system.name} on {model}: exit {code}: {words}")
    trace = place / "trace.txt"
    with trace.open("a", encoding="utf-8") as file:
        for path in sorted(place.glob("*.safetensors*")):
            print(f"file {path.name} -> {digest(path)}", file=file)
    return trace


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_difference(expected: Path, actual: Path) -> str | None:
    """The first line where two traces part, without its digests; None when they are the same."""
    with expected.open(encoding="utf-8") as left, actual.open(encoding="utf-8") as right:
        for number, (a, b) in enumerate(zip_longest(left, right, fillvalue=""), start=1):
            if a != b:
                return f"{number}: {(a or b).partition(' ->')[0]}"
    return None


def operations(trace: Path) -> set[str]:
    """The signatures of a trace, as in covered.txt."""
    lines = trace.read_text(encoding="utf-8").splitlines()
    return {line.partition(" | ")[0] for line in lines if not line.startswith("file ")}


# ----------------------------------------------------------------------------------------------
# The trial
# ----------------------------------------------------------------------------------------------


def trial(systems, models, jobs, folder, report):
    """Every system on every CPU in its lanes: {(system, lane, model): trace or RunFailed}."""
    from train_gpt_style.gpt.probe_data import write

    (folder / "data").mkdir()
    data = write(folder / "data")
    lanes = sorted({lane for s in systems for lane in s.lanes}, reverse=True)
    groups = [(lane, model) for model in (HOST, *models) for lane in lanes]

    def group(case):
        lane, model = case
        mine = [s for s in systems if lane in s.lanes]
        place = folder / f"{lane}_{model}".replace(" ", "-")
        found = run_all(mine, model, lane, data, place)
        report(f"ran {len(mine)} programs, {lane} lane, {model}")
        return {(system, lane, model): trace for system, trace in found.items()}

    with ThreadPoolExecutor(jobs) as pool:
        return {key: trace for each in pool.map(group, groups) for key, trace in each.items()}


def tabulate(systems, models, traces, console):
    """Print one table a system; returns the contradictions, as sentences."""
    wrong, expected_to_differ, differed = [], False, False
    for system in systems:
        table = Table(title=system.name, title_justify="left")
        for heading in ("CPU", "lane", "digest", "against this CPU", "first differing operation"):
            table.add_column(heading, overflow="fold")
        for lane in system.lanes:
            reference = traces[system, lane, HOST]
            table.add_row(HOST, lane, digest(reference)[:16], "", "")
            must_agree = lane == "portable" and not system.must_differ
            expected_to_differ |= not must_agree
            for model in models:
                trace = traces[system, lane, model]
                if isinstance(trace, RunFailed):
                    table.add_row(model, lane, "", "could not run", str(trace))
                    continue
                place = first_difference(reference, trace)
                verdict = "equal" if place is None else "different"
                table.add_row(model, lane, digest(trace)[:16], verdict, place or "")
                if place is not None and must_agree:
                    wrong.append(f"{system.name} on {model} differs at operation {place}")
                differed |= place is not None
        console.print(table)
    if expected_to_differ and not differed:
        wrong.append("nothing differed where it had to: this trial cannot see differences")
    return wrong


def main(arguments=None) -> int:
    """Run the trial as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portable")
    parser.add_argument("--models", default=",".join(MODELS), help="of `qemu-x86_64 -cpu help`")
    parser.add_argument("--lanes", default="portable,native", help="native: for contrast")
    parser.add_argument("--systems", help="names, separated by semicolons; all by default")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a knob")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--write-covered", action="store_true", help="extend kit/covered.txt")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 130)
    if shutil.which(QEMU) is None:
        print(f"could not check: {QEMU} is not installed; on Debian: apt install qemu-user")
        return 3
    knobs = dict(text.split("=", 1) for text in options.set)
    wanted = options.systems.split(";") if options.systems else [s.name for s in SYSTEMS]
    models, lanes = options.models.split(","), options.lanes.split(",")
    systems = [
        replace(
            s,
            environment={**s.environment, **knobs},
            lanes=tuple(lane for lane in s.lanes if lane in lanes),
        )
        for s in SYSTEMS
        if s.name in wanted and set(s.lanes) & set(lanes)
    ]
    with TemporaryDirectory() as folder:
        traces = trial(systems, models, options.jobs, Path(folder), console.print)
        failures = [trace for trace in traces.values() if isinstance(trace, RunFailed)]
        if any(isinstance(traces[s, lane, HOST], RunFailed) for s in systems for lane in s.lanes):
            print(f"could not check: {failures[0]}")
            return 3
        wrong = tabulate(systems, models, traces, console)
        if "portable" in lanes:
            extend = options.write_covered and not wrong and not failures
            wrong += check_covered(systems, traces, extend)
    for sentence in wrong:
        print(f"contradicted: {sentence}")
    for failure in failures:
        print(f"could not check: {failure}")
    if not wrong and not failures and "portable" in lanes:
        print(f"the portable lane is equal on this CPU and on {', '.join(models)}")
    return 1 if wrong else 3 if failures else 0


def check_covered(systems, traces, extend):
    """Compare the operations that were run with covered.txt, or add them to it."""
    met = set()
    for system in systems:
        if not system.must_differ:
            met |= operations(traces[system, "portable", HOST])
    covered = set(COVERED_FILE.read_text(encoding="utf-8").split("\n")) - {""}
    if extend:
        text = "".join(f"{line}\n" for line in sorted(covered | met))
        COVERED_FILE.write_text(text, encoding="utf-8")
        return []
    return [f"covered.txt lacks {name}" for name in sorted(met - covered)]


if __name__ == "__main__":
    sys.exit(main())
