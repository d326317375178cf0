"""What the commands seal, check and verdict print. Imports no torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldenseal.config import find_root, repository
from goldenseal.errors import (
    EXIT_CANNOT_CHECK,
    EXIT_CONTRADICTED,
    EXIT_HOLDS,
    UsageError,
)
from goldenseal.records.check import CheckReport
from goldenseal.records.check import check as check_folder
from goldenseal.records.dsse import trusted_keys
from goldenseal.records.ignored import refuse_ignored
from goldenseal.records.record import read_record, record_folders, words_on_launch
from goldenseal.records.seal import bytes_to_hash
from goldenseal.records.seal import seal as seal_folder
from goldenseal.records.seal_cache import SealCache
from goldenseal.records.signing import ENVELOPE, Signed, judge
from goldenseal.records.signing import sign as sign_folder
from goldenseal.records.sums import SUMS
from goldenseal.records.verdict import PATH as VERDICT
from goldenseal.records.verdict import read_verdict
from goldenseal.terminal import in_one_line, plain_console, print_json, say

if TYPE_CHECKING:
    from goldenseal.records.reproductions import Found


def seal(folder: Path, key: Path | None, as_json: bool, keep_ignored: bool = False) -> int:
    """Seal one record's folder, and sign it when a private key is given.

    Files that git ignores are refused, unless they are kept on purpose.
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    if not keep_ignored and not (folder / SUMS).is_file():
        refuse_ignored(folder)
    terminal = plain_console(stderr=True)
    columns = (TextColumn("sealing"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    hidden = as_json or not terminal.is_terminal
    with Progress(*columns, console=terminal, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=None if hidden else bytes_to_hash(folder))
        done = seal_folder(folder, lambda count: progress.advance(task, count), _cache(folder))
    signer = sign_folder(folder, key) if key else None
    launch = words_on_launch(read_record(folder))
    if as_json:
        document = {
            "folder": str(folder),
            "identity": done.identity,
            "already_sealed": done.already,
            "launch": launch,
        }
        print_json(document | ({"signed_by": signer} if signer else {}))
    else:
        verb = "is already sealed" if done.already else f"sealed, {done.files} files"
        say(f"{folder} {verb}\nidentity {done.identity}")
        if launch:
            say(f"        · {launch}")
        if signer:
            say(f"signed by key {signer}, in {ENVELOPE}")
    return EXIT_HOLDS


def _cache(folder: Path) -> SealCache | None:
    """Where digests are remembered: in the repository around us, if there is one."""
    try:
        return SealCache.of(find_root(), folder)
    except UsageError:
        return None


def check(folder: str, keys: Path | None, as_json: bool, reproductions: Path | None = None) -> int:
    """Check one record's folder, or all of them; with `keys`, also who signed.

    With `reproductions`, a folder of statements, list who reproduced what.
    """
    if folder == "all":
        folders = record_folders(repository())
        if not folders:
            raise UsageError("records/ holds no record")
    else:
        folders = [Path(folder)]
    if keys:
        trusted_keys(keys)  # a bad key is an error before anything is read
    reports = [check_folder(path) for path in folders]
    signed = [judge(r.folder, keys) if keys and r.holds else None for r in reports]
    told, problems = _reproductions(reproductions, keys)
    of = {r.identity: [t for t in told if t.identity == r.identity] for r in reports}
    others = [t for t in told if t.identity not in of]
    if as_json:
        rows = [_with_signature(*pair) for pair in zip(reports, signed, strict=True)]
        for row in rows if reproductions else ():
            row["reproductions"] = [t.to_json() for t in of[row["identity"]]]
        rest = {"others": [t.to_json() for t in others], "problems": problems}
        print_json({"records": rows, **rest} if reproductions else rows)
    else:
        for report, judged in zip(reports, signed, strict=True):
            _print_report(report, judged)
            for each in of[report.identity] if report.holds else ():
                say(f"        · {_in_words(each)}")
        for each in others:
            say(f"of no record here ({each.identity[:16]}): {_in_words(each)}")
        for problem in problems:
            say(f"  {problem}", "no statement", "red")
    codes = {EXIT_CONTRADICTED} if problems else set()
    codes |= {EXIT_HOLDS if r.holds else EXIT_CONTRADICTED for r in reports}
    codes |= {judged.exit_code for judged in signed if judged}
    worst = (EXIT_CONTRADICTED, EXIT_CANNOT_CHECK, EXIT_HOLDS)
    return next(code for code in worst if code in codes)


def _reproductions(folder: Path | None, keys: Path | None) -> tuple[list["Found"], list[str]]:
    """The statements in a folder, and what only looks like one."""
    if folder is None:
        return [], []
    from goldenseal.records.reproductions import read_all  # pydantic's models: not for every check

    return read_all(folder, keys)


def _in_words(found: "Found") -> str:
    return f"{found.told.in_words()}; {found.who()} [{', '.join(found.files)}]"


def _with_signature(report: CheckReport, signed: Signed | None) -> dict[str, Any]:
    """For --json; without --trusted-keys, only whether there is a signature."""
    document: dict[str, Any] = {**report.to_json(), "signed": (report.folder / ENVELOPE).is_file()}
    if signed:
        document["signature"] = {
            "verdict": signed.verdict,
            "reason": signed.reason,
            "signers": list(signed.signers),
        }
    return document


def _print_report(report: CheckReport, signed: Signed | None) -> None:
    name = in_one_line(report.folder.name)  # a stranger's folder prints no line of its own
    if report.holds:
        say(f"  {name}  {report.identity}", "intact", "green")
    else:
        say(f"  {name}", "BROKEN", "red")
    reasons = report.reasons()
    if signed:
        reasons.append(f"{signed.verdict}: {signed.reason}")
    elif report.holds and (report.folder / ENVELOPE).is_file():
        reasons.append(f"{ENVELOPE}: who signed was not judged, for want of --trusted-keys")
    for reason in reasons:
        say(f"        · {in_one_line(reason)}")


def verdict(as_json: bool) -> int:
    """Show the last verdict and whether it still covers the files as they are."""
    root = repository()
    told = read_verdict(root / VERDICT)
    predicate, changed = told.predicate, told.changed(root)
    fresh, passed = not changed, told.passed
    if as_json:
        print_json({"fresh": fresh, "passed": passed, "changed": changed, "verdict": predicate})
    else:
        state = "fresh" if fresh else "stale"
        result, when = predicate.get("verificationResult"), predicate.get("timeVerified")
        say(f"{state}, {result}, {when}")
        for text in changed[:10]:
            say(f"        · {text}")
    if not passed:
        return EXIT_CONTRADICTED
    return EXIT_HOLDS if fresh else EXIT_CANNOT_CHECK
