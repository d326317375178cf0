"""`python -m train_gpt_style.gpt.submission RECORD...`: check what ships, write submission.json.

A submission is the code, one file made by `goldenseal bundle`, and the artifact that it trained.
It is refused unless all of it is shown: the records are measured ones of the same knobs, the code
consists of the files that the records name as their source, code and artifact fit the cap, and the
artifact, read back from disk and evaluated, gives the very figure that the run logged.
"""

import argparse
import hashlib
import json
import math
import statistics
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from goldenseal.bundle.make import MAX_BYTES, read_bundle
from goldenseal.config import find_root, system
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write, read_small, walk
from goldenseal.errors import CannotCheckError, ContradictedError, GoldensealError, UsageError
from goldenseal.launch.process import data_digests, data_path
from goldenseal.records.record import Record, read_record
from goldenseal.runlog import read_run_log
from train_gpt_style.gpt import SYSTEM
from train_gpt_style.gpt.knobs import MICRO_BATCHES
from train_gpt_style.kit.numerics import enter_lane, numeric_class
from train_gpt_style.kit.source import FOLDERS

CAP_BYTES = 16_000_000  # code and model together, decimal
ARTIFACT = "final_model.int8.safetensors.z"
CODE = "train_gpt.py"
VARYING = ("SEED", "RUN_ID")  # in what the runs of one submission may differ
FIGURES = ("val_loss", "val_bpb")


@dataclass(frozen=True)
class ShippedRun:
    """One seed's run: what its log says, and the artifact beside the log."""

    record: Record
    seed: int
    folder: Path
    header: dict[str, Any]
    end: dict[str, Any]

    @property
    def artifact(self) -> Path:
        """The artifact's file."""
        return self.folder / ARTIFACT

    @property
    def knobs(self) -> dict[str, str]:
        """Every knob as the log gives it; where the data lies, as the record does."""
        logged = self.header.get("knobs")
        if not isinstance(logged, dict) or not all(isinstance(v, str) for v in logged.values()):
            raise UsageError(f"{self.folder.name}: the log's header lacks `knobs`, texts by name")
        return {**self.record.get("knobs"), **logged}

    def logged(self, figure: str) -> float:
        """The figure of the artifact that the run logged, `val_loss` or `val_bpb`."""
        text = self.end.get(f"roundtrip_{figure}")
        try:
            return float.fromhex(text)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"{self.folder.name}: the log ends without its {figure}") from None


def runs_of(folders: list[Path]) -> list[ShippedRun]:
    """Every seed's run of the records, by seed.

    Raises UsageError, one line, unless they are measured records of the same knobs and source, each
    seed once.
    """
    runs = []
    for folder in folders:
        _, problems = walk(folder)
        if problems:
            raise UsageError(f"{folder.name}: {problems[0]}")
        record = read_record(folder)
        if record.status != "measured":
            raise UsageError(
                f"{folder.name} is a {record.status} record: only a measured one is submitted"
            )
        for seed in record.facts["seeds"]:
            log = folder / record.get("logs")[str(seed)]
            header, *_, end = read_run_log(log)
            if header.get("seed") != str(seed):
                raise ContradictedError(f"{log}: of seed {header.get('seed')}, listed as {seed}")
            runs.append(ShippedRun(record, seed, log.parent, header, end))
    runs.sort(key=lambda run: run.seed)
    for run, other in pairwise(runs):
        if run.seed == other.seed:
            raise UsageError(f"seed {run.seed} is there twice")
    for run in runs[1:]:
        for name in sorted({*run.knobs, *runs[0].knobs} - {*VARYING}):
            a, b = runs[0].knobs.get(name), run.knobs.get(name)
            if a != b:
                raise UsageError(f"seed {runs[0].seed} ran with {name}={a}, {run.seed} with {b}")
        if run.record.get("source") != runs[0].record.get("source"):
            raise UsageError(f"seeds {runs[0].seed} and {run.seed} ran with different source")
    return runs


def check_code(code: bytes, record: Record, where: str) -> None:
    """The code is a bundle of the files that the record ran.

    Raises UsageError when it is no bundle, ContradictedError naming a file that is another one.
    """
    source = record.get("source")
    for path, text in sorted(read_bundle(code, where).files.items()):
        # A bundle has a module's path below the folder in which packages lie, a record the whole.
        places = [PurePosixPath(folder, path).as_posix() for folder in FOLDERS]
        if hashlib.sha512(text.encode("utf-8")).hexdigest() not in map(source.get, places):
            raise ContradictedError(f"{where}: {path} in it is not the one that the record ran")


def check_cap(code_bytes: int, model_bytes: int) -> int:
    """The bytes that ship. Raises ContradictedError with the amount when they exceed the cap."""
    total = code_bytes + model_bytes
    if total > CAP_BYTES:
        raise ContradictedError(
            f"{total:,} bytes ({code_bytes:,} code, {model_bytes:,} model) "
            f"exceed the cap of {CAP_BYTES:,} by {total - CAP_BYTES:,}"
        )
    return total


def read_shipped(run: ShippedRun) -> bytes:
    """The artifact's bytes: as many as the run logged, and no more than fit the cap."""
    if run.artifact.is_file():
        check_cap(0, run.artifact.stat().st_size)
    blob = read_small(run.artifact, CAP_BYTES)
    clock = run.end.get("clock")
    logged = clock.get("artifact_bytes") if isinstance(clock, dict) else None
    if len(blob) != logged:
        raise ContradictedError(f"{run.artifact}: {len(blob)} bytes, but the run logged {logged}")
    return blob


