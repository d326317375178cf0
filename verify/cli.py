"""The `goldenseal` command. Exit codes: 0 holds, 1 contradicted, 2 bad usage, 3 could not check."""

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from verify import __version__
from verify.errors import EXIT_CANNOT_CHECK, GoldensealError, UsageError
from verify.grids.study_app import app as study_app
from verify.grids.sweep_app import app as sweep_app

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Off means off, proven means proven, sealed means sealed: checks for training scripts.",
    epilog="Exit codes: 0 holds · 1 contradicted · 2 bad usage or input · 3 could not check.",
)

EXTRAS = {  # the packages that only some commands need: what installs them
    "hypothesis": "train",
    "jinja2": "report",
    "markdown_it": "report",
    "matplotlib": "report",
    "numpy": "train",
    "PIL": "train",
    "safetensors": "train",
    "scipy": "study",
    "sentencepiece": "train",
    "submitit": "sweep",
    "torch": "train",
}

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]


def main() -> None:
    """Run the command line; an expected error is one line on standard error."""
    try:
        app()
    except GoldensealError as error:
        print(f"goldenseal: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        needed = f"pip install 'goldenseal[{EXTRAS[package]}]'"
        print(f"goldenseal: this needs {package}: {needed}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_CHECK)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"goldenseal {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Options that come before the command."""


def wide_console() -> Console:
    """As wide as the terminal; in a pipe or a log, wide enough that no line is broken."""
    console = Console()
    return console if console.is_terminal else Console(width=240)


def emit(document: Any) -> None:
    """Print a JSON document."""
    print(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))


@app.command(
    epilog="Examples:  goldenseal verify   ·   goldenseal verify --only 'loss and gradients'   ·   "
    "goldenseal verify --baseline old.py --candidate new.py --probe probe.toml"
)
def verify(
    only: Annotated[
        list[str] | None, typer.Option(help="Run this gate only (may be repeated).")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the gates and stop.")] = False,
    baseline: Annotated[Path | None, typer.Option(help="A script to hold another against.")] = None,
    candidate: Annotated[Path | None, typer.Option(help="The script with features.")] = None,
    probe: Annotated[
        Path | None, typer.Option(help="How to drive the two: docs/foreign-scripts.md.")
    ] = None,
    system: Annotated[str, typer.Option(help="The ladder of this system only.")] = "",
    jobs: Annotated[int, typer.Option(help="Processes at a time; 0 is one a core.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Run the gates and write the verdict.

    Without --baseline: every system of this repository, the theorems, the citation and the seals;
    writes .goldenseal/verdict.json and smoke.log. With --baseline, --candidate and --probe: the
    equivalence ladder on that pair of scripts; writes nothing.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the ladder is a CPU check, on every machine
    from verify import run

    chosen = tuple(only or ())
    if listing:
        run.print_catalogue(wide_console())
        return
    pair = (baseline, candidate, probe)
    if any(pair) and not all(pair):
        raise UsageError("--baseline, --candidate and --probe belong together: give all three")
    with redirect_stdout(sys.stderr):  # a probe's own functions may print
        if baseline and candidate and probe:
            outcome = run.verify_pair(baseline, candidate, probe, chosen, jobs)
        else:
            outcome = run.verify_repository(chosen, jobs, system)
    if as_json:
        emit(outcome.to_json())
    else:
        outcome.render(wide_console())
    raise typer.Exit(outcome.exit_code)


@app.command(epilog="Example:  goldenseal knobs --json | jq '.[].name'")
def knobs(
    system: Annotated[str, typer.Argument(help="Name of the system; all when left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """List every knob of every system: environment variable, default, range, effect."""
    from verify import listing

    found = listing.knob_rows(system)
    emit(found) if as_json else listing.print_knobs(found, wide_console())


@app.command(epilog="Example:  goldenseal seal records/track_cpu_small/2026-11-23_SmallGPT")
def seal(
    folder: Annotated[Path, typer.Argument(help="The record's folder.")],
    sign: Annotated[
        Path | None, typer.Option(help="Also sign, with this Ed25519 private key in PEM.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Seal a record: write seal.json and SHA512SUMS. A sealed folder never changes again."""
    from verify import seal_command

    raise typer.Exit(seal_command.seal(folder, sign, as_json))


@app.command(epilog="Examples:  goldenseal check all   ·   goldenseal check records/a/b --json")
def check(
    folder: Annotated[str, typer.Argument(help="A record's folder, or `all`.")],
    trusted_keys: Annotated[
        Path | None, typer.Option(help="Folder of *.pem: one of these keys must have signed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a sealed record, or all: extra, missing and changed files. Needs no torch."""
    from verify import seal_command

    raise typer.Exit(seal_command.check(folder, trusted_keys, as_json))


@app.command(
    epilog="Example:  goldenseal record gpt records/track_cpu_small/2026-11-23_Mine "
    "--set ITERATIONS=100 --set NUMERICS=portable"
)
def record(
    system: Annotated[str, typer.Argument(help="Name of the system, such as gpt.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for the record.")],
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A knob, NAME=value (may be repeated).")
    ] = None,
    waive: Annotated[
        list[str] | None,
        typer.Option(help="GATE=REASON: run without this gate; sealed (may be repeated)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a system in a new folder and leave a record there, ready to be described and sealed.

    Runs only under a fresh green verdict of this very tree, as every launch: see docs/sweeps.md.
    """
    from verify import seal_command

    raise typer.Exit(seal_command.record(system, folder, setting or [], waive or [], as_json))


@app.command(epilog="Example:  goldenseal verdict || make verify")
def verdict(as_json: AsJson = False) -> None:
    """Show the last verdict, and whether a covered file has changed since: then it is stale."""
    from verify import seal_command

    raise typer.Exit(seal_command.verdict(as_json))


@app.command(epilog="Example:  goldenseal reproduce 4f1c")
def reproduce(
    prefix: Annotated[str, typer.Argument(help="Any unique prefix of the record's identity.")],
    steps: Annotated[int | None, typer.Option(help="Compare the first steps only.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Where data lies here, such as DATA_PATH=/data (repeatable)."),
    ] = None,
    present: Annotated[
        bool, typer.Option("--present", help="Run the code as it is now, not the sealed source.")
    ] = False,
    trace: Annotated[
        bool, typer.Option(help="Trace a divergence to its first tensor, by two more runs.")
    ] = True,
    cell: Annotated[str, typer.Option(help="Of a study: the run, such as jepa/1597.")] = "",
    from_checkpoint: Annotated[
        bool, typer.Option("--from-checkpoint", help="Repeat what follows a sealed checkpoint.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Re-run a sealed record and compare; the end is a verdict, see docs/records.md."""
    from verify import seal_command

    choices = (prefix, steps, setting or [], present, trace, cell, from_checkpoint)
    raise typer.Exit(seal_command.reproduce(*choices, as_json))


@app.command(
    epilog="Examples:  goldenseal explain 6330 320d   ·   goldenseal explain a.jsonl b.jsonl"
)
def explain(
    a: Annotated[
        str, typer.Argument(help="A run log, record, seal, verdict, or a digest's start.")
    ],
    b: Annotated[str, typer.Argument(help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """Say in what two runs, records, seals or verdicts differ: knob, file, version, step."""
    from verify import explain as explaining
    from verify.config import find_root

    found = explaining.explain(find_root(), a, b)
    if as_json:
        emit(found.to_json())
    else:
        for line in found.lines():
            wide_console().print(line, markup=False, soft_wrap=True)
    raise typer.Exit(found.exit_code)


@app.command(epilog="Examples:  goldenseal claims   ·   goldenseal claims README.md --fix")
def claims(
    documents: Annotated[
        list[Path] | None, typer.Argument(help="Markdown files; those of pyproject.toml if none.")
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Rewrite wrong numbers from the evidence.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute every number that documents bind to sealed records. Needs no torch."""
    from verify.claims import command

    found = command.claims(documents or [], fix)
    emit(found.to_json()) if as_json else command.render(found, wide_console())
    raise typer.Exit(found.exit_code)


@app.command(
    epilog="Examples:  goldenseal audit records_of_others/   ·   "
    "goldenseal audit one/ two/ --json   ·   goldenseal audit records_of_others/ --html audit.html"
)
def audit(
    paths: Annotated[list[Path], typer.Argument(help="Records, or folders that hold records.")],
    against: Annotated[
        Path | None, typer.Option(help="A record to test each one against, by Welch's t-test.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Also write one self-contained page.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes at a time; 0 is one a core.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Hold the claims of records that others made against their own logs. Executes nothing."""
    from verify.audit import command

    found = command.audit(paths, against, html, jobs)
    emit(found.to_json()) if as_json else command.render(found, wide_console())
    raise typer.Exit(found.exit_code)


@app.command(epilog="Example:  goldenseal bundle gpt -o train_gpt.py && python train_gpt.py")
def bundle(
    system: Annotated[str, typer.Argument(help="Name of the system, such as gpt.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    compress: Annotated[
        bool, typer.Option("--compress", help="Smaller, but no longer readable: zlib and base85.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a training system as one file that runs from anywhere, and say its size."""
    from verify import bundle as bundling
    from verify.config import find_root
    from verify.config import system as find_system

    root = find_root()
    made = bundling.make_bundle(root, find_system(root, system))
    report = bundling.write_bundle(made, out, compress)
    emit(report) if as_json else print(bundling.in_words(report))


@app.command(
    epilog="Example:  goldenseal report records/track_cpu_small/2026-11-23_SmallGPT -o small.html"
)
def report(
    path: Annotated[Path, typer.Argument(help="A record, or a folder of others' records.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The page.")] = Path("report.html"),
    against: Annotated[
        str, typer.Option(help="Another record, run, seal or digest to compare with.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write one self-contained HTML page.

    On a record of ours, a study's or a sweep's too: verdict, curves, tests, claims, knobs, files.
    On anything else: the audit of the records of others that lie there.
    """
    from verify.files import atomic_write
    from verify.report.command import page_on

    data = page_on(path, against).encode()
    atomic_write(out, data)
    emit({"path": str(out), "bytes": len(data)}) if as_json else print(f"{out}: {len(data)} bytes")


@app.command(
    epilog="Examples:  goldenseal mutate --count 60   ·   goldenseal mutate --only schedule --list"
    "   ·   goldenseal mutate gpt --on   ·   goldenseal mutate --proofs"
)
def mutate(
    system: Annotated[
        str, typer.Argument(help="Name of the system; it may be left out when there is one.")
    ] = "",
    count: Annotated[int, typer.Option(min=1, help="How many mutants are drawn.")] = 300,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1597,
    only: Annotated[str, typer.Option(help="Draw from this area only.")] = "",
    listing: Annotated[bool, typer.Option("--list", help="List the mutants and stop.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only the rungs that run with features off.")
    ] = False,
    proofs: Annotated[
        bool, typer.Option("--proofs", help="Mutants of the theorems and constants instead.")
    ] = False,
    on: Annotated[
        bool, typer.Option("--on", help="Mutants of features that are on; unit tests judge too.")
    ] = False,
    require: Annotated[
        float | None, typer.Option(help="Share that must be killed: 0.97; with --on 0.95.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the document in docs/mutation/ and its tables.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plant single edits in the code, run the gates on each, and count those noticed.

    Resumable: what is judged is kept under .goldenseal/mutants/ until the source changes.
    Equivalent mutants count as survivors. See docs/mutation.md.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    from verify.mutate import command

    wish = command.Wish(system, count, seed, only, jobs, quick, require, on)
    raise typer.Exit(command.main(wish, listing, proofs, write, as_json, wide_console()))


app.add_typer(study_app, name="study")
app.add_typer(sweep_app, name="sweep")

if __name__ == "__main__":
    main()
