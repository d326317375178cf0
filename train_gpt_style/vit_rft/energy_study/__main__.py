"""The command behind `make study-energy`.

    python -m train_gpt_style.vit_rft.energy_study plan PLAN     # records/<track>/<date>_<Name>
    make seal R=PLAN
    make verify
    python -m train_gpt_style.vit_rft.energy_study run PLAN [STUDY]

`run` may be killed at any moment: the same command goes on after the last whole block. Its last
step seals the record. Pilot and blocks start under a fresh green verdict, or a waiver that is
sealed, as every launch does: docs/sweeps.md.
"""

import argparse
import os
import sys
from pathlib import Path

from goldenseal.config import find_root, system
from goldenseal.errors import GoldensealError, UsageError
from goldenseal.launch.gate import clear
from goldenseal.records.source import read_source
from train_gpt_style.kit.numerics import enter_lane

SYSTEM = "vit_rft"


def parser():
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m train_gpt_style.vit_rft.energy_study",
        description="Adam against DCLR (reconstructed): what a step costs, what a loss costs, in "
        "joules where a meter is there and in seconds otherwise. docs/energy.md is the guide.",
        epilog="Example: make study-energy",
    )
    verbs = found.add_subparsers(dest="verb", required=True)
    plan = verbs.add_parser("plan", help="run the pilot; write a plan, to be sealed")
    plan.add_argument("folder", type=Path)
    plan.add_argument("--steps", type=int, default=300, help="of a window")
    plan.add_argument("--chunks", type=int, default=10, help="of a window, metered one by one")
    plan.add_argument("--blocks", type=int, default=12)
    plan.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE", dest="given")
    run = verbs.add_parser("run", help="run the blocks of a sealed plan; write and seal the record")
    run.add_argument("plan", type=Path, help="the sealed folder of the plan")
    run.add_argument(
        "folder",
        type=Path,
        nargs="?",
        help="the record to make; when left out, the one that was begun beside the plan, or a new "
        "one of today",
    )
    for verb in (plan, run):
        verb.add_argument(
            "--waive", action="append", default=[], metavar="GATE=REASON", help="sealed"
        )
    return found


def make_plan(options):
    """`plan`."""
    from train_gpt_style.vit_rft.energy_study.pilot import checked, write_plan

    given = dict(text.partition("=")[::2] for text in options.given)
    checked(options.folder)
    root = find_root()
    launch = clear(root, system(root, SYSTEM), options.waive)
    sizes = (options.steps, options.chunks, options.blocks)
    plan = write_plan(options.folder, given, *sizes, launch=launch)
    print(
        f"{options.folder}: target {plan.target}, {len(plan.seeds)} blocks of {len(plan.arms)} arms"
    )
    print(f"Next: goldenseal seal {options.folder}")


def run_plan(options):
    """`run`."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from train_gpt_style.vit_rft.energy_study.finish import finish, folder_for
    from train_gpt_style.vit_rft.energy_study.runner import run_blocks, sealed_plan, state_of

    plan, _ = sealed_plan(options.plan)  # before a bar is drawn
    root = find_root()
    source = read_source(root).files
    folder = options.folder or folder_for(options.plan, plan, source)
    if (folder / "SHA512SUMS").exists():
        new = folder_for(options.plan, plan, source)
        raise UsageError(
            f"{folder} is sealed already, and a new study is a new folder: "
            f"make study-energy ENERGY_PLAN={options.plan} ENERGY_RECORD={new}"
        )
    launch = clear(root, system(root, SYSTEM), options.waive, state_of(folder), folder)
    print(f"The study is {folder}", flush=True)
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description:28}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=terminal) as progress:
        task = progress.add_task("windows", total=None)

        def told(done, total, words):
            progress.update(task, completed=done, total=total, description=words)

        run_blocks(options.plan, folder, told, launch=launch)
    done = finish(folder)
    print(f"{folder}: sealed, identity {done.identity}")
    print((folder / "README.md").read_text(encoding="utf-8"))


def main(arguments):
    """The exit code."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # so that a GPU repeats itself
    try:
        enter_lane(os.environ)
        {"plan": make_plan, "run": run_plan}[options.verb](options)
    except (GoldensealError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", UsageError.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
