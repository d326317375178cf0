"""Settings that a README assigns, `MATRIX_LR=0.032`, against those that every run logged."""

import re
from collections import defaultdict

from goldenseal.audit.checks.passages import passages
from goldenseal.audit.model import Certainty, Notes, Record
from goldenseal.audit.numbers import parse

ASSIGNED = re.compile(
    r"(?<![\w.$/-])([A-Z][A-Z0-9]*_[A-Z0-9_]+)\s?=\s?[\"']?([\w.+-]+)[\"']?(?![\w.(/])"
)
LOCAL = re.compile(
    r"(?:^|_)(?:SEED|ID|PATH|DIR|NAME|PROC|RANK|PORT|ADDR|DEVICES?|EVERY|FILE)(?:_|$)"
)
MAX_WORDS = 6
SENTENCE = re.compile(r"\b(?:set|use|try|with|for|if|gave|gives|when|longer|or|instead)\b", re.I)
SWITCH = {"true": "1", "false": "0"}


def check(record: Record, notes: Notes) -> None:
    """Names that have one value in all runs and another one wherever the README assigns them.

    A name with several values is a comparison, or a sweep.
    """
    runs = [run for run in record.used_runs if run.knobs]
    if record.readme is None or not runs:
        return
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for passage in passages(record):
        if passage.place.startswith(f"{record.readme.name}:"):
            for name, value in ASSIGNED.findall(passage.text):
                if not LOCAL.search(name):
                    sure = passage.own and (passage.fenced or is_listing(passage.text))
                    found[name].append((value, passage.place if sure else ""))
    for name, stated in found.items():
        logged = {run.knobs[name.lower()] for run in runs if name.lower() in run.knobs}
        if len(logged) != 1 or not all(name.lower() in run.knobs for run in runs):
            continue
        (value,) = logged
        shown, place = f"{name}={stated[0][0]}", next((p for _, p in stated if p), "")
        if any(same(text, value) for text, _ in stated):
            notes.confirm(f"{name}={value}", place or record.readme.name, "as every run logged it")
        elif place and len({text for text, _ in stated}) == 1 and comparable(stated[0][0], value):
            evidence = f"every run logged {value}"
            notes.add("setting", Certainty.MISMATCH, shown, place, evidence)


def is_listing(line: str) -> bool:
    """Whether a line is about its settings, and no sentence that mentions one."""
    rest = ASSIGNED.sub(" ", line)
    return len(re.findall(r"[A-Za-z]{2,}", rest)) <= MAX_WORDS and not SENTENCE.search(rest)


def same(stated: str, logged: str) -> bool:
    """Whether two values are equal as numbers, or as words."""
    a, b = parse(stated), parse(logged)
    if a is not None and b is not None:
        return a.value == b.value
    one, other = stated.lower(), logged.lower()
    return SWITCH.get(one, one) == SWITCH.get(other, other)


def comparable(stated: str, logged: str) -> bool:
    """Whether both are numbers, or both switches: else one may only be written otherwise."""
    if parse(stated) is not None and parse(logged) is not None:
        return True
    return {stated.lower(), logged.lower()} <= {"true", "false", "0", "1"}
