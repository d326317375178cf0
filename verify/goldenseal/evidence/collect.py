"""`goldenseal record --from DIR`: what another tool logged, copied, read, and sealed as evidence.

The record holds the folder as it was found, in `original/`, and what was read from it in
`metrics.jsonl`: one line a value, with `name`, `step`, `value`, of several runs also `run`, and
`occurrence` where one run logged the same name twice at a step. Claims bind to these lines.
Nothing of the folder is executed, no link is followed, and no pickle is loaded.
"""

import math
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import CHUNK, atomic_write, open_regular, walk
from goldenseal.errors import UsageError
from goldenseal.evidence import (
    hf_trainer,
    lightning_csv,
    mlflow_store,
    tensorboard_events,
    wandb_offline,
)
from goldenseal.evidence.model import MAX_POINTS, Run
from goldenseal.records.seal import Sealed
from goldenseal.records.sums import refuse_new_record
from goldenseal.records.write import facts_of, name_of, write_sealed

FORMS: tuple[Any, ...] = (
    wandb_offline,
    mlflow_store,
    hf_trainer,
    lightning_csv,
    tensorboard_events,
)
KNOWN = ", ".join(form.TOOL for form in FORMS)
ORIGINAL, METRICS = "original", "metrics.jsonl"
MAX_FILES = 100_000
# What no log of these tools settles, whatever else it says.
UNKNOWN = (
    "the code that ran",
    "the data that was read",
    "the numeric class: machine, libraries, flags",
    "whether every run of its kind is here",
)


def record_from(source: Path, folder: Path) -> Sealed:
    """Seal the runs in the folder `source` as a new record at `folder`.

    There is a whole record or none. Raises UsageError for a folder in which none of the known
    tools logged a number, a place that is taken, or a link in place of a folder.
    """
    refuse_new_record(folder)
    names, problems = walk(source)
    if len(names) > MAX_FILES:
        raise UsageError(f"{source} holds {len(names)} files, at most {MAX_FILES} are copied")
    if not any(form.files_of(names) for form in FORMS):
        raise UsageError(f"{source}: no run logged by any of {KNOWN}")
    if folder.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"{folder} lies in {source}: give a new folder elsewhere")

    def fill(made: Path) -> dict[str, Any]:
        for name in names:
            _copy(source / name, made / ORIGINAL / name)
        # Of the copy, which nobody else writes to, and which is what is sealed.
        tools, runs = read_runs(made / ORIGINAL, names)
        with (made / METRICS).open("wb") as file:
            file.writelines(canonical.dumps(line) + b"\n" for line in lines_of(runs))
        facts = facts_of_evidence(name_of(folder), tools, runs, len(names), problems)
        atomic_write(made / "README.md", readme(facts).encode())
        return facts

    try:
        return write_sealed(folder, fill)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error


def read_runs(folder: Path, names: Sequence[str]) -> tuple[list[str], list[Run]]:
    """(the tools, their runs, each under a name of its own).

    Raises UsageError when no tool logged a number, or all together too many.
    """
    found = {form.TOOL: list(form.read(folder, list(names))) for form in FORMS}
    tools = [tool for tool, runs in found.items() if any(run.points for run in runs)]
    if not tools:
        why = [problem for runs in found.values() for run in runs for problem in run.problems]
        reason = f" ({why[0]})" if why else ""
        raise UsageError(f"no number was logged by any of {KNOWN}{reason}")
    used: Counter[str] = Counter()
    for tool in tools:
        for run in found[tool]:
            name = f"{tool}/{run.identifier}" if len(tools) > 1 else run.identifier
            used[name] += 1
            run.identifier = name if used[name] == 1 else f"{name}#{used[name]}"
    runs = [run for tool in tools for run in found[tool]]
    total = sum(len(run.points) for run in runs)
    if total > MAX_POINTS:
        raise UsageError(f"{total} values were logged, at most {MAX_POINTS} are read: give a part")
    return tools, runs


def lines_of(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """A line for each value, run by run, as they were logged."""
    for run in runs:
        of = {"run": run.identifier} if len(runs) > 1 else {}
        counts = Counter((point.name, point.step) for point in run.points)
        seen: Counter[tuple[str, int | None]] = Counter()
        for name, step, value in run.points:
            line: dict[str, Any] = {**of, "name": name, "value": _written(value)}
            if step is not None:
                line["step"] = step
            if counts[name, step] > 1:
                seen[name, step] += 1
                line["occurrence"] = seen[name, step]
            yield line


def _written(value: float) -> Any:
    """A number, or, as JSON has none, the word for one that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return float(value) if abs(value) > 2**53 - 1 else value


def facts_of_evidence(
    name: str, tools: Sequence[str], runs: Sequence[Run], files: int, left_out: Sequence[str]
) -> dict[str, Any]:
    """record.json: what is known, and what is not."""
    seeds = [run.seed() for run in runs]
    known = [seed for seed in seeds if seed is not None]
    unknown = [*UNKNOWN]
    if len(known) < len(seeds):
        unknown.append("the seed" if len(runs) == 1 else "the seed of some runs")
    if lacking := [run.identifier for run in runs if not run.state]:
        unknown.append(f"whether these ended: {', '.join(lacking[:10])}" if len(runs) > 1
                       else "whether it ended")  # fmt: skip
    return facts_of(
        name,
        "measured",
        sorted(set(known)),
        evidence={
            "tools": list(tools),
            "original": ORIGINAL,
            "files": files,
            "metrics": METRICS,
            "runs": [_told(run) for run in runs],
            "unknown": unknown,
            "left_out": sorted(left_out),
        },
    )


def _told(run: Run) -> dict[str, Any]:
    steps = [point.step for point in run.points if point.step is not None]
    told: Mapping[str, Any] = {
        "settings": {name: _plain(value) for name, value in run.settings.items()},
        "state": run.state,
        "started": run.started,
        "last_step": max(steps) if steps else None,
        "problems": run.problems,
    }
    known = {key: value for key, value in told.items() if value not in ("", None, {}, [])}
    return {"run": run.identifier, "values": len(run.points), **known}


def _plain(value: Any) -> Any:
    """A setting as JSON can hold it."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return _written(value) if isinstance(value, int | float) and type(value) is not bool else value


def readme(facts: Mapping[str, Any]) -> str:
    """What the record is, for people."""
    told = facts["evidence"]
    count = len(told["runs"])
    parts = [
        f"# {facts['name']}",
        f"What {' and '.join(told['tools'])} logged of {count} run{'s' * (count != 1)}, sealed as "
        f"it was found: the files in `{ORIGINAL}/`, the values by name and step in `{METRICS}`.",
        "It was not run by Goldenseal, and cannot be run again from this record. Not known:",
        "\n".join(f"- {each}" for each in told["unknown"]),
    ]
    problems = [problem for run in told["runs"] for problem in run.get("problems", [])]
    if problems or told["left_out"]:
        parts.append("Not read, or not copied:")
        parts.append("\n".join(f"- `{each}`" for each in [*problems, *told["left_out"]][:100]))
    return "\n\n".join(parts) + "\n"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_regular(source) as file, target.open("xb") as copy:
        shutil.copyfileobj(file, copy, CHUNK)
