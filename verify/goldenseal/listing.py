"""The knobs of every system as rows and as a table. Needs no torch where the system needs none."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goldenseal.config import find_root, systems
from goldenseal.errors import UsageError
from goldenseal.knobs import Knob
from goldenseal.ladder.probe import load_probe


def knob_rows(system: str = "", root: Path | None = None) -> list[dict[str, Any]]:
    """One row a knob, in order of declaration. Raises UsageError for an unknown system."""
    known = systems(root or find_root())
    if system and system not in [s.name for s in known]:
        raise UsageError(f"no system is called {system}; there are {[s.name for s in known]}")
    rows = []
    for entry in known:
        if system in ("", entry.name):
            probe = load_probe(entry.probe)
            rows += [_row(entry.name, "", knob) for knob in probe.baseline_knobs or ()]
            rows += [_row(entry.name, "kit", knob) for knob in probe.kit_knobs]
            for feature in probe.features:
                rows += [_row(entry.name, feature.name, knob) for knob in feature.all_knobs]
                rows[-len(feature.all_knobs)]["master"] = True
    return rows


def _row(system: str, feature: str, knob: Knob) -> dict[str, Any]:
    return {
        "system": system,
        "feature": feature,
        "name": knob.name,
        "default": knob.text(knob.default),
        "range": knob.describe_range(),
        "unit": knob.unit,
        "effect": knob.effect,
        "master": False,
    }


def print_knobs(rows: list[dict[str, Any]], console: Console) -> None:
    """A table for people; a master is marked, and its default means that the feature is off."""
    table = Table(title="Knobs are environment variables; unset or empty means the default")
    for heading in ("feature", "knob", "default", "legal values", "effect"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        name = f"[bold]{row['name']}[/] (master)" if row["master"] else row["name"]
        effect = f"{row['effect']} [{row['unit']}]" if row["unit"] else row["effect"]
        rest = map(escape, (row["default"], row["range"], effect))  # a unit is no style of rich
        table.add_row(escape(row["feature"]), name, *rest)
    console.print(table)
