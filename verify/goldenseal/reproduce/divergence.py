"""Where exactly two runs part: the first tensor of the first differing step, in execution order.

A run log says at which step two runs part. Both are repeated up to that step with every tensor
written down, and laid side by side. The two are the sealed source and the present one; or, when one
source gave two results, the same source twice, which tells whether it repeats itself at all.
"""

import json
import math
from collections.abc import Callable, Mapping
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from goldenseal.compare.difference import distance
from goldenseal.compare.elements import OF_TORCH, differing, index, shown, value
from goldenseal.config import System
from goldenseal.errors import CannotCheckError
from goldenseal.launch.process import run_system
from goldenseal.records.history import restore_source
from goldenseal.records.source import read_source

Show = Callable[[str], None]
TRACER = Path(__file__).with_name("step_trace.py")


def pinpoint(
    root: Path,
    system: System,
    knobs: Mapping[str, str],
    step: int,
    sealed: Mapping[str, str],
    ran: Path,
    scratch: Path,
    show: Show,
    variables: Mapping[str, str] | None = None,
) -> str:
    """What two more runs tell of a step that is not the sealed one, as a note.

    `ran` holds the code that gave the other result. When that is not the sealed source, the sealed
    one, found again into `scratch`, is laid beside it; else the same code is run twice.
    """
    changed = ran == root and read_source(root).differences(dict(sealed))
    try:
        if not changed:
            place = locate(root, system, knobs, step, (ran, ran), show, variables)
            if place:
                return f"the run does not repeat itself, part of it is nondeterministic: {place}"
            return (
                f"two more runs here agree on each tensor of step {step}: the sealed log does not"
            )
        if restore_source(root, sealed, scratch):
            return f"step {step} was not traced: the sealed source is not in the history"
        place = locate(root, system, knobs, step, (scratch, root), show, variables)
    except CannotCheckError as error:
        return f"step {step} was not traced: {error}"
    what = "between the sealed source, run first, and the present one"
    return f"{what}: {place}" if place else f"{what}: no tensor of step {step} differs"


def locate(
    root: Path,
    system: System,
    knobs: Mapping[str, str],
    step: int,
    sources: tuple[Path, Path],
    show: Show,
    variables: Mapping[str, str] | None = None,
) -> str | None:
    """The first tensor of `step` at which the two sources part, in words; None when none does.

    Raises CannotCheckError when a trace could not be made.
    """
    with TemporaryDirectory() as folder:
        traces = []
        for number, source in enumerate(sources):
            place = Path(folder) / str(number)
            (place / "run").mkdir(parents=True)
            show(f"tracing step {step}, run {number + 1} of 2")
            arguments = (str(TRACER), system.module, str(step), str(place))
            run_system(
                root,
                system,
                knobs,
                place / "run",
                lambda line: None,
                source=source,
                arguments=arguments,
                variables=variables,
            )
            traces.append(read_events(place))
        return first_parting(Path(folder), *traces)


def read_events(folder: Path) -> list[dict[str, Any]]:
    """The tensors of a trace, in order. Raises CannotCheckError when there is none."""
    path = folder / "events.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if not events:
        raise CannotCheckError("the trace of the step is empty: the system wrote no such step")
    return events


def first_parting(folder: Path, a: list[dict[str, Any]], b: list[dict[str, Any]]) -> str | None:
    """The first event that differs, in words."""
    for number, (x, y) in enumerate(zip_longest(a, b), start=1):
        if x is None or y is None:
            longer = x or y
            return f"tensor {number} of the step, {longer['what']}, is there in one run only"
        if x["what"] != y["what"]:
            return f"tensor {number} of the step is {y['what']}, in the first run {x['what']}"
        kinds = [f"{event['dtype']}{event['shape']}" for event in (x, y)]
        if kinds[0] != kinds[1]:
            return f"{x['what']} is {kinds[1]}, in the first run {kinds[0]}"
        if x["sha512"] != y["sha512"]:
            return f"tensor {number} of the step, {x['what']}{first_element(folder, x, y)}"
    return None


def first_element(folder: Path, x: Mapping[str, Any], y: Mapping[str, Any]) -> str:
    """The first element that differs, with both values and their distance."""
    if x["at"] is None or y["at"] is None:
        return " (too large to keep: the digests differ)"
    element = OF_TORCH.get(x["dtype"])
    if element is None:
        return f" (of dtype {x['dtype']}, which is not read here: the digests differ)"
    count = math.prod(x["shape"]) * element.unit
    one, other = (
        read_at(folder / str(number) / "events.bin", event["at"], count)
        for number, event in enumerate((x, y))
    )
    at = differing(element, one, other)
    if at is None:
        return " (the digests differ, the bytes that were kept do not)"
    old, new = (raw[at : at + element.unit] for raw in (one, other))
    far = distance(value(element, old), value(element, new))
    texts = f"{shown(element, new)}, in the first run {shown(element, old)}"
    return f"{index(element, at)}: {texts}{far}"


def read_at(path: Path, at: int, count: int) -> bytes:
    """A part of a file."""
    with path.open("rb") as file:
        file.seek(at)
        return file.read(count)
