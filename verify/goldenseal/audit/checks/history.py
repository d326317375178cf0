"""The history, where the folder lies in a git tree: was a claim changed and the log left?"""

from goldenseal.audit.model import Certainty, Notes, Record
from goldenseal.audit.reader import parse_json
from goldenseal.audit.submission import read_submission
from goldenseal.records.history import git

MAX_COMMITS = 30
ROLES = ("bpb", "loss", "total", "code", "model", "steps")


def check(record: Record, notes: Notes) -> None:
    """A claim that no log supports, changed after the logs were: the log is stale.

    Reads the history with plumbing commands only, with hooks and configuration neutralised.
    """
    if not any((parent / ".git").exists() for parent in (record.folder, *record.folder.parents)):
        return
    wrong = {f.place for f in notes.findings if f.certainty is Certainty.MISMATCH}
    for submission in record.submissions:
        own = [c for c in submission.claims if c.place in wrong and c.role in ROLES]
        if not own:
            continue
        folder = record.folder
        commits = listed(record, submission.name)
        if len(commits) < 2:
            continue
        newest = {name: commit for name in logs(record) if (commit := latest(record, name))}
        before = git(folder, "cat-file", "blob", f"{commits[1]}:./{submission.name}")
        value, _ = parse_json(before)
        if not isinstance(value, dict) or not newest:
            continue
        earlier = {c.place: c.number.text for c in read_submission(submission.name, value).claims}
        for claim in own:
            old = earlier.get(claim.place)
            if old in (None, claim.number.text):
                continue
            if all(is_before(record, commit, commits[0]) for commit in newest.values()):
                evidence = f"it was {old} until {commits[0][:12]}, and no log was changed since"
                notes.add("stale-log", Certainty.MISMATCH, claim, claim.place, evidence)


def logs(record: Record) -> list[str]:
    """The names of the logs."""
    return [log.name for log in record.logs]


def listed(record: Record, name: str) -> list[str]:
    """The commits that touched a file, newest first."""
    limit = f"--max-count={MAX_COMMITS}"
    return git(record.folder, "rev-list", limit, "HEAD", "--", f":(literal){name}").decode().split()


def latest(record: Record, name: str) -> str:
    """The last commit that touched a file; "" when none did."""
    return next(iter(listed(record, name)), "")


def is_before(record: Record, commit: str, other: str) -> bool:
    """Whether a commit is a proper ancestor of another."""
    if commit == other:
        return False
    between = git(record.folder, "rev-list", "--max-count=1", commit, f"^{other}").decode().split()
    return not between
