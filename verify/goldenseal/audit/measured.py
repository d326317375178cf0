"""Metrics as the runs that the checks of a record look into."""

from collections import defaultdict
from decimal import Decimal

from goldenseal.audit.log_patterns import stage_of
from goldenseal.audit.model import Run, Score, Size, Stage
from goldenseal.audit.numbers import Number
from goldenseal.audit.series import Metrics, Point
from goldenseal.audit.words import SPREAD, meaning, words

WORLD = frozenset("world_size num_gpus n_gpus".split())


def to_run(metrics: Metrics) -> Run | None:
    """A run with the scores, sizes, steps and times of the metrics; None when it has none."""
    run = Run(metrics.file, 1, seed=metrics.seed)
    scores: dict[tuple[int, str], dict[str, tuple[str, Point]]] = defaultdict(dict)
    ends: dict[str, int] = {}
    for name, series in metrics.series.items():
        read = meaning(name)
        if read.role in ("bpb", "loss") and not set(words(name)) & SPREAD:
            kind = "/".join(w for w in words(name) if w not in ("bpb", "loss", "nats"))
            for point in series.points:
                scores[point.line, kind].setdefault(read.role, (name, point))
            ends[kind] = max(ends.get(kind, 0), series.last.line)
        else:
            measure(run, name, series.last)
    for (line, kind), pair in sorted(scores.items()):
        run.scores.append(score(pair, line, line == ends[kind]))
    steps = [p.step for s in metrics.series.values() for p in s.points[-1:] if p.step is not None]
    run.steps = [max(steps)] if steps else run.steps
    run.knobs = {k.rsplit("/", 1)[-1]: v[:200] for k, v in list(metrics.settings.items())[:1000]}
    known = run.scores or run.totals or run.models or run.params
    return run if known else None


def score(pair: dict[str, tuple[str, Point]], line: int, last: bool) -> Score:
    """One score of a loss, of bits a byte or of both; the last of its name may be claimed."""
    (name, point), *_ = pair.values()
    stage = stage_of(name)
    if stage is Stage.FINAL and not last:
        stage = Stage.STEP
    values: dict[str, Number | None] = {role: p.number for role, (_, p) in pair.items()}
    return Score(name, stage, values.get("loss"), values.get("bpb"), line, point.step)


def measure(run: Run, name: str, point: Point) -> None:
    """Sizes, parameters, steps and times, of which the last value counts."""
    read, number = meaning(name), point.number
    value = number.value * read.scale
    whole = int(value) if value == value.to_integral_value() and abs(value) < 10**18 else None
    if read.role in ("total", "model", "code") and whole is not None:
        into = {"total": run.totals, "model": run.models, "code": run.codes}[read.role]
        into.append(Size(name, whole, point.line))
    elif read.role == "params" and whole is not None:
        run.params = whole
    elif read.role == "steps" and whole is not None:
        run.steps = [whole]
    elif read.role == "train":
        run.train_ms.append(Decimal(value))
    elif read.role == "evaluation":
        run.eval_ms.append(Decimal(value))
    elif name.lower().rsplit("/", 1)[-1] in WORLD and whole is not None:
        run.world = whole
