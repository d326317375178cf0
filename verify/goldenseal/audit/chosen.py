"""Which runs the claims are about, where a folder holds others beside them."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from goldenseal.audit.columns import column_meaning
from goldenseal.audit.match import best, score_values
from goldenseal.audit.model import Record, Run, Stage, seed_in_name
from goldenseal.audit.numbers import Number
from goldenseal.audit.readme_tables import quantity
from goldenseal.audit.words import words

FILE = re.compile(r"[\w./ +=-]+\.(?:log|txt|jsonl|csv|out)\b")
ENDS = re.compile(r"\.(?:log|txt|jsonl|csv|out)\b")
SEED = re.compile(r"(?<![\w-])seeds?\s*[=:#]?\s*(\d{1,10})(?![\w-])", re.IGNORECASE)
MIN_DIGITS = 4  # after the point; a score of fewer is of several runs by chance
MAX_DEPTH = 6


def choose(record: Record) -> None:
    """Set the record's chosen runs: those in the logs that a file names for the seeds; else, of
    each seed, those that hold the score that is stated for it, or are named by it.
    Without either, nothing is set.
    """
    runs = record.used_runs
    if len(runs) < 2:
        return
    named = named_logs(record)
    kept = [run for run in runs if run.file in named]
    if not covers(record, kept):
        kept = runs
    groups: dict[int | None, list[Run]] = defaultdict(list)
    for run in kept:
        groups[run.seed].append(run)
    if set(record.claimed_seeds) and set(record.claimed_seeds) <= set(groups):
        groups.pop(None, None)  # a summary of the others, which states no seed
    chosen = [run for seed, group in groups.items() for run in holding(record, seed, group)]
    if len(chosen) < len(runs):
        record.chosen = [run for run in runs if any(run is one for one in chosen)]


def covers(record: Record, kept: list[Run]) -> bool:
    """Whether there is a run of every claimed seed that has one at all."""
    seeds = {run.seed for run in record.used_runs}
    return bool(kept) and {run.seed for run in kept} == seeds


def holding(record: Record, seed: int | None, group: list[Run]) -> list[Run]:
    """The runs of one seed that hold a score that is stated for it; all, where none does."""
    if len(group) < 2:
        return group
    stated = list(stated_scores(record, seed))
    if not stated and len({run.file for run in group}) == 1:
        stated = list(stated_scores(record, None))
    holds = [
        run
        for run in group
        if any(best(n, score_values([run], role, (Stage.FINAL,))).holds for role, n in stated)
    ]
    named = [run for run in group if seed is not None and seed_in_name(run.file) == seed]
    return holds or named or group


def stated_scores(record: Record, seed: int | None) -> Iterator[tuple[str, Number]]:
    """(role, value) of each score that the record states for a seed, or for the whole."""
    for submission in record.submissions:
        for claim in submission.claims:
            plain = claim.statistic in ("", "mean") and not claim.nested and not claim.before
            if claim.role in ("bpb", "loss") and claim.seed == seed and plain:
                if claim.number.digits >= MIN_DIGITS:
                    yield claim.role, claim.number
    for cell in record.readme.cells if record.readme and seed is not None else ():
        role = column_meaning(cell.column).role
        if cell.seed == seed and role in ("bpb", "loss") and (stated := quantity(cell.text)):
            if stated[0].digits >= MIN_DIGITS and not any(s.seeds for s in record.submissions):
                yield role, stated[0]


def named_logs(record: Record) -> set[str]:
    """The logs that a submission file, or a line of the README on a seed, names."""
    texts = [t for s in record.submissions for t in under_logs(s.facts)]
    for line in record.readme.text.splitlines() if record.readme else ():
        # The number in a file's own name says nothing of what the line is about.
        if (
            "." in line
            and len(line) < 2000
            and ENDS.search(line)
            and (SEED.search(FILE.sub(" ", line)) or is_seed_row(line))
        ):
            texts += FILE.findall(line)
    ends = {text.strip(" ./").rsplit("/", 1)[-1] for text in texts}
    exact = {text.strip(" ./") for text in texts}
    found = {log.name for log in record.logs if log.name in exact}
    return found or {log.name for log in record.logs if log.name.rsplit("/", 1)[-1] in ends}


def is_seed_row(line: str) -> bool:
    """Whether a line is a row of a table that begins with a bare integer."""
    return re.match(r"\s*\|\s*\**\d{1,10}\**\s*\|", line) is not None


def under_logs(facts: Any, key: str = "", depth: int = 0) -> Iterator[str]:
    """Names of files under a key that speaks of logs."""
    if depth > MAX_DEPTH:
        return
    if isinstance(facts, dict):
        for name, value in list(facts.items())[:500]:
            inherited = key if {"log", "logs"} & set(words(key)) else name
            yield from under_logs(value, inherited, depth + 1)
    elif isinstance(facts, list):
        for value in facts[:500]:
            yield from under_logs(value, key, depth + 1)
    elif isinstance(facts, str) and len(facts) < 500 and {"log", "logs"} & set(words(key)):
        yield from FILE.findall(facts)
