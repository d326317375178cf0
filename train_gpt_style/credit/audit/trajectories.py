"""The command `replay`: at which step of each run of a study a diagnostic first fires.

It reads run logs alone, so that a sealed study is judged again without its checkpoints or its data.
"""

import argparse
import json
from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.runlog import read_run_log
from train_gpt_style.credit.audit.log import NAME, Log
from train_gpt_style.credit.audit.subject import of_the_method
from train_gpt_style.credit.protocol.diagnostics import Setting, Thresholds
from train_gpt_style.credit.protocol.replay import NEVER, NOT_EVALUATED, first_epochs

LETTERS = "abcd"
EPILOG = """\
Each row is a run; a column is a diagnostic of `audit`, and holds the step at which it first fires,
"never", or "-" where no test of the log could tell. (d) compares a run with the run of the same
setting and seed by CREDIT_METHOD=frozen, at equal steps.

example:
  python -m train_gpt_style.credit replay records/track_credit/2026-11-28_LongStudy --n-ref 1024
"""


def main(arguments):
    """The exit code: 0 told, whatever fires."""
    parser = argparse.ArgumentParser(
        prog="python -m train_gpt_style.credit replay",
        description="At which step of each run of a study a diagnostic first fires.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help=f"a study's folder, or any with {NAME} below it")
    parser.add_argument("--n-ref", type=int, default=128, help="batch that the floor is of (128)")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args(arguments)
    if options.n_ref < 1:
        raise UsageError(f"--n-ref {options.n_ref}: at least 1")
    rows = rows_of(logs_below(options.folder), Thresholds(n_ref=options.n_ref))
    print(json.dumps(rows, indent=2) if options.json else in_words(rows))
    return 0


def logs_below(folder):
    """The logs of this system below a folder, by their path in it.

    Raises UsageError where there is none, or one is of another system.
    """
    found = {}
    for path in sorted(folder.rglob(NAME)):
        log = Log(path, read_run_log(path, complete=False))
        if "CREDIT_METHOD" not in log.lines[0].get("knobs", {}):
            raise UsageError(f"{path} is no log of this system: its header has no CREDIT_METHOD")
        found[path.parent.relative_to(folder).as_posix()] = log
    if not found:
        raise UsageError(f"{folder}: no {NAME} in it; a run with RUN_LOG=1 writes one")
    return found


def rows_of(logs, thresholds):
    """A row of each run: its place, method, seed, and the first firing step by letter.

    logs: `Log` by place. Raises UsageError where two frozen runs could be one run's baseline.
    """
    frozen = {}
    for place, log in logs.items():
        if method_of(log) == "frozen":
            other = frozen.setdefault(setting_of(log), place)
            if other != place:
                raise UsageError(f"{place} and {other} are frozen runs of one setting and seed")
    rows = []
    for place, log in logs.items():
        setting = setting_of(log)
        baseline = logs.get(frozen.get(setting))
        apart = baseline is None or method_of(log) == "frozen"  # no baseline of itself
        tests = log.rows({} if apart else baseline.accuracies())
        first = first_epochs(tests, thresholds, setting, None if apart else setting)
        knobs = log.lines[0]["knobs"]
        row = {"run": place, "method": method_of(log), "seed": int(knobs["SEED"])}
        rows.append(row | {letter: first.get(letter, NOT_EVALUATED) for letter in LETTERS})
    return rows


def method_of(log):
    """CREDIT_METHOD of a log's header."""
    return log.lines[0]["knobs"]["CREDIT_METHOD"]


def setting_of(log):
    """What (d) compares, of a log's header: all but the method and where the run was watched."""
    header = log.lines[0]
    knobs = header["knobs"]
    rest = {name: text for name, text in knobs.items() if not of_the_method(name)}
    return Setting(
        int(knobs["DIM"]),
        int(knobs["DEPTH"]),
        json.dumps([header.get("data"), rest], sort_keys=True),
        int(knobs["STEPS"]),
        (int(knobs["SEED"]),),
        knobs["SCHEDULE"],
    )


def in_words(rows):
    """The rows as a table of text."""
    head = ("run", *(f"({letter})" for letter in LETTERS))
    words = {NEVER: "never", NOT_EVALUATED: "-"}
    table = [head]
    table += [
        (row["run"], *(words.get(row[letter], str(row[letter])) for letter in LETTERS))
        for row in rows
    ]
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    )
