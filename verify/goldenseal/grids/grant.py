"""The compute that a plan asks for, computed row by row from its factors, in exact arithmetic.

costs.toml, schema 1, beside a plan:

unit = "8×H100-hours"
[[rows]]                              runs of the plan: configurations × seeds × hours
label = "Baseline"
configurations = ["baseline"]
hours = "4"
[[rows]]                              anything else: the product of named factors
label = "Grid"
factors = [["grid points", "4"], ["seeds", "3"], ["hours a run", "4"]]
published = "12.0"                    what another document prints for it, in the same unit
note = "…"                            why the two differ; needed when they do
[[rows]]                              a share of other rows
label = "Restart buffer"
share = "0.1"
of = ["Baseline", "Grid"]
[published]
total = "109.4"
source = "…"                          who printed it

Numbers are texts, so that 0.1 means one tenth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from goldenseal.errors import UsageError
from goldenseal.grids.markers import table
from goldenseal.records.kinds.plan import Plan
from goldenseal.records.kinds.schema import (
    NO_NUMBER,
    Digits,
    Names,
    Schema,
    Table,
    Text,
    checked,
    is_number,
    read_toml,
)

KINDS = ("configurations", "factors", "share")
WITH = {"configurations": "hours", "share": "of"}  # what a row of that kind has besides


class RowTable(Table):
    """[[rows]]."""

    label: Text
    configurations: Names | None = None
    hours: str | None = None
    factors: list[Any] | None = None
    share: str | None = None
    of: Names | None = None
    published: Digits | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _of_one_kind(self) -> "RowTable":
        given = self.model_fields_set
        found = [kind for kind in KINDS if kind in given]
        if len(found) != 1:
            raise ValueError(f"row {self.label!r}: expected one of {list(KINDS)}, found {found}")
        for kind, beside in WITH.items():
            if (kind in given) != (beside in given):
                raise ValueError(f"row {self.label!r}: `{kind}` and `{beside}` go together")
        pairs = self.factors if self.factors is not None else [["", ""]]
        shaped = all(isinstance(f, list) and len(f) == 2 and type(f[0]) is str for f in pairs)
        if not pairs or not shaped:
            raise ValueError(f'row {self.label!r}: `factors` must be pairs such as ["seeds", "3"]')
        return self


class Published(Table):
    """[published]."""

    total: Digits
    source: Text


class CostTable(Table):
    """A costs.toml."""

    schema_: Schema = Field(alias="schema")
    unit: Text
    rows: list[RowTable]
    published: Published


@dataclass(frozen=True)
class Row:
    """A line of the table; `printed` is the published figure as it was printed."""

    label: str
    product: str
    hours: Fraction
    printed: str | None
    note: str

    @property
    def agrees(self) -> bool | None:
        """Whether the printed figure is this one, rounded as printed; None when none was."""
        return None if self.printed is None else same_as_printed(self.hours, self.printed)


@dataclass(frozen=True)
class Grant:
    """The table, its unit, and what was printed as the total, by whom."""

    unit: str
    rows: tuple[Row, ...]
    printed_total: str
    source: str

    @property
    def total(self) -> Fraction:
        """Sum of the rows as computed."""
        return sum((row.hours for row in self.rows), Fraction(0))

    @property
    def printed_sum(self) -> Fraction:
        """Sum of the rows as printed."""
        return sum((Fraction(row.printed) for row in self.rows if row.printed), Fraction(0))


def read_grant(path: Path, plan: Plan) -> Grant:
    """Compute the table of a costs.toml for a plan.

    Raises UsageError, one line, for a row of no known kind, a configuration that is not in the plan
    or in no row or in two, a share of a row that is not above it, a number that is none, or a
    difference from what was printed without a note.
    """
    return grant_of(read_toml(path), plan, path.name)


def grant_of(facts: Mapping[str, Any], plan: Plan, where: str) -> Grant:
    """The same, from what a costs.toml says; `where` begins each message."""
    checked(CostTable, facts, where)
    rows: list[Row] = []
    costed: list[str] = []
    for entry in facts["rows"]:
        rows.append(_row(entry, rows, plan, where))
        costed += entry.get("configurations", [])
    for name in plan.configurations:
        if costed.count(name) != 1:
            raise UsageError(
                f"{where}: configuration {name!r} of the plan is in {costed.count(name)} rows, "
                "not in one: its runs would be free, or paid twice"
            )
    published = facts["published"]
    return Grant(facts["unit"], tuple(rows), published["total"], published["source"])


def _row(entry: Mapping[str, Any], above: list[Row], plan: Plan, where: str) -> Row:
    here = f"{where}: row {entry['label']!r}"
    if any(row.label == entry["label"] for row in above):
        raise UsageError(f"{here} is there twice")
    product, hours = _product(entry, above, plan, here)
    printed = entry.get("published")
    row = Row(entry["label"], product, hours, printed, entry.get("note", ""))
    if row.agrees is False and not row.note:
        raise UsageError(f"{here} is {decimal(hours)}, published as {printed}: say why in `note`")
    return row


def _product(
    entry: Mapping[str, Any], above: list[Row], plan: Plan, here: str
) -> tuple[str, Fraction]:
    if "configurations" in entry:
        names = entry["configurations"]
        for name in names:
            if name not in plan.configurations:
                raise UsageError(f"{here}: {name!r} is no configuration of the plan")
        counts = {len(plan.seeds_of(name)) for name in names}
        if len(counts) != 1:
            raise UsageError(f"{here}: its configurations have unlike numbers of seeds: {counts}")
        factors = [
            ("configurations" if len(names) != 1 else "configuration", str(len(names))),
            ("seeds", str(counts.pop())),
            ("hours a run", entry["hours"]),
        ]
    elif "share" in entry:
        rows = {row.label: row for row in above}
        if unknown := [label for label in entry["of"] if label not in rows]:
            raise UsageError(f"{here}: {unknown[0]!r} is no row above it")
        total = sum((rows[label].hours for label in entry["of"]), Fraction(0))
        share = number(entry["share"], f"{here}: share")
        parts = " + ".join(decimal(rows[label].hours) for label in entry["of"])
        return f"{entry['share']} × ({parts})", share * total
    else:
        factors = entry["factors"]
    product = Fraction(1)
    for name, text in factors:
        product *= number(text, f"{here}: {name}")
    return " × ".join(f"{text} {name}" for name, text in factors), product


def number(text: str, where: str) -> Fraction:
    """An exact number from plain decimal digits. Raises UsageError for anything else."""
    if not isinstance(text, str) or not is_number(text):
        raise UsageError(f"{where}: {text!r} is {NO_NUMBER}")
    return Fraction(text)


def same_as_printed(value: Fraction, printed: str) -> bool:
    """Whether `value` is within half a unit of the last place that was printed."""
    places = len(printed.partition(".")[2])
    return bool(abs(value - Fraction(printed)) * 10**places * 2 <= 1)


def decimal(value: Fraction, places: int = 2) -> str:
    """Rounded to at most so many places, without needless zeros."""
    text = f"{float(value):.{places}f}" if value.denominator > 1 else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_markdown(grant: Grant, plan: Plan) -> str:
    """compute_grant.md."""
    rows = []
    for row in grant.rows:
        verdict = {True: "agrees", False: "differs", None: "not there"}[row.agrees]
        rows.append([row.label, row.product, decimal(row.hours), row.printed or "–", verdict])
    total, printed = decimal(grant.total), grant.printed_total
    rows.append(["**Total**", "sum of the rows", f"**{total}**", printed, _against(grant)])
    headings = ["row", "product of its factors", f"{grant.unit}, computed", "published", ""]
    notes = [f"- **{row.label}.** {' '.join(row.note.split())}" for row in grant.rows if row.note]
    sums_up = same_as_printed(grant.printed_sum, printed)
    return "\n".join(
        [
            "# Compute grant",
            "",
            f"What the plan “{plan.name}” costs, in {grant.unit}.",
            "Generated from `plan.toml` and `costs.toml`: every row is the product of its factors,",
            "and the total is their sum. Beside each stands the published figure",
            f"({grant.source}).",
            "",
            table(headings, rows),
            "",
            f"The published rows add up to {decimal(grant.printed_sum)}, "
            + ("which is" if sums_up else "which is not")
            + f" the published total of {printed}. The computed total is {total}: "
            f"{decimal(grant.total - Fraction(printed))} more than that.",
            "",
            "## Where they differ",
            "",
            *notes,
            "",
        ]
    )


def _against(grant: Grant) -> str:
    return "agrees" if same_as_printed(grant.total, grant.printed_total) else "differs"
