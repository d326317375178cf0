"""Claims about tables: values of one row, the best of a column, a trend, what a cause was."""

from collections.abc import Iterator
from fractions import Fraction

from goldenseal.claims.sourced.claim import Check, Claim, Fault
from goldenseal.claims.sourced.numbers import follows, number, shown
from goldenseal.claims.sourced.tables import MISSING, Rows, origins, places
from goldenseal.errors import UsageError
from goldenseal.stats.student import mean


def _table(claim: Claim) -> Rows:
    if claim.table is None:
        raise UsageError(f"{claim.says}: kind {claim.kind!r} needs `table`")
    return claim.table


def _row(claim: Claim, table: Rows) -> str | None:
    """The name of the row that `at` speaks of: `last`, `best X`, `least X`, or a name."""
    word, _, column = claim.at.partition(" ")
    if claim.at == "last":
        return table.rows[-1][table.key]
    if word in ("best", "least") and column:
        return _extreme(table, column, "max" if word == "best" else "min")[0]
    if claim.at and claim.at not in [row[table.key] for row in table.rows]:
        raise UsageError(f"{claim.says}: {table.label} has no row {claim.at!r}")
    return claim.at or None


def _extreme(table: Rows, column: str, which: str) -> tuple[str, Fraction]:
    pick = max if which == "max" else min
    found = table.column(column)
    value = pick(value for _, value in found)
    return next(pair for pair in found if pair[1] == value)


def not_in_one_row(claim: Claim) -> Iterator[Fault]:
    """Values that are cited together, and stand in no row together, or not in the one named."""
    table, wanted = _table(claim), _row(claim, _table(claim))
    where = {
        name: [row for row, value in table.column(name) if follows(value, text)]
        for name, text in claim.row.items()
    }
    common = set.intersection(*map(set, where.values()))
    if wanted in common or (wanted is None and common):
        return
    parts = []
    for name, rows in where.items():
        if wanted in rows:
            continue
        text = claim.row[name]
        other = [f"{c} of {r}" for r, c in places(table, number(text)) if c != name]
        said = (
            f"{name} {text} stands in {table.key} {', '.join(rows)}"
            if rows
            else (f"{name} is nowhere {text}" + (f", which is {other[0]}" if other else ""))
        )
        parts.append(said)
    lead = f"not all of row {wanted}" if wanted else "no row has all"
    yield Fault("rows", f"{lead}: {'; '.join(parts)}")


def wrong_extreme(claim: Claim) -> Iterator[Fault]:
    """A best, worst, first, last or mean value of a column that is another."""
    table = _table(claim)
    found = table.column(claim.column)
    if claim.which in ("max", "min"):
        row, value = _extreme(table, claim.column, claim.which)
    elif claim.which in ("first", "last"):
        row, value = found[0 if claim.which == "first" else -1]
    else:
        row, value = "", mean([value for _, value in found])
    if not follows(value, claim.printed):
        at = f", at {table.key} {row}" if row else ""
        yield Fault("extreme", f"the {claim.which} is {shown(value)}{at}", shown(value))


def wrong_trend(claim: Claim) -> Iterator[Fault]:
    """A column that does not rise or fall, or not towards its target, from first row to last."""
    (_, first), *_, (_, last) = _table(claim).column(claim.column)
    if claim.which == "nears":
        target = number(claim.printed)
        if abs(last - target) >= abs(first - target):
            words = f"from {shown(first)} to {shown(last)}: away from {claim.printed}"
            yield Fault("trend", words)
    elif (last > first) != (claim.which == "rises") or last == first:
        yield Fault("trend", f"from {shown(first)} to {shown(last)}")


def never_reached(claim: Claim) -> Iterator[Fault]:
    """A column of which no row comes as near to its target as that."""
    table, target = _table(claim), number(claim.printed)
    row, value = min(table.column(claim.column), key=lambda pair: abs(pair[1] - target))
    if abs(value - target) > number(claim.by):
        yield Fault("target", f"the nearest is {shown(value)}, at {table.key} {row}")


def not_isolated(claim: Claim) -> Iterator[Fault]:
    """A cause that no two experiments show: all else equal, and another outcome."""
    table, factor, outcome = _table(claim), claim.column, claim.which
    table.columns.index(factor) if factor in table.columns else table.column(factor)
    others = [c for c in table.columns if c not in (table.key, factor, outcome)]
    pairs = [(a, b) for a in table.rows for b in table.rows if a[factor] != b[factor]]
    alone = [(a, b) for a, b in pairs if all(a[c] == b[c] for c in others)]
    if not alone:
        more = sorted({c for a, b in pairs for c in others if a[c] != b[c]})
        words = f"where {factor} differs, so does {', '.join(more)}"
        yield Fault("confounded", words if pairs else f"{factor} is the same in all of them")
    elif all(a[outcome] == b[outcome] for a, b in alone):
        yield Fault("confounded", f"where {factor} alone differs, {outcome} is the same")


def not_free_of(claim: Claim) -> Iterator[Fault]:
    """What is said to owe nothing to things that it goes back to."""
    found = sorted(origins(claim.lineage, claim.what) & set(claim.free_of))
    if found:
        yield Fault("lineage", f"{claim.what} goes back to {', '.join(found)}")


def wrong_cells(claim: Claim) -> Iterator[Fault]:
    """A number of rows of a column that lie in a band, or are marked, that is another."""
    table = _table(claim)
    if claim.low:
        low, high = number(claim.low), number(claim.high)
        inside = [row for row, value in table.column(claim.column) if low <= value <= high]
    else:
        inside = [r[table.key] for r in table.rows if r[claim.column] == claim.which]
    if len(inside) != number(claim.printed):
        total = sum(row[claim.column] not in MISSING for row in table.rows)
        words = f"{len(inside)} of {total}: {', '.join(inside) or 'none'}"
        yield Fault("count", words, str(len(inside)))


KINDS: dict[str, tuple[Check, ...]] = {
    "row": (not_in_one_row,),
    "extreme": (wrong_extreme,),
    "trend": (wrong_trend,),
    "reaches": (never_reached,),
    "isolates": (not_isolated,),
    "lineage": (not_free_of,),
    "rows": (wrong_cells,),
}
NEEDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "row": (0, ("table", "row")),
    "extreme": (0, ("table", "column", "which", "printed")),
    "trend": (0, ("table", "column", "which")),
    "reaches": (0, ("table", "column", "printed", "by")),
    "isolates": (0, ("table", "column", "which")),
    "lineage": (0, ("what", "free_of")),
    "rows": (0, ("table", "column", "printed")),
}
CHOICES = {
    "extreme": ("max", "min", "first", "last", "mean"),
    "trend": ("rises", "falls", "nears"),
    "boundary": ("", "min", "max"),
    "order": ("", "falling", "rising"),
}
