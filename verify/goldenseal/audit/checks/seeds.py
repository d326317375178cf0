"""Seeds: each claimed one has a log, each log is of the seed its name says, no log stands twice."""

from collections import defaultdict

from goldenseal.audit.model import Certainty, Log, Notes, Record

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE


def check(record: Record, notes: Notes) -> None:
    """All findings on seeds and on repeated logs."""
    logs = [log for log in record.logs if log.runs]
    if not logs:
        return
    names(logs, notes)
    copies(logs, notes)
    without_log(record, notes)
    for submission in record.submissions:
        for seed in submission.repeated_seeds:
            claim = f"seed {seed} is listed twice"
            notes.add("seed-twice", MISMATCH, claim, submission.name, "each seed counts once")


def names(logs: list[Log], notes: Notes) -> None:
    """The seed inside a log against the one in its file name."""
    for log in logs:
        inside = sorted({run.seed for run in log.runs if run.seed is not None})
        if log.named_seed is not None and inside and log.named_seed not in inside:
            shown = ", ".join(map(str, inside))
            claim, evidence = f"the name says seed {log.named_seed}", f"the log says {shown}"
            notes.add("seed-in-name", MISMATCH, claim, log.name, evidence)


def copies(logs: list[Log], notes: Notes) -> None:
    """Logs with the same bytes, or with the same scores under another name."""
    groups: dict[str, list[Log]] = defaultdict(list)
    for log in logs:
        groups[log.digest].append(log)
    for same in groups.values():
        if len(same) > 1:
            claimed = {log.named_seed for log in same} - {None}
            certainty = MISMATCH if len(claimed) > 1 else NOTE
            listed = " and ".join(log.name for log in same)
            notes.add("duplicate-log", certainty, listed, same[0].name, "they are byte-identical")
    lines: dict[tuple[str, ...], list[tuple[Log, int | None]]] = defaultdict(list)
    for same in groups.values():
        for run in same[0].runs:
            key = tuple(f"{s.label} {s.loss} {s.bpb}" for s in run.scores)
            precise = any(s.bpb is not None and s.bpb.digits >= 6 for s in run.finals)
            if len(key) >= 3 or precise:
                lines[key].append((same[0], run.seed))
    for places in lines.values():
        files = list(dict.fromkeys(log.name for log, _ in places))
        if len(files) > 1:
            seeds = {seed for _, seed in places}
            named = {log.named_seed for log, _ in places} - {None}
            certainty = MISMATCH if len(seeds) > 1 or len(named) > 1 else NOTE
            evidence = "every score in them is the same"
            notes.add("duplicate-log", certainty, " and ".join(files), files[0], evidence)


def without_log(record: Record, notes: Notes) -> None:
    """Claimed seeds that no log is of."""
    known = {run.seed for run in record.runs}
    unknown = [run for run in record.runs if run.seed is None]
    for submission in record.submissions:
        for seed in submission.seeds:
            if seed not in known:
                certainty = AMBIGUOUS if unknown else MISMATCH
                evidence = f"the logs are of {shown(known)}"
                claim = f"seed {seed}"
                notes.add("seed-without-log", certainty, claim, submission.name, evidence)
    listed = set(record.claimed_seeds)
    extra = sorted(seed for seed in known if seed is not None and listed and seed not in listed)
    for seed in extra:
        files = ", ".join(dict.fromkeys(run.file for run in record.runs_of(seed)))
        notes.add("log-without-claim", NOTE, f"seed {seed}", files, "no claim is about this log")


def shown(seeds: "set[int | None]") -> str:
    """Seeds in words."""
    listed = [str(seed) for seed in sorted(s for s in seeds if s is not None)]
    return f"seeds {', '.join(listed)}" if listed else "no stated seed"
