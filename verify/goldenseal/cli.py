"""The `goldenseal` command. Exit codes: 0 holds, 1 contradicted, 2 bad usage, 3 could not check."""

import gc
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from goldenseal import __version__
from goldenseal.claims.app import EXAMPLES as CLAIMS_EXAMPLES
from goldenseal.claims.app import claims
from goldenseal.coq.app import app as theorems_app
from goldenseal.errors import UsageError
from goldenseal.export.app import EXAMPLES as EXPORT_EXAMPLES
from goldenseal.export.app import export
from goldenseal.grids.study_app import app as study_app
from goldenseal.grids.sweep_app import app as sweep_app
from goldenseal.launch.app import EXAMPLES as RECORD_EXAMPLES
from goldenseal.launch.app import record
from goldenseal.mutate.app import EXAMPLES as MUTATE_EXAMPLES
from goldenseal.mutate.app import mutate
from goldenseal.report.app import EXAMPLES as CITE_EXAMPLES
from goldenseal.report.app import cite
from goldenseal.reproduce.app import EXAMPLES_OF_EXPLAIN, EXAMPLES_OF_REPRODUCE, explain, reproduce
from goldenseal.terminal import AsJson, BeforeCommand, for_people, print_json, run_app, wide_console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Off means off, proven means proven, sealed means sealed: checks for training scripts.",
    epilog="Exit codes: 0 holds · 1 contradicted · 2 bad usage or input · 3 could not check.",
)

WIDE = 160  # columns of a help that is no terminal's: no summary of a command is cut short


def main() -> None:
    """Run the command line; an error is one line on standard error."""
    if not for_people():
        app.rich_markup_mode = None  # boxes are for terminals: help in a pipe is plain, and quicker
        app.info.context_settings = {"terminal_width": WIDE}
    run_app(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"goldenseal {__version__}")
        raise typer.Exit


def _look_at_outputs(*files: Path | None) -> None:
    """Refuse a place where a file cannot be written before what stands in it is computed."""
    from goldenseal.records.sums import refuse_output

    for path in files:
        if path is not None:
            refuse_output(path)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Options that come before the command."""
    gc.enable()


@app.command(
    epilog="Examples:  goldenseal verify   ·   goldenseal verify --only 'loss and gradients'   ·   "
    "goldenseal verify --baseline main --candidate HEAD -- python train.py --max-steps 5"
)
def verify(
    only: Annotated[
        list[str] | None, typer.Option(help="Run this gate only (may be repeated).")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the gates and stop.")] = False,
    command: Annotated[
        list[str] | None,
        typer.Argument(help="After `--`: what to run on both sides, such as python train.py."),
    ] = None,
    baseline: Annotated[
        str, typer.Option(help="A revision or a folder to hold another against.")
    ] = "",
    candidate: Annotated[
        str, typer.Option(help="The one with features; the working tree when left out.")
    ] = "",
    config: Annotated[
        Path | None, typer.Option(help="How to run them: goldenseal.toml when left out.")
    ] = None,
    link: Annotated[
        list[str] | None,
        typer.Option(help="Data that git does not keep and a run reads (may be repeated)."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu: the CPU answers calls for CUDA.")] = "",
    probe: Annotated[
        Path | None,
        typer.Option(
            help="Of two .py files: expressions that drive them, docs/foreign-scripts.md."
        ),
    ] = None,
    system: Annotated[str, typer.Option(help="The ladder of this system only.")] = "",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run every gate, also where nothing has changed.")
    ] = False,
    jobs: Annotated[int, typer.Option(help="Processes at a time; 0 is one a core.")] = 0,
    summary: Annotated[
        Path | None, typer.Option(help="Also add the table, in Markdown, to this file.")
    ] = None,
    sarif: Annotated[Path | None, typer.Option(help="Also write the findings as SARIF.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the gates and write the verdict.

    With --baseline, or a goldenseal.toml, and a command: is the candidate the baseline with its
    features off? Writes nothing. Without: every system of this repository, the theorems, the
    citation, the seals and the claims, as far as there are any; writes .goldenseal/verdict.json,
    and smoke.log where there are systems. A system's gates that passed are kept in
    .goldenseal/evidence and run again when anything that they read changes, always with --fresh,
    and in CI.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the ladder is a CPU check, on every machine
    from goldenseal.ci import reports
    from goldenseal.ladder import run

    chosen = tuple(only or ())
    if listing:
        run.print_catalogue(wide_console())
        return
    _look_at_outputs(summary, sarif)
    if jobs < 0:
        raise UsageError(f"--jobs {jobs}: give a number of processes, or 0 for one a core")
    if probe and not (baseline and candidate):
        raise UsageError("--probe needs two scripts: give --baseline FILE and --candidate FILE")
    described = config is not None or (not system and Path("goldenseal.toml").is_file())
    with redirect_stdout(sys.stderr):  # a probe's own functions may print
        if probe:
            outcome = run.verify_pair(Path(baseline), Path(candidate), probe, chosen, jobs)
        elif baseline or candidate or command or described:
            outcome = run.verify_commands(
                baseline, candidate, command or [], config, chosen, jobs, link or [], device
            )
        else:
            outcome = run.verify_repository(chosen, jobs, system, fresh)
    reports.write(outcome.to_json(), summary, sarif, reports.shown_at(candidate, command or []))
    if as_json:
        print_json(outcome.to_json())
    else:
        outcome.render(wide_console())
    raise typer.Exit(outcome.exit_code)


@app.command(epilog="Example:  goldenseal init -- python train.py --max-steps 5")
def init(
    command: Annotated[
        list[str] | None, typer.Argument(help="After `--`: what you type to train.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file.")] = Path("goldenseal.toml"),
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a training command once, briefly, and write goldenseal.toml with what it offers."""
    if not command:
        raise UsageError("say what you type to train: goldenseal init -- python train.py")
    _look_at_outputs(out)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    from goldenseal.ladder.start import write_description

    with redirect_stdout(sys.stderr):
        said = write_description(command, out, force)
    print_json({"path": str(out), "said": said}) if as_json else print("\n".join(said))


