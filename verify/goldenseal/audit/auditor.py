"""From paths to verdicts."""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.progress import TimeRemainingColumn

from goldenseal.audit import reader
from goldenseal.audit.evidence import is_evidence
from goldenseal.audit.form import Form, Forms, installed
from goldenseal.audit.model import Certainty, Finding, Notes, Outcome, Record, Verdict
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.terminal import progress_bar

MAX_DEPTH = 5
MEGABYTE = 10**6
ORDER = tuple(Certainty)
UNREAD = Certainty.AMBIGUOUS  # of a file that says nothing, for it cannot be read


Reason = Callable[[Record, Notes], str]  # why a record is not consistent, or ""


def find_records(path: Path, forms: Forms, depth: int = MAX_DEPTH) -> list[Path]:
    """The record folders at or below a path, sorted. Beside records, every folder counts as one.

    Raises UsageError when the path is no folder.
    """
    if path.is_symlink() or not path.is_dir():
        raise UsageError(f"{path} is not a folder; give a record's folder, or one that holds some")
    if forms.of(path):
        return [path]
    children = reader.subfolders(path)
    if any(forms.of(child) for child in children):
        return children
    below = [f for c in children if depth for f in find_records(c, forms, depth - 1)]
    return below


def audit(paths: Sequence[Path], jobs: int = 0, against: Path | None = None) -> list[Verdict]:
    """The verdicts on all records at or below the paths, each record once, sorted by folder.

    With `against`, each is also tested against that record's runs. Raises UsageError for a path
    that is no folder.
    """
    forms = installed()
    rival = read_folder(against, forms) if against else None
    folders: dict[Path, None] = {}
    for path in paths:
        for folder in find_records(path, forms) or [path]:
            folders[folder] = None
    listed = list(folders)
    one = functools.partial(audit_folder, rival=rival, known=forms)
    apart = functools.partial(audit_apart, rival=rival)
    workers = jobs or len(reader.cores())
    with progress_bar(TimeRemainingColumn()) as bar:
        if workers < 2 or len(listed) < 4:
            task = bar.add_task("MB of logs", total=megabytes(listed, not bar.disable))
            with reader.watched(lambda count: bar.advance(task, count / MEGABYTE)):
                return [one(folder) for folder in listed]
        with ProcessPoolExecutor(workers) as pool:
            return list(bar.track(pool.map(apart, listed), len(listed), description="records"))


def megabytes(folders: Sequence[Path], shown: bool) -> int:
    """The size of all logs, for a bar that is shown."""
    sizes = (reader.scan(folder) for folder in folders if shown)
    return sum(n for held in sizes for name, n in held.items() if is_evidence(name)) // MEGABYTE


def read_folder(folder: Path, forms: Forms) -> Record:
    """A record, read. Raises UsageError when the folder has none of the known forms."""
    form = forms.of(folder) if folder.is_dir() and not folder.is_symlink() else None
    if form is None:
        raise UsageError(f"{folder} is no record: neither a submission file nor a log is in it")
    return form.read(folder)


process_forms = functools.cache(installed)  # a worker's: packages are asked once for theirs


def audit_apart(folder: Path, rival: Record | None) -> Verdict:
    """The verdict on one folder, in a process of its own."""
    return audit_folder(folder, rival, process_forms())


def audit_folder(folder: Path, rival: Record | None = None, known: Forms | None = None) -> Verdict:
    """The verdict on one folder, by the forms that are known; else by all that are installed."""
    form = (known or installed()).of(folder)
    if form is None:
        logs = [name for name in reader.scan(folder, depth=3) if is_evidence(name)]
        reason = "neither a submission file nor a log is in the folder"
        if logs:
            reason = f"nothing is stated: {logs[0]} has no README or submission file beside it"
        return Verdict(str(folder), "none", Outcome.NOT_CHECKABLE, reason, (), ())
    try:
        record = form.read(folder)
        record.rival = rival
        return audit_record(form, record, str(folder))
    except CannotCheckError:  # a package is missing: true of every record
        raise
    except Exception as error:  # one odd record must not cost the verdicts on all others
        reason = f"the auditor failed on it ({type(error).__name__}: {error}); please report this"
        return Verdict(str(folder), form.name, Outcome.NOT_CHECKABLE, reason, (), ())


def audit_record(form: Form, record: Record, name: str) -> Verdict:
    """Run the form's checks and weigh what they found."""
    notes = Notes()
    form.check(record, notes)
    notes.findings[:0] = record.problems
    findings = tuple(sorted(notes.findings, key=lambda f: (ORDER.index(f.certainty), f.place)))
    outcome, reason = weigh(record, findings, notes, getattr(form, "unsupported", unsupported))
    return Verdict(name, form.name, outcome, reason, findings, tuple(notes.confirmed))


def unsupported(record: Record, notes: Notes) -> str:
    """Why a record without a contradiction is not consistent either: its headline is in no log.

    "" when a log supports the headline. A form that has no headline says what it checked instead.
    """
    own = list(record.headlines or [])
    stated = bool(own or notes.scored or (record.readme and record.readme.cells))
    if not record.submissions and not stated:
        return "no readable submission file, and no score or table of seeds in a README"
    if not record.runs:
        return "no log with a run in it"
    if not stated:
        return "no score is stated"
    if not any(run.scores for run in record.runs):
        return "no score was found in the logs"
    if not notes.confirmed:
        return "no claim could be held against a log"
    if own and not notes.scored & {claim.place for claim in own}:
        return f"no log supports or contradicts the stated {own[0]} ({own[0].place})"
    return "" if notes.scored else "no stated score could be held against a log"


def weigh(
    record: Record, findings: Sequence[Finding], notes: Notes, why_not: Reason
) -> tuple[Outcome, str]:
    """One mismatch contradicts; without evidence for a single claim nothing was checked."""
    wrong = [f for f in findings if f.certainty is Certainty.MISMATCH]
    if wrong:
        kinds = ", ".join(dict.fromkeys(f.kind for f in wrong))
        count = "1 claim is" if len(wrong) == 1 else f"{len(wrong)} claims are"
        return Outcome.MISMATCH, f"{count} contradicted: {kinds}"
    broken = [f for f in record.problems if f.kind == "submission" and f.certainty is UNREAD]
    if broken and not record.submissions:
        return Outcome.NOT_CHECKABLE, f"{broken[0].place}: {broken[0].evidence}"
    if reason := why_not(record, notes):
        return Outcome.NOT_CHECKABLE, reason
    confirmed = notes.confirmed
    unclear = sum(f.certainty is Certainty.AMBIGUOUS for f in findings)
    rest = f"; {unclear} ambiguous" if unclear else ""
    return Outcome.CONSISTENT, f"{len(confirmed)} statements are supported{rest}"
