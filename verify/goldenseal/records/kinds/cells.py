"""The cells of a grid, as plans have them and as records list them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SEED = "SEED"  # the knob that takes the seed, in every system that is studied
FINISHED, FAILED, MISSING = "finished", "failed", "missing"


@dataclass(frozen=True)
class Cell:
    """One run of a plan: a configuration under a seed."""

    configuration: str
    seed: int

    def __str__(self) -> str:
        return f"{self.configuration}/{self.seed}"


@dataclass(frozen=True)
class Listed:
    """A cell that a record lists: its log, knobs and results when it is finished, else why not."""

    cell: Cell
    log: str = ""
    knobs: Mapping[str, str] = field(default_factory=dict)  # the record's common ones among them
    results: dict[str, float] | None = None
    state: str = FINISHED
    reason: str = ""

    @property
    def finished(self) -> bool:
        """Whether there is a run of it."""
        return self.state == FINISHED

    @property
    def environment(self) -> dict[str, str]:
        """Every knob of the run, its seed among them."""
        return {**self.knobs, SEED: str(self.cell.seed)}
