"""Runs as metrics: what each logged under which name, and which of these a heading means."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from goldenseal.audit.match import Match, Value, best
from goldenseal.audit.model import Log, Record, Run, Score, Stage, seed_in_name
from goldenseal.audit.numbers import Agreement, Number, agreement, mean
from goldenseal.audit.series import Metrics, Point, Series
from goldenseal.audit.words import in_one_case, words

SAME = {
    "acc": "accuracy", "ppl": "perplexity", "err": "error", "val": "validation",
    "valid": "validation", "eval": "validation", "evaluation": "validation", "dev": "validation",
    "testing": "test", "training": "train", "losses": "loss", "bits": "bit", "scores": "score",
    "em": "exactmatch", "lr": "learningrate", "miou": "iou",
}  # fmt: skip
AT = re.compile(r"\b(?:acc(?:uracy)?|prec(?:ision)?)(?:@(?=\d+\b)|(?=[15]\b))(\d+)", re.IGNORECASE)
TOP = re.compile(r"top\d+")
SPLITS = frozenset("train validation test".split())
HOW = frozenset(
    """final last best max min maximum minimum highest lowest mean avg average peak std sd at end
    epoch step over seeds seed runs run score value the of on set our ours result results metric all
    a is was were be been with to by reached reaches reach achieved achieves attained attains
    obtained got gives gave came after about around now""".split()
)
EXTREME = r"\b(?:best|max(?:imum)?|min(?:imum)?|peak|highest|lowest)\b"
LOWER = frozenset("loss error perplexity wer cer rmse mae mse fid nll bpb bpc latency".split())
BEST = re.compile(r"(?:^|[^a-z])(?:best|max|min|peak|highest|lowest)(?:[^a-z]|$)", re.IGNORECASE)
HUNDRED = Decimal(100)


@dataclass
class MetricRun:
    """One run: its name, its seed, its settings, and the values that it logged."""

    name: str
    series: dict[str, Series] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    seed: int | None = None

    def take(self, metrics: Metrics) -> None:
        """Add what one file of the run holds."""
        for name, series in metrics.series.items():
            self.series.setdefault(name, series)
        self.settings = {**metrics.settings, **self.settings}
        if self.seed is None:
            self.seed = metrics.seed if metrics.seed is not None else seed_in_name(metrics.file)

    def named(self, wanted: "Meant") -> list[tuple[str, Series]]:
        """The metrics that a heading means, those of the right split first."""
        fitting = [(n, s) for n, s in self.series.items() if wanted.fits(n)]
        return sorted(fitting, key=lambda pair: wanted.distance(pair[0]))


@dataclass(frozen=True)
class Meant:
    """What a heading or a phrase says: the quantity, the split, and which of its values."""

    quantity: frozenset[str]
    split: str
    which: str  # "best", "last" or ""
    percent: bool = False

    def fits(self, name: str) -> bool:
        """Whether a metric of this name is the quantity, of a split that is not another one."""
        known = normal(name)
        own = next(iter(known & SPLITS), "")
        if self.split and own and own != self.split:
            return False
        if not self.split and own == "train":
            return False
        return bool(self.quantity) and known - SPLITS - HOW == self.quantity

    def same_split(self, name: str) -> bool:
        """Whether a metric of this name is of the split that is said; of none, any will do."""
        return not self.split or self.split in normal(name)

    def distance(self, name: str) -> tuple[int, str]:
        """Order of metrics that fit: of the split named; else validation or test before none."""
        own = next(iter(normal(name) & SPLITS), "")
        return (0 if own == self.split else 1 if own else 2, name)


def normal(name: str) -> frozenset[str]:
    """The words of a name, each in one spelling: `val/acc` and `Validation accuracy` are one."""
    flat = AT.sub(r"accuracy top\1", in_one_case(name.replace("%", " ")))
    flat = re.sub(r"([A-Za-z])[-_ ](?=\d)", r"\1", flat)
    known = {SAME.get(word, word) for word in words(flat)}
    if any(TOP.fullmatch(word) for word in known) and "error" not in known:
        known.add("accuracy")
    return frozenset(known - {"top1"})  # which is accuracy, or error, without more words


def meant(heading: str) -> Meant:
    """What a heading says."""
    text = re.sub(r"\([^)]*\)|↑|↓|\*", " ", heading)
    known = normal(text)
    low = heading.lower()
    which = "best" if re.search(EXTREME, low) else ""
    which = "last" if re.search(r"\b(?:final|last)\b", low) else which
    quantity = known - SPLITS - HOW
    split = next(iter(sorted(known & SPLITS)), "")
    return Meant(frozenset(quantity), split, which, "%" in heading)


def is_lower_better(name: str) -> bool:
    """Whether the best value of a metric is its least."""
    return bool(normal(name) & LOWER)


def best_of(name: str, series: Series) -> Point:
    """The best value of a metric."""
    chosen = series.least if is_lower_better(name) else series.most
    return chosen or series.last


def values(runs: Iterable[MetricRun], wanted: Meant, which: str) -> list[Value]:
    """The last, the best or every value that the runs logged of what is meant."""
    made = []
    for run in runs:
        for name, series in run.named(wanted):
            points = {"last": [series.last], "best": [best_of(name, series)]}.get(
                which, series.points
            )
            if which == "last" and BEST.search(name):
                continue  # a log's own "best so far" is no last value
            for point in points:
                at = "" if point.step is None else f" at step {point.step}"
                what = f"{which + ' ' if which else ''}{name} of {run.name}{at}"
                made.append(Value(point.number.value, point.number.digits, what))
    return made


def means(runs: list[MetricRun], wanted: Meant, which: str) -> list[Value]:
    """The mean over the runs of each metric's last or best value."""
    made = []
    for name in dict.fromkeys(n for run in runs for n, _ in run.named(wanted)):
        held = [run.series[name] for run in runs if name in run.series]
        if len(held) == len(runs) > 1:
            points = [s.last if which == "last" else best_of(name, s) for s in held]
            exact = mean(p.number.value for p in points)
            what = f"mean {which} {name} of {len(runs)} runs"
            made.append(Value(exact, None, what))
    return made