@app.command(epilog="Example:  goldenseal knobs --json | jq '.[].name'")
def knobs(
    system: Annotated[str, typer.Argument(help="Name of the system; all when left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """List every knob of every system: environment variable, default, range, effect."""
    from goldenseal import listing

    rows = listing.knob_rows(system)
    print_json(rows) if as_json else listing.print_knobs(rows, wide_console())


@app.command(epilog="Example:  goldenseal seal records/track_cpu_small/2026-11-23_SmallGPT")
def seal(
    folder: Annotated[Path, typer.Argument(help="The record's folder.")],
    sign: Annotated[
        Path | None, typer.Option(help="Also sign, with this Ed25519 private key in PEM.")
    ] = None,
    keep_ignored: Annotated[
        bool, typer.Option("--keep-ignored", help="Seal also files that git ignores.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Seal a record: write seal.json and SHA512SUMS. A sealed folder never changes again."""
    from goldenseal.records import command

    raise typer.Exit(command.seal(folder, sign, as_json, keep_ignored))


@app.command(epilog="Examples:  goldenseal check all   ·   goldenseal check records/a/b --json")
def check(
    folder: Annotated[str, typer.Argument(help="A record's folder, or `all`.")],
    trusted_keys: Annotated[
        Path | None, typer.Option(help="Folder of *.pem: one of these keys must have signed.")
    ] = None,
    reproductions: Annotated[
        Path | None, typer.Option(help="Folder of statements: list who reproduced what.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a sealed record, or all: extra, missing and changed files. Needs no torch."""
    from goldenseal.records import command

    raise typer.Exit(command.check(folder, trusted_keys, as_json, reproductions))


@app.command(epilog="Example:  goldenseal verdict || goldenseal verify")
def verdict(as_json: AsJson = False) -> None:
    """Show the last verdict, and whether a covered file has changed since: then it is stale."""
    from goldenseal.records import command

    raise typer.Exit(command.verdict(as_json))


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
    from goldenseal.audit import command

    _look_at_outputs(html)
    audited = command.audit(paths, against, html, jobs)
    print_json(audited.to_json()) if as_json else command.render(audited, wide_console())
    raise typer.Exit(audited.exit_code)


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
    from goldenseal.bundle import make as bundling
    from goldenseal.config import find_root
    from goldenseal.config import system as find_system

    _look_at_outputs(out)
    root = find_root()
    made = bundling.make_bundle(root, find_system(root, system))
    report = bundling.write_bundle(made, out, compress)
    print_json(report) if as_json else print(bundling.in_words(report))


@app.command(
    epilog="Example:  goldenseal report records/track_cpu_small/2026-11-23_SmallGPT -o small.html"
)
def report(
    path: Annotated[Path, typer.Argument(help="A record, or a folder of others' records.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The page.")] = Path("report.html"),
    against: Annotated[
        str, typer.Option(help="Another record, run, seal or digest to compare with.")
    ] = "",
    pictures: Annotated[
        Path | None,
        typer.Option(help="Also draw each curve into this folder, with claims."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write one self-contained HTML page.

    On a record of ours, a study's or a sweep's too: verdict, curves, tests, claims, knobs, files.
    On anything else: the audit of the records of others that lie there.
    """
    from goldenseal.disk.files import atomic_write
    from goldenseal.report.command import page_on

    _look_at_outputs(out)
    data = page_on(path, against).encode()
    drawn: list[str] = []
    if pictures is not None:
        from goldenseal.report.pictures import write_pictures

        drawn = write_pictures(path, pictures)
    atomic_write(out, data)  # last: where pictures are refused, no page is left
    if as_json:
        more = {"pictures": [str(pictures / name) for name in drawn]} if pictures else {}
        print_json({"path": str(out), "bytes": len(data), **more})
    else:
        print(f"{out}: {len(data)} bytes" + (f", {pictures}: {len(drawn)} pictures" * bool(drawn)))


app.command(epilog=EXAMPLES_OF_REPRODUCE)(reproduce)
app.command(epilog=EXAMPLES_OF_EXPLAIN)(explain)
app.command(epilog=CLAIMS_EXAMPLES)(claims)
app.command(epilog=EXPORT_EXAMPLES)(export)
app.command(epilog=MUTATE_EXAMPLES)(mutate)
app.command(cls=BeforeCommand, epilog=RECORD_EXAMPLES)(record)
app.command(epilog=CITE_EXAMPLES)(cite)
app.add_typer(study_app, name="study")
app.add_typer(sweep_app, name="sweep")
app.add_typer(theorems_app, name="theorems")

if __name__ == "__main__":
    main()
