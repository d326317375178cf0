"""What logs hold: runs, with the scores, sizes, steps and times that they say."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from goldenseal.audit.numbers import Number


class Stage(StrEnum):
    """Where in a run a score was measured."""

    FINAL = "final"  # after quantisation, by the evaluation that counts
    BEFORE = "before quantisation"
    STEP = "training step"


@dataclass(frozen=True)
class Score:
    """A logged loss (nats a token) and bits a byte, either of which may be missing."""

    label: str
    stage: Stage
    loss: Number | None
    bpb: Number | None
    line: int
    step: int | None = None
    seconds: Decimal | None = None  # of evaluation, where the same line gives it


@dataclass(frozen=True)
class Size:
    """A logged number of bytes; the empty label is the raw, uncompressed model's."""

    label: str
    value: int
    line: int


@dataclass
class Run:
    """One run within a log file."""

    file: str
    line: int
    seed: int | None = None
    params: int | None = None
    world: int | None = None
    tokens: int | None = None  # of the validation split
    scores: list[Score] = field(default_factory=list)
    totals: list[Size] = field(default_factory=list)
    models: list[Size] = field(default_factory=list)
    codes: list[Size] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)  # where it stopped, or was last seen
    planned: int | None = None  # steps
    train_ms: list[Decimal] = field(default_factory=list)
    coarse_ms: list[Decimal] = field(default_factory=list)  # of training, printed in minutes
    step_ms: list[Decimal] = field(default_factory=list)
    eval_ms: list[Decimal] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)  # peaks, MiB
    knobs: dict[str, str] = field(default_factory=dict)
    counts: Counter[Stage] = field(default_factory=Counter)  # of the scores met

    @property
    def finals(self) -> list[Score]:
        """The scores that may be claimed."""
        return [score for score in self.scores if score.stage is Stage.FINAL]

    def at(self, line: int) -> str:
        """`file:line`, for messages."""
        return f"{self.file}:{line}"


@dataclass
class Log:
    """A log file and the runs in it."""

    name: str
    digest: str
    size: int
    runs: list[Run]
    sources: tuple[str, ...] = ()  # the scripts that the log embeds, one a run

    @property
    def named_seed(self) -> int | None:
        """The seed that the file name states."""
        return seed_in_name(self.name)


def seed_in_name(name: str) -> int | None:
    """The seed that a file name states, as in `train_seed42.log` or `s42/train_seed_42.txt`."""
    seeds = re.findall(r"seed[-_= ]?(\d{1,10})(?!\d)", name.rsplit("/", 1)[-1].lower())
    return int(seeds[0]) if len(set(seeds)) == 1 else None


def one_a_seed(runs: Iterable[Run]) -> list[Run]:
    """The first run of each seed, and every run that states none."""
    seen: set[int] = set()
    kept = []
    for run in runs:
        if run.seed is None or run.seed not in seen:
            kept.append(run)
        if run.seed is not None:
            seen.add(run.seed)
    return kept
