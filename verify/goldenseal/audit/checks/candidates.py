"""The tests that a statement may mean, recomputed from the values that the files hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

from goldenseal.audit.checks.statements import MARKS, SCORE, Statement
from goldenseal.audit.match import Value, best, per_run
from goldenseal.audit.model import Record, Stage
from goldenseal.audit.numbers import Number, mean, parse
from goldenseal.audit.readme_tables import quantity
from goldenseal.audit.words import ELSEWHERE, words
from goldenseal.stats.student import Test, one_sample, paired, welch

MAX_COLUMNS = 12  # of scores by seed, in all tables of a README


@dataclass(frozen=True)
class Candidate:
    """A test that could be meant, recomputed."""

    test: Test
    what: str
    reference: Decimal | None = None
    runs: int = 0  # of this record
    kind: str = ""  # one-sample, welch, paired
    half: float = 0.0  # half a unit of the last digit of the values, where they were rounded
    gap: float = 0.0  # the difference of the means

    @property
    def sizes(self) -> tuple[float, float]:
        """The least and the largest |t| that the values may have had before they were rounded."""
        size = abs(self.test.t)
        if not self.half or not self.gap:
            return size, size
        error = abs(self.gap) / size if size else 0.0
        shifts = 2 * self.half if self.kind != "one-sample" else self.half
        low = max(0.0, abs(self.gap) - shifts) / (error + self.half)
        return low, (abs(self.gap) + shifts) / max(error - self.half, error / 4)

    @property
    def one_sided(self) -> float:
        """p on the side that is meant: of lower scores, or of gains, whichever way they count."""
        t = self.test
        return min(t.less, t.greater) if self.kind in ("paired", "listed") else t.less

    def __str__(self) -> str:
        t = self.test
        return (
            f"{self.what}: t = {t.t:.4g}, df = {t.df:.4g}, one-sided p = {t.less:.3g}, "
            f"two-sided {t.two_sided:.3g}"
        )


def own_values(record: Record) -> list[tuple[str, list[float]]]:
    """(what, a value a run) of each family of final scores."""
    families = []
    for role in ("bpb", "loss"):
        for name, numbers in per_run(record.used_runs, role, (Stage.FINAL,)).items():
            families.append((f"{role}, {name}", [float(n.value) for n in numbers]))
    return families


def headline_values(record: Record) -> tuple[str, list[float]] | None:
    """The family of bpb whose mean or member is the headline; else the last evaluation."""
    claims = [
        c
        for s in record.submissions
        for c in s.claims
        if c.role == "bpb" and c.seed is None and not c.before and not c.statistic
    ]
    families = per_run(record.used_runs, "bpb", (Stage.FINAL,))
    for claim in claims:
        for name, numbers in families.items():
            centre = Value(mean(n.value for n in numbers), None, "")
            if best(claim.number, [centre]).holds:
                return name, [float(n.value) for n in numbers]
    last = families.get("last evaluation")
    return ("last evaluation", [float(n.value) for n in last]) if last else None


def against_rival(record: Record) -> list[Candidate]:
    """Welch's test of this record's runs against those of the other record."""
    if record.rival is None:
        return []
    mine, other = headline_values(record), headline_values(record.rival)
    if mine is None or other is None or not (test := welch(mine[1], other[1])):
        return []
    what = (
        f"{len(mine[1])} runs ({mine[0]}) against {len(other[1])} of {record.rival.name} "
        f"({other[0]})"
    )
    return [Candidate(test, what, kind="welch")]


def against_references(record: Record, statement: Statement) -> list[Candidate]:
    """One-sample tests against every value that the statement or a file of the record names."""
    values = {statement.reference.value} if statement.reference else set()
    for submission in record.submissions:
        values |= {n.value for n in references(submission.facts)}
    if record.readme and statement.place.startswith(record.readme.name):
        scores = SCORE.findall(MARKS.sub("", record.readme.text))[:60]
        values |= {n.value for text in scores if (n := parse(text)) is not None}
    return [
        Candidate(test, f"one-sample test of {what} against {value}", value, len(own), "one-sample")
        for what, own in own_values(record)
        for value in sorted(values)
        if (test := one_sample(own, float(value)))
    ]


def against_listed(record: Record) -> list[Candidate]:
    """Welch's test against the runs of another record that a submission file lists."""
    return [
        Candidate(test, f"{what} against the {len(listed)} values of {key}", kind="welch")
        for submission in record.submissions
        for key, listed in listings(submission.facts)
        for what, own in own_values(record)
        if (test := welch(own, listed))
    ]


