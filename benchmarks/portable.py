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

from goldenseal.config import python_path

ROOT = Path(__file__).parents[1]
COVERED_FILE = ROOT / "train_gpt_style" / "kit" / "covered.txt"
QEMU = "qemu-x86_64"
HOST = "this CPU"
# Two makers; the first two have AVX only: no AVX2, no fused multiply-add.
MODELS = ("SandyBridge", "Opteron_G4", "Haswell", "EPYC", "Skylake-Server")

SMALL = {
    "NUM_LAYERS": "3",
    "MODEL_DIM": "32",
    "NUM_HEADS": "4",
    "NUM_KV_HEADS": "2",
    "MLP_MULT": "65",  # matrices just above 65,536 elements, so that they are quantised
    "TRAIN_SEQ_LEN": "16",
    "TRAIN_BATCH_TOKENS": "256",
    "VAL_BATCH_SIZE": "4096",
    "ITERATIONS": "2",
    "WARMUP_STEPS": "0",
    "WARMDOWN_ITERS": "1",
    "VAL_LOSS_EVERY": "0",
    "TRAIN_LOG_EVERY": "1",
    "MAX_WALLCLOCK_SECONDS": "0",
    "TTT_CHUNK_SIZE": "64",
    "TTT_EVAL_SEQ_LEN": "128",
    "TTT_BATCH_SIZE": "3",
    "TTT_LORA_RANK": "2",
}
# The paths that SMALL leaves out: untied head, clipping, each feature, the run log.
OTHER_PATHS = {
    **SMALL,
    "MLP_MULT": "3",
    "NUM_KV_HEADS": "4",
    "TIE_EMBEDDINGS": "0",
    "GRAD_CLIP_NORM": "0.5",
    "WARMUP_STEPS": "1",
    "SEED": "1597",
    "PHINTA_ENABLE": "1",
    "PHINTA_PER_BLOCK": "1",
    "PHINTA_START": "identity",
    "PHI_LR_SCALE": "2.9508497187473713",
    "UT_LOOPS": "2",
    "UT_LAYER_START": "1",
    "UT_LAYER_END": "2",
    "MUON_PRODUCTS": "fp32",
    "RUN_LOG": "1",
}
# The features that train or evaluate otherwise: an auxiliary loss, inner steps, packed windows.
MORE_FEATURES = {
    **SMALL,
    "MLP_MULT": "2",
    "JEPA_LAMBDA": "0.5",
    "TTT_PACKED": "1",
    "TTT_INNER_STEPS": "1",
    "TTT_LR_INNER": "0.0625",
}
# A ViT of two blocks on synthetic images: plain Adam, then DCLR under the coupler.
VIT = {
    "STEPS": "3",
    "BATCH": "4",
    "SYNTHETIC_IMAGES": "16",
    "IMAGE_SIZE": "32",
    "PATCH_SIZE": "8",
    "DIM": "24",
    "DEPTH": "2",
    "CLASSES": "10",
    "LOG_EVERY": "1",
}
# A soup of three synthetic experts, without a feature.
SOUP = {
    "SYNTHETIC_ROWS": "40",
    "SOUP_BATCH": "16",
    "SOUP_EPOCHS": "1",
    "EXPERT_DIM": "24",
    "OUTPUT_DIM": "16",
    "N_ANCHORS": "16",
    "N_COMP": "4",
    "D_COMP": "8",
    "CLASSES": "10",
    "LOG_EVERY": "1",
    "RUN_LOG": "1",
}
SOUP_ON = {
    **SOUP,
    "GPA": "1",
    "CALIBRATE": "1",
    "ANCHOR_INIT": "fps",
    "ENABLE_AUTOGRAD": "1",
    "CONSENSUS_NCE": "0.5",
}
# A student of synthetic images and targets.
STUDENT = {
    "SYNTHETIC_IMAGES": "12",
    "BATCH": "5",
    "EPOCHS": "1",
    "IMG_SIZE": "32",
    "PATCH_SIZE": "8",
    "DEPTH": "2",
    "DIM": "24",
    "HEADS": "3",
    "FFN_DIM": "48",
    "OUTPUT_DIM": "16",
    "LOG_EVERY": "1",
    "RUN_LOG": "1",
}
VIT_ON = {**VIT, "DCLR_GAIN": "0.75", "DCLR_FEEDBACK": "1", "TELEMETRY": "1", "RUN_LOG": "1"}
# The dual stream on synthetic images: more anchors than dimensions, a schedule, clipping.
DUAL = {
    "EPOCHS": "1",
    "BATCH": "4",
    "SYNTHETIC_IMAGES": "12",
    "IMG_SIZE": "16",
    "EMBED_DIM": "24",
    "STREAM_DIM": "16",
    "FUSED_DIM": "24",
    "N_FUSED_BLOCKS": "1",
    "N_HEADS": "2",
    "OUTPUT_DIM": "6",
    "N_ANCHORS": "8",
    "N_COMP": "2",
    "D_COMP": "8",
    "CLASSES": "3",
    "LABEL_SMOOTHING": "0.25",
    "LOG_EVERY": "1",
}

# Two blocks on the synthetic teacher, by backpropagation and by each kind of other credit.
CREDIT = {
    "STEPS": "3",
    "BATCH": "16",
    "DIM": "24",
    "DEPTH": "2",
    "TEACHER_TRAIN": "128",
    "TEACHER_TEST": "32",
    "LOG_EVERY": "1",
}
CREDIT_FA = {**CREDIT, "CREDIT_METHOD": "fa", "CREDIT_PENALTY": "0.01", "RUN_LOG": "1"}
CREDIT_EP = {**CREDIT, "CREDIT_METHOD": "ep", "CREDIT_EP_SIDES": "two", "CREDIT_EP_STEPS": "3"}
CREDIT_SB = {**CREDIT, "CREDIT_METHOD": "state-bridge"}
# By DFA's matrices in its first part, then by its own gradients.
CREDIT_CB = {**CREDIT, "CREDIT_METHOD": "credit-bridge", "CREDIT_BRIDGE_WARMUP": "0.5"}
CREDIT_DFA = {**CREDIT, "CREDIT_METHOD": "dfa"}


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
