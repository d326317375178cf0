"""The speed-run form: a README, and logs of one script that begin with its source.

The result of a log is its last validation loss; the claim is a mean of losses at or below a target,
and a time or a number of steps. Values stand in the README as lists, as tables by seed or by log,
and in prose.
"""

import re
from pathlib import Path

from goldenseal.audit import reader
from goldenseal.audit.evidence import problem
from goldenseal.audit.forms.curve import Curve, distinct, read_curve
from goldenseal.audit.model import Certainty, Log, Notes, Record, Run, Score, Stage
from goldenseal.audit.readme_tables import read_readme
from goldenseal.errors import UsageError

SUFFIXES = (".txt", ".log", ".out", ".stdout")
VALIDATION = re.compile(rb"^(?:step|iter)?[:= ]*\d+/\d+ val_loss[:= ]", re.MULTILINE)
README = re.compile(r"readme(?:\.\w+)?$", re.IGNORECASE)
MAX_LOOKED = 3  # logs that are looked into, to tell the form
LIMITS = "which runs were made and left out cannot be seen from files"


class SpeedrunForm:
    """Reads and checks records of this form."""

    name = "speed-run"

    def matches(self, folder: Path) -> bool:
        """A README, no submission file, and logs that validate a loss and no bits a byte."""
        names = reader.scan(folder, depth=0)
        if not any(README.match(name) for name in names):
            return False
        if any(reader.is_submission(name) for name in names):
            return False
        logs = log_names(folder)
        ends = [reader.ends(folder, name) for name in (*logs[:MAX_LOOKED], *logs[-1:])]
        return any(VALIDATION.search(end) and b"val_bpb" not in end for end in ends)

    def read(self, folder: Path) -> Record:
        """The README and the curves of the logs."""
        from goldenseal.audit.forms.race import Race

        record = Record(folder, folder.name or str(folder))
        names = reader.scan(folder, depth=0)
        name = next(name for name in names if README.match(name))
        data = reader.read(folder, name, reader.MAX_README)
        if data is None:
            problem(record, "readme", Certainty.NOTE, name, "too large or unreadable")
        else:
            record.readme = read_readme(name, reader.decode(data))
        curves = []
        for log in log_names(folder):
            try:
                curve = read_curve(log, reader.pieces(folder, log))
            except UsageError as error:
                problem(record, "log", Certainty.NOTE, log, str(error))
                continue
            if curve.points:
                curves.append(curve)
        race = Race(distinct(curves), tuple(curves))
        record.facts["race"] = race
        record.logs = [as_log(curve) for curve in race.curves]
        return record

    def check(self, record: Record, notes: Notes) -> None:
        """Lists, tables and words, each against the curves; and what needs no log."""
        # Late, as all that only this form needs: most records are of another one.
        from goldenseal.audit.checks import impossible
        from goldenseal.audit.forms import race_compare, race_lists, race_tables, race_words

        race = record.facts["race"]
        if record.readme is None or not race.curves:
            return
        race.check_logs(notes)
        race_lists.check(record.readme, race, notes)
        race_tables.check(record.readme, race, notes)
        race_compare.check(record.readme, race, notes)
        race_words.check(record.readme, race, notes)
        impossible.check(record, notes)
        notes.add(
            "left-out", Certainty.NOTE, "the runs are all that were made", record.name, LIMITS
        )

    def unsupported(self, record: Record, notes: Notes) -> str:
        """Why nothing that is stated could be held against the logs; "" where something could."""
        if notes.scored:
            return ""
        if record.readme is None:
            return "no README that could be read"
        if not record.logs:
            return "no log with a validation in it"
        for kind in ("partly-logged", "other-runs", "second-account", "time"):
            for each in notes.findings:
                if each.kind == kind:
                    return f"{each.claim} ({each.place}): {each.evidence}"
        return "no loss or time is stated that these logs could support or contradict"


def log_names(folder: Path) -> list[str]:
    """Logs within the folder and one or two folders down, but for folders with a README of their
    own: those are records themselves, or parts that speak for themselves.
    """
    names = reader.scan(folder, depth=2)
    own = {n.rpartition("/")[0] for n in names if "/" in n and README.match(n.rsplit("/", 1)[-1])}
    return [
        name
        for name in names
        if name.lower().endswith(SUFFIXES)
        and reader.is_log(f"{name}.log")
        and not any(name.startswith(f"{inner}/") for inner in own)
    ]


def as_log(curve: Curve) -> Log:
    """The curve as other parts of the audit know a log."""
    run = Run(curve.file, curve.last.line, curve.seed, planned=curve.planned)
    for point in curve.points[-200:]:
        stage = Stage.FINAL if point is curve.last else Stage.STEP
        for name, number in point.losses.items():
            run.scores.append(Score(name, stage, number, None, point.line, point.step))
    run.steps = [curve.last.step]
    run.train_ms = [curve.last.ms] if curve.last.ms is not None else []
    run.step_ms = [curve.last.average_ms] if curve.last.average_ms is not None else []
    return Log(curve.file, curve.mark, len(curve.points), [run])
