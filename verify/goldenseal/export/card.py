"""A Hugging Face model card of a sealed record, each of whose numbers is bound to it.

The metadata holds the results in full, with the statistic, n and seeds of each; the tables below
hold the same numbers to six digits, each with a marker that `goldenseal claims` recomputes.
A card says what the record says: no task, no dataset's name, no licence is made up.
"""

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write, problem_with_name
from goldenseal.errors import UsageError
from goldenseal.export.crate import describe
from goldenseal.export.package import packing, refuse_place, sealed_record
from goldenseal.records.record import Record

DIGITS = 6
CARD, RESULTS, RUNS, METRICS = "README.md", "all_results.json", "runs", "metrics.jsonl"
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


class _Claims:
    """Numbers with their markers, and the definitions of these."""

    def __init__(self, identity: str):
        self._record, self.definitions = _quoted(identity[:16]), list[str]()

    def bound(self, value: float, at: str) -> str:
        """A number as it is printed, bound to where record.json holds it."""
        name = f"c{len(self.definitions) + 1}"
        self.definitions.append(
            f'{name} = {{ record = {self._record}, file = "record.json", pointer = {_quoted(at)} }}'
        )
        return f"{digits(value)}<!--={name}-->"


def _body(record: Record, identity: str, rows: list[Row]) -> str:
    claims = _Claims(identity)
    grid = record.kind.many
    tables = list(_by_metric(rows, claims) if grid else _of_runs(record, rows, claims))
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
            *claims.definitions,
            "-->",
            "",
            "## Results",
            "",
            f"Seeds: {what}.{spread}" if seeds else "The seed is not known.",
            "",
            *tables,
            "Each number is that of the sealed record. In a repository that holds the record,",
            "`goldenseal claims README.md` recomputes it, and "
            f"`goldenseal reproduce {identity[:16]}` runs it again.",
            "",
        ]
    )


def _by_metric(rows: list[Row], claims: _Claims) -> Iterator[str]:
    """A table for each result, a line for each configuration."""
    for metric in dict.fromkeys(row.metric for row in rows):
        yield from [f"### {_plain(metric)}", ""]
        yield from _table("configuration", "n", f"{_plain(metric)} (mean)", "sd")
        for row in rows:
            if row.metric == metric and row.n is not None and row.sd is not None:
                told = (("n", row.n), ("mean", row.value), ("sd", row.sd))
                cells = [claims.bound(value, f"{row.pointer}/{key}") for key, value in told]
                yield f"| {' | '.join([_plain(row.configuration), *cells])} |"
        yield ""


def _of_runs(record: Record, rows: list[Row], claims: _Claims) -> Iterator[str]:
    """One line with all results, under the seed where there is one alone."""
    seeds = record.facts["seeds"]
    heads = [_plain(row.metric) for row in rows]
    cells = [claims.bound(row.value, row.pointer) for row in rows]
    if len(seeds) == 1:
        heads.insert(0, "seed")
        cells.insert(0, claims.bound(seeds[0], "/seeds/0"))
    yield from _table(*heads)
    yield f"| {' | '.join(cells)} |"
    yield ""


def _table(*heads: str) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"


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


def _evidence(record: Record) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the files that a card's numbers follow from: a line a finished run."""
    for each in record.cells():
        numbers = each.results
        if numbers is None and not record.kind.many and len(record.facts["seeds"]) == 1:
            numbers = {row.metric: row.value for row in rows_of(record)}
        name = f"{RUNS}/{each.cell}/{METRICS}".replace("//", "/")
        if each.finished and numbers:
            if problem := problem_with_name(name):
                raise UsageError(f"{record.folder.name}: the run {each.cell}: {problem}")
            yield name, canonical.dumps({**numbers, "seed": each.cell.seed}) + b"\n"
    if not record.kind.many:
        yield RESULTS, canonical.dumps({row.metric: row.value for row in rows_of(record)})


def write_card(folder: Path, out: Path) -> dict[str, Any]:
    """Write the card of a sealed record to `out`: NAME.md, or a new folder with its evidence.

    The evidence is what the card's numbers follow from: the results of each run in a file of its
    own, and, of one run, `all_results.json`. Returns what was written, for --json. Raises
    UsageError for a place that will not do or a record without results, ContradictedError for a
    broken record.
    """
    refuse_place(out)
    record, identity = sealed_record(folder)
    files = {CARD: card_of(record, identity).encode()}
    if out.suffix.lower() == ".md":
        atomic_write(out, files[CARD])
    else:
        files |= dict(_evidence(record))
        with packing(out) as add:
            for name, data in files.items():
                add(name, data)
    return {"path": str(out), "identity": identity, "files": len(files)}
