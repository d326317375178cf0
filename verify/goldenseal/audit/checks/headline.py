"""The headline itself: is one stated, do the files state the same one, of as many runs as said?"""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from goldenseal.audit.checks.passages import OTHERS as ELSEWHERE
from goldenseal.audit.checks.prose import COMPARES, HEAD_LINES, MARKS, OTHERS, stated_scores
from goldenseal.audit.columns import column_meaning
from goldenseal.audit.match import Value, best
from goldenseal.audit.model import Cell, Certainty, Claim, Notes, Record, Submission
from goldenseal.audit.numbers import Number, agreement, mean
from goldenseal.audit.readme_tables import quantity
from goldenseal.audit.submission import SMALLEST
from goldenseal.audit.words import meaning, words

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
EMPTY = re.compile(
    r"\s*(?:todo|tbd|tba|n/?a|none|null|nan|pending|unknown|placeholder|fill[ _-]?(?:me|in).*|"
    r"[x?.-]+|<.{0,60}>|\.\.\.)?[\s.!]*",
    re.IGNORECASE,
)
OF_RUNS = re.compile(
    r"\b(\d{1,3}|two|three|four|five|six|eight|ten)[- ]seeds?[- ](?:mean|average)\b", re.I
)
NAMES = "two three four five six seven eight nine ten".split()
WORDS = {name: count for count, name in enumerate(NAMES, start=2)}
NUMERAL = re.compile(r"(?<![\d.])\d\.\d{3,10}(?!\d)")


def check(record: Record, notes: Notes) -> None:
    """Placeholders, what README and submission file say of each other, and the count of runs."""
    for submission in record.submissions:
        placeholders(record, submission, notes)
        against_readme(record, submission, notes)
    counted(record, notes)
    repeated(record, notes)


def placeholders(record: Record, submission: Submission, notes: Notes) -> None:
    """Fields that were never filled in."""
    for key, value in submission.facts.items():
        role = meaning(key).role
        if role not in ("bpb", "loss", "total", "code", "model") or meaning(key).before:
            continue
        place = f"{submission.name}/{key}"
        if value is None or (isinstance(value, str) and EMPTY.fullmatch(value)):
            shown = "null" if value is None else repr(value[:40])
            open_ended = AMBIGUOUS if role in ("bpb", "loss") and not record.headlines else NOTE
            notes.add("placeholder", open_ended, f"{key} is {shown}", place, "no value is stated")
        elif isinstance(value, Number) and value.value == 0 and not meaning(key).statistic:
            scored = any(run.scores for run in record.runs) or bool(list(readme_scores(record)))
            sure = role == "bpb" and "val" in words(key) and scored
            evidence = "a placeholder: nothing of the kind is nought"
            notes.add(
                "placeholder", MISMATCH if sure else AMBIGUOUS, f"{key} is {value}", place, evidence
            )


def readme_scores(record: Record) -> Iterator[tuple[int, Number]]:
    """(line, score) of the README's headline: at the top, and not in a line that compares."""
    lines = record.readme.text.splitlines()[:HEAD_LINES] if record.readme else []
    for number, raw in enumerate(lines, start=1):
        line = MARKS.sub("", raw[:1000])
        others = COMPARES if number == 1 else OTHERS
        if line.lstrip().startswith("|") or others.search(line) or COMPARES.search(line):
            continue
        found = [claim for claim in stated_scores(line) if claim.value >= SMALLEST]
        if found:
            yield from ((number, claim) for claim in found)
            return


def against_readme(record: Record, submission: Submission, notes: Notes) -> None:
    """The README's headline against every score of the file; and the file's one against every
    number of the README.
    """
    claims = [c for c in record.headlines if c.role == "bpb" and c in submission.claims]
    stated = list(readme_scores(record))
    if not claims or not stated or record.readme is None:
        return
    own = [c.number.value for c in submission.claims if c.role == "bpb"]
    if any(agrees(n, value) for _, n in stated for value in own):
        return
    text = record.readme.text
    if any(agrees_text(match[0], claims) for match in NUMERAL.finditer(text)):
        return
    line, number = stated[0]
    place = f"{claims[0].place} / {record.readme.name}:{line}"
    evidence = f"the README's headline is {number}"
    notes.add("readme-and-file", MISMATCH, claims[0], place, evidence)


def agrees(number: Number, value: Decimal) -> bool:
    """Whether one of two numbers is the other, rounded or cut off."""
    return bool(agreement(number, value))


def agrees_text(text: str, claims: list[Claim]) -> bool:
    """Whether a numeral of the README is one of the headlines, at the digits of the shorter."""
    number = Number(text, Decimal(text), len(text.partition(".")[2]))
    return any(agrees(number, c.number.value) or agrees(c.number, number.value) for c in claims)


def counted(record: Record, notes: Notes) -> None:
    """A mean "of four seeds" needs four: as many as are listed, or have a log."""
    seeds = {run.seed for run in record.runs if run.seed is not None} | set(record.claimed_seeds)
    unknown = sum(run.seed is None for run in record.runs)
    if len(seeds) < 2 or record.readme is None:
        return
    head = "\n".join(record.readme.text.splitlines()[:HEAD_LINES])
    blurbs = [v for s in record.submissions for v in s.facts.values() if isinstance(v, str)]
    for place, text in [
        (record.readme.name, head),
        *((s.name, b) for s in record.submissions for b in blurbs),
    ]:
        for sentence in text.splitlines():
            match = OF_RUNS.search(sentence)
            if match is None or OTHERS.search(sentence) or ELSEWHERE.search(sentence):
                continue
            count = WORDS.get(match[1].lower()) or int(match[1])
            if count > len(seeds) + unknown:
                evidence = f"only {len(seeds)} seeds are listed or have a log"
                notes.add("seeds-counted", MISMATCH, match[0], place, evidence)
                return


def repeated(record: Record, notes: Notes) -> None:
    """A seed that stands twice in a table and so counts twice in its mean."""
    if record.readme is None:
        return
    for table in sorted({cell.table for cell in record.readme.cells}):
        cells = [c for c in record.readme.cells if c.table == table]
        for column in dict.fromkeys(c.column for c in cells):
            twice_in_mean(record, [c for c in cells if c.column == column], notes)


def twice_in_mean(record: Record, cells: list[Cell], notes: Notes) -> None:
    """One column: its mean fits only with the repeated row counted twice."""
    if column_meaning(cells[0].column).role not in ("bpb", "loss") or record.readme is None:
        return
    rows = [(c.seed, q[0]) for c in cells if c.seed is not None and (q := quantity(c.text))]
    means = [(c, q[0]) for c in cells if c.row == "mean" and (q := quantity(c.text))]
    counts = Counter((seed, number.value) for seed, number in rows)
    twice = sorted({seed for (seed, _), count in counts.items() if count > 1})
    if not twice or not means or len(counts) < 2:
        return
    once = mean(value for _, value in counts)
    cell, stated = means[0]
    if best(stated, [Value(once, None, "")]).holds:
        return
    claim = f"mean of {len(rows)} rows: {cell.text}"
    evidence = (
        f"seed {', '.join(map(str, twice))} stands in it twice; each once, the mean is {once:.6f}"
    )
    notes.add("seed-twice", MISMATCH, claim, f"{record.readme.name}:{cell.line}", evidence)
