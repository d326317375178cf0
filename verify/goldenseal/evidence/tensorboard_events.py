"""TensorBoard's event files: a run for each folder that holds some."""

from collections.abc import Iterator
from pathlib import Path

from goldenseal.disk.events import is_events, scalars
from goldenseal.errors import UsageError
from goldenseal.evidence.model import Point, Run

TOOL = "TensorBoard"


def files_of(names: list[str]) -> list[str]:
    """The files that hold events."""
    return [name for name in names if is_events(name)]


def read(folder: Path, names: list[str]) -> Iterator[Run]:
    """A run for each folder with event files, as TensorBoard takes them; its files in order."""
    runs: dict[str, Run] = {}
    for name in files_of(names):
        run = runs.setdefault(name.rpartition("/")[0] or ".", Run(name.rpartition("/")[0] or "."))
        try:
            run.add(Point(each.tag, each.step, each.value) for each in scalars(folder / name))
        except UsageError as error:
            run.problems.append(f"{name}: {error}")
    yield from runs.values()
