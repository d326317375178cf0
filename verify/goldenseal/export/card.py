"""A Hugging Face model card of a sealed record, each of whose numbers is bound to it.

The metadata holds the results in full, with the statistic, n and seeds of each; the table below
them holds the same numbers to six digits, each with a marker that `goldenseal claims` recomputes.
A card says what the record says: no task, no dataset's name, no licence is made up.
"""

import csv
import html
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.export.crate import describe
from goldenseal.export.package import packing, refuse_place, sealed_record
from goldenseal.records.record import Record

DIGITS = 6
CARD, RESULTS, RUNS = "README.md", "all_results.json", "runs.csv"
TASK = "other"  # the hub's word for none of its own
DATASET = ("sealed", "the data whose SHA-512 the record seals")  # type and name, which must be


@dataclass(frozen=True)
class Row:
    """One result: by name, of a configuration, with where record.json holds it.

    `statistic` is mean, or "" where the record gives a number and does not say which it is.
    """

    configuration: str
    metric: str
    value: float
    seeds: tuple[int, ...]
    pointer: str
    statistic: str = ""
    sd: float | None = None
    n: int | None = None


def rows_of(record: Record) -> list[Row]:
    """The results of a record, in the order of its plan, or by name.

    Raises UsageError for one without results that are numbers.
    """
    found = list(_of_grid(record) if record.kind.many else _of_run(record))
    if not found:
        raise UsageError(
            f"{record.folder.name} holds no results that are numbers: a {record.status} "
            f"{record.kind.name} has no card"
        )
    return found


def _of_run(record: Record) -> Iterator[Row]:
    seeds = tuple(record.facts["seeds"])
    for name, value in sorted(record.facts.get("results", {}).items()):
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            n = 1 if len(seeds) == 1 else None
            yield Row("", name, value, seeds, pointer("results", name), n=n)


def _of_grid(record: Record) -> Iterator[Row]:
    seeds: dict[str, list[int]] = {}
    for each in record.cells():
        seeds.setdefault(each.cell.configuration, []).append(each.cell.seed)
    for group, results in record.kind.summaries(record.facts).items():
        above = ("results", group) if group else ("results",)
        for metric, summary in sorted(results.items()):
            for name, values in summary["configurations"].items():
                at = pointer(*above, metric, "configurations", name)
                of = tuple(seeds.get(name, ()))
                yield Row(name, metric, values["mean"], of, at, "mean", values["sd"], values["n"])


def pointer(*keys: str) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def card_of(record: Record, identity: str) -> str:
    """The card's text. Raises UsageError for a record without results."""
    from huggingface_hub import EvalResult, ModelCardData

    rows = rows_of(record)
    results = [
        EvalResult(
            task_type=TASK,
            dataset_type=DATASET[0],
            dataset_name=DATASET[1],
            metric_type=row.metric,
            metric_name=f"{row.metric}, {row.configuration}" if row.configuration else row.metric,
            metric_value=row.value,
            metric_args=_arguments(row, identity),
        )
        for row in rows
    ]
    name = str(record.facts["name"])
    data = ModelCardData(model_name=name, eval_results=results, tags=["goldenseal"])
    return f"---\n{data.to_yaml().strip()}\n---\n\n{_body(record, identity, rows)}"


def _arguments(row: Row, identity: str) -> dict[str, Any]:
    """What a result is: of how many runs, of which seeds, of which record."""
    given = {
        "statistic": row.statistic,
        "n": row.n,
        "seeds": list(row.seeds),
        "configuration": row.configuration,
        "sd": row.sd,
        "record": f"sha512:{identity}",
        "pointer": f"record.json{row.pointer}",
    }
    return {key: value for key, value in given.items() if value not in ("", None, [])}