def round_trip(run: ShippedRun, blob: bytes, given: dict[str, str]) -> dict[str, float]:
    """Evaluate the artifact; returns its figures.

    Raises ContradictedError when they are not those of the log, CannotCheckError when the data is
    not the record's, or another numeric class gives others.
    """
    from train_gpt_style.gpt.artifact import evaluate_artifact
    from train_gpt_style.kit.context import Context

    root = find_root()
    gpt = system(root, run.record.get("system"))
    for name in given:
        if name not in gpt.local_knobs:
            raise UsageError(f"--set {name}: only {', '.join(gpt.local_knobs)} can be given")
    knobs = {**run.knobs, **given}
    if data_digests(root, gpt, knobs) != run.record.get("data"):
        raise CannotCheckError("the data is not that of the record: see --set")
    knobs.update({name: str(data_path(root, knobs[name])) for name in gpt.local_knobs})
    settings = SYSTEM.read(knobs)
    measured = evaluate_artifact(blob, settings, Context({}, MICRO_BATCHES), run.artifact.name)
    figures = dict(zip(FIGURES, measured, strict=True))
    for name, value in figures.items():
        if not math.isfinite(value):
            raise ContradictedError(f"seed {run.seed}: {name} is {value}")
        if value != run.logged(name):
            differs = f"seed {run.seed}: {name} of the artifact is {value!r}"
            differs += f", the run logged {run.logged(name)!r}"
            here = canonical.loads(canonical.dumps(numeric_class()), "numeric class")
            if here == run.header.get("numeric_class") and run.header.get("world_size") == 1:
                raise ContradictedError(differs)
            raise CannotCheckError(f"{differs}, in another numeric class or on more ranks")
    return figures


def submission(
    about: dict[str, str], figures: dict[int, dict[str, float]], sizes: dict[int, int], code: int
) -> dict[str, Any]:
    """submission.json in the challenge's form. `figures` and model `sizes` by seed; `code` bytes.

    Several seeds: means, sample deviations, each seed's own, and the size of the largest.
    """
    mean = {n: round(statistics.fmean(f[n] for f in figures.values()), 8) for n in FIGURES}
    document = {**about, **mean}
    if len(figures) > 1:
        for n in FIGURES:
            document[f"{n}_std"] = round(statistics.stdev(f[n] for f in figures.values()), 8)
        document["seeds"] = sorted(figures)
        document["seed_results"] = {
            str(seed): {
                **{n: round(figures[seed][n], 8) for n in FIGURES},
                "bytes_total": check_cap(code, sizes[seed]),
            }
            for seed in sorted(figures)
        }
    model = max(sizes.values())
    total = check_cap(code, model)
    return {**document, "bytes_total": total, "bytes_model_int8_zlib": model, "bytes_code": code}


def submit(options: argparse.Namespace) -> dict[str, Any]:
    """Check everything, then write submission.json; returns what was written."""
    out = options.out or options.record[0] / "submission.json"
    if (out.parent / "SHA512SUMS").exists():
        raise UsageError(f"{out.parent} is sealed and never changes: give another file with --out")
    given = dict(assignment(text) for text in options.set)
    runs = runs_of(options.record)
    first = runs[0].record
    code_path = options.code or first.folder / CODE
    if not code_path.exists():
        raise UsageError(f"{code_path} is not there: run goldenseal bundle gpt -o {code_path}")
    code = read_small(code_path, MAX_BYTES)
    check_code(code, first, code_path.name)
    sizes, figures = {}, {}
    for run in runs:
        sizes[run.seed] = len(read_shipped(run))
        check_cap(len(code), sizes[run.seed])
    enter_lane({"NUMERICS": runs[0].knobs.get("NUMERICS", "")}, guarded=False)
    for run in runs:
        figures[run.seed] = round_trip(run, read_shipped(run), given)
    about = {
        "author": options.author,
        "github_id": options.github_id,
        "name": options.name or first.facts["name"],
        "blurb": options.blurb,
        "date": max(run.record.facts["date"] for run in runs),
    }
    document = submission(about, figures, sizes, len(code))
    try:
        atomic_write(out, in_words(document).encode("utf-8"))
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None
    return document


def assignment(text: str) -> tuple[str, str]:
    """NAME=value as a pair."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: expected NAME=value")
    return name, value


def in_words(document: dict[str, Any]) -> str:
    """The document as the challenge's records are written: indented, in this order."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m train_gpt_style.gpt.submission",
        description="Check what ships, by evaluating it, and write submission.json.",
        epilog="example: python -m train_gpt_style.gpt.submission records/TRACK/NAME "
        "--author 'A. Name' --github-id aname --blurb 'what is new'",
    )
    made.add_argument("record", type=Path, nargs="+", help="folder of a measured record")
    made.add_argument("--author", required=True)
    made.add_argument("--github-id", required=True)
    made.add_argument("--blurb", required=True, help="what is new, in a few sentences")
    made.add_argument("--name", help="by default that of the first record")
    made.add_argument("--code", type=Path, help=f"the bundle; by default RECORD/{CODE}")
    made.add_argument("--out", type=Path, help="by default RECORD/submission.json")
    made.add_argument("--set", action="append", default=[], metavar="DATA_PATH=...")
    return made


def cli(arguments: list[str]) -> int:
    """The exit code: 0 written, 1 contradicted, 2 bad usage or input, 3 could not check."""
    try:
        document = submit(parser().parse_args(arguments))
    except GoldensealError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(in_words(document), end="")
    return 0


if __name__ == "__main__":
    sys.exit(cli(sys.argv[1:]))
