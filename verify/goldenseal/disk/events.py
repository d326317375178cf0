"""Scalars of TensorBoard's event files, by tensorboard's own loader, which keeps all of them.

It checks each record's CRC. What it writes as a scalar is single precision: 0.1 is 0.100000001490…
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EVENTS = "tfevents"  # in the name of every event file
NEEDS = "goldenseal[events]"


@dataclass(frozen=True)
class Scalar:
    """One value of a summary. event: which record of the file holds it, from 1."""

    tag: str
    step: int
    wall_time: float
    value: float
    event: int


def scalars(path: Path) -> Iterator[Scalar]:
    """Every scalar of a file, in its order.

    Raises ImportError without tensorboard, and ValueError for a file that it cannot read.
    """
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    try:
        for count, event in enumerate(EventFileLoader(str(path)).Load(), start=1):
            for value in event.summary.value:  # the loader makes a tensor of a simple value, too
                if not value.HasField("tensor") or value.tensor.tensor_shape.dim:
                    continue
                number = make_ndarray(value.tensor).item()
                if isinstance(number, float):
                    yield Scalar(value.tag, int(event.step), event.wall_time, number, count)
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