def in_text(record: Record, statement: Statement) -> list[Candidate]:
    """Tests of the values that the statement's own line lists: against each other, against these
    runs, and against the value that it names.
    """
    made = []
    groups = [list(map(float, group)) for group in statement.groups if len(group) > 1]
    half = max((_half(group) for group in statement.groups), default=0.0)
    for one, other in combinations(groups, 2):
        if test := welch(one, other):
            what = f"the {len(one)} values listed against the other {len(other)}"
            made.append(_listed(test, what, one, other, half, "listed"))
        if len(one) == len(other) and (test := paired(one, other)):
            what = f"the {len(one)} values listed, paired with the other {len(other)}"
            made.append(_listed(test, what, one, other, half, "paired"))
    if len(groups) == 1 and statement.reference is None:
        for what, own in own_values(record):
            if test := welch(own, groups[0]):
                what = f"{what} against the {len(groups[0])} values listed"
                made.append(_listed(test, what, own, groups[0], half, "listed"))
    return made


def in_tables(record: Record) -> list[Candidate]:
    """Welch's and paired tests of every two columns of scores by seed in the README's tables, and
    of each column against these runs.
    """
    made = []
    columns = score_columns(record)
    for (name, one), (other_name, other) in combinations(columns, 2):
        shared = [seed for seed in one if seed in other]
        a, b = [float(n.value) for n in one.values()], [float(n.value) for n in other.values()]
        half = max(0.5 * 10.0**-n.digits for n in (*one.values(), *other.values()))
        if test := welch(a, b):
            what = f"Welch's test of columns {name} and {other_name}"
            made.append(_listed(test, what, a, b, half, "listed"))
        if len(shared) == len(one) == len(other) or (len(shared) > 1 and set(one) & set(other)):
            a, b = ([float(side[s].value) for s in shared] for side in (one, other))
            if len(a) > 1 and (test := paired(a, b)):
                what = f"paired test of columns {name} and {other_name} over {len(a)} seeds"
                made.append(_listed(test, what, a, b, half, "paired"))
    return made


def score_columns(record: Record) -> list[tuple[str, dict[int, Number]]]:
    """(heading, score by seed) of each column of two or more scores in the seed tables."""
    columns: dict[tuple[int, str], dict[int, Number]] = {}
    for cell in record.readme.cells if record.readme else ():
        stated = quantity(cell.text) if cell.seed is not None else None
        if stated and stated[0].digits >= 3 and looks_like_score(stated[0]):
            columns.setdefault((cell.table, cell.column), {})[cell.seed or 0] = stated[0]
    return [(name, held) for (_, name), held in columns.items() if len(held) > 1][:MAX_COLUMNS]


def looks_like_score(number: Number) -> bool:
    """Whether a number may be bits a byte or a loss: no difference, no time."""
    return Decimal("0.3") < number.value < 20


def _half(group: Sequence[Decimal]) -> float:
    exponents = [v.as_tuple().exponent for v in group]
    return 0.5 * 10.0 ** max(e for e in exponents if isinstance(e, int))


def _listed(
    test: Test, what: str, a: Sequence[float], b: Sequence[float], half: float, kind: str
) -> Candidate:
    gap = sum(a) / len(a) - sum(b) / len(b)
    return Candidate(test, what, None, len(a), kind, half, gap)


def references(facts: Any, key: str = "", depth: int = 0) -> Iterator[Number]:
    """Scores of other records that a submission file names."""
    if isinstance(facts, dict) and depth < 10:
        for name, value in facts.items():
            yield from references(value, f"{key} {name}", depth + 1)
    elif isinstance(facts, Number) and set(words(key)) & ELSEWHERE and facts.digits >= 3:
        yield facts


def listings(facts: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, list[float]]]:
    """Lists and objects of several scores under a key that names another record."""
    if depth > 10 or not isinstance(facts, dict | list):
        return
    values = list(facts.values()) if isinstance(facts, dict) else facts
    numbers = [v.value for v in values if isinstance(v, Number) and v.digits >= 3]
    if len(numbers) == len(values) > 1 and set(words(key)) & ELSEWHERE:
        yield key.strip(), [float(v) for v in numbers]
    elif isinstance(facts, dict):
        for name, value in facts.items():
            yield from listings(value, f"{key} {name}", depth + 1)