def fit(number: Number, held: list[Value], percent: bool) -> Match:
    """The best match, as it stands or as a percentage of what was logged, or the reverse."""
    scales = [Decimal(1), Decimal("0.01"), HUNDRED] if percent else [Decimal(1), Decimal("0.01")]
    plain_match = best(number, held)
    if plain_match.holds:
        return plain_match
    for scale in scales[1:]:
        # A value of one digit or none is within reach of anything when it is scaled.
        if scale == HUNDRED or number.value > 1 or percent:
            scaled = best(number, held, scale)
            if scaled.holds or scaled.agreement is Agreement.TRUNCATED:
                return scaled
    if not percent and abs(number.value) < 1 and number.digits >= 3:
        # 0.8955 where the log prints 89.55
        hundredfold = best(number, [v for v in held if abs(v.value) > 1], HUNDRED)
        if hundredfold.holds:
            return hundredfold
    near = [v for v in held if v.value and abs(number.value / v.value - HUNDRED) < 60]
    return best(number, near, Decimal("0.01")) if near and percent else plain_match


def agrees(number: Number, value: Decimal) -> bool:
    """Whether a number is a value, also in percent."""
    return any(agreement(number, value * scale) >= Agreement.FEWER for scale in (1, 100))


def as_logs(record: Record, runs: list[MetricRun]) -> None:
    """The runs as the rest of the audit knows them."""
    for run in runs:
        made = Run(run.name, 1, run.seed)
        for name, series in run.series.items():
            point = series.last
            made.scores.append(Score(name, Stage.FINAL, point.number, None, point.line, point.step))
        record.logs.append(Log(run.name, f"{run.name} {id(run)}", len(made.scores), [made]))