def _body(record: Record, identity: str, rows: list[Row]) -> str:
    grid = record.kind.many
    claims, lines = [], []
    for number, row in enumerate(rows, start=1):
        cells = {"m": ("mean" if grid else "", row.value)}
        if grid and row.sd is not None and row.n is not None:
            cells |= {"n": ("n", row.n), "s": ("sd", row.sd)}
        shown = {}
        for letter, (last, value) in cells.items():
            at = row.pointer + (f"/{last}" if last else "")
            claims.append(
                f"{letter}{number} = {{ record = {_quoted(identity[:16])}, file = "
                f'"record.json", pointer = {_quoted(at)} }}'
            )
            shown[letter] = f"{digits(value)}<!--={letter}{number}-->"
        columns = [row.configuration] if grid else []
        columns += [row.metric, *(shown.get(letter, "") for letter in ("n", "m", "s") if grid)]
        columns += [] if grid else [shown["m"]]
        lines.append(f"| {' | '.join(map(_plain, columns[: 2 if grid else 1]))} | ")
        lines[-1] += " | ".join(columns[2 if grid else 1 :]) + " |"
    head = ["configuration", "result", "n", "mean", "sd"] if grid else ["result", "value"]
    seeds = sorted({seed for row in rows for seed in row.seeds})
    what = ", ".join(f"`{seed}`" for seed in seeds)
    spread = " The sd is the sample standard deviation." if grid else ""
    return "\n".join(
        [
            f"# {_plain(str(record.facts['name']))}",
            "",
            _plain(describe(record, identity)),
            "",
            "<!-- claims",
            *claims,
            "-->",
            "",
            "## Results",
            "",
            f"Seeds: {what}.{spread}",
            "",
            f"| {' | '.join(head)} |",
            f"|{'---|' * len(head)}",
            *lines,
            "",
            "Each number is that of the sealed record. In a repository that holds the record,",
            "`goldenseal claims README.md` recomputes it, and "
            f"`goldenseal reproduce {identity[:16]}` runs it again.",
            "",
        ]
    )


def digits(value: float) -> str:
    """A number to six digits, in plain decimals."""
    return str(value) if isinstance(value, int) else format(Decimal(f"{value:.{DIGITS}g}"), "f")


def _quoted(text: str) -> str:
    """A TOML string, which is a JSON one; nothing in it ends a comment of HTML."""
    return canonical.dumps(text).decode().replace("<", "\\u003c").replace(">", "\\u003e")


def _plain(text: str) -> str:
    """Text that Markdown and HTML take for nothing else."""
    escaped = html.escape(text, quote=False)
    return "".join(f"&#{ord(c)};" if c in "|`*[]\\\n\r" else c for c in escaped)


def _runs(record: Record) -> bytes:
    """A CSV line a finished run, its results in full."""
    runs = [each for each in record.cells() if each.finished]
    numbers = {str(each.cell): each.results for each in runs}
    if not record.kind.many and len(runs) == 1:
        numbers = {str(runs[0].cell): record.facts["results"]}
    names = sorted({name for found in numbers.values() for name in found or {}})
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["configuration", "seed", *names])
    for each in runs:
        found: Mapping[str, Any] = numbers[str(each.cell)] or {}
        values = [repr(found[name]) if name in found else "" for name in names]
        table.writerow([each.cell.configuration, each.cell.seed, *values])
    return text.getvalue().encode()


def write_card(folder: Path, out: Path) -> dict[str, Any]:
    """Write the card of a sealed record to `out`: NAME.md, or a new folder with its evidence.

    The evidence is what the card's numbers follow from: `runs.csv`, a line a run, and, of one run,
    `all_results.json`. Returns what was written, for --json. Raises UsageError for a place that
    will not do or a record without results, ContradictedError for a broken record.
    """
    refuse_place(out)
    record, identity = sealed_record(folder)
    files = {CARD: card_of(record, identity).encode()}
    if out.suffix.lower() == ".md":
        atomic_write(out, files[CARD])
    else:
        files[RUNS] = _runs(record)
        if not record.kind.many:
            files[RESULTS] = canonical.dumps({row.metric: row.value for row in rows_of(record)})
        with packing(out) as add:
            for name, data in files.items():
                add(name, data)
    return {"path": str(out), "identity": identity, "files": len(files)}
