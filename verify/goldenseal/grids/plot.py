"""The plot of a study: every run, and every paired difference. The same numbers, the same bytes."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from goldenseal.records.kinds.cells import Cell
from goldenseal.records.kinds.logs import Numbers
from goldenseal.records.kinds.plan import Group
from goldenseal.records.kinds.summary import column, describe

SALT = "goldenseal"  # element ids are hashes: of this, not of a random number
MOST_NAMED = 10  # seeds in a legend
COLOURS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3")


def draw(group: Group, found: Mapping[Cell, Numbers], tests: Sequence[Mapping[str, Any]]) -> bytes:
    """An SVG: left, the primary result of each run and each mean ± sd; right, the differences from
    the baseline by seed, with mean and 95 % confidence interval.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    name = group.analysis["primary"]
    with matplotlib.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        FigureCanvasSVG(figure)
        left, right = figure.subplots(1, 2)
        for number, configuration in enumerate(group.configurations):
            values = column(group, found, configuration, name)
            facts = describe(values)
            mean, sd = facts["mean"], facts["sd"]
            _points(left, number, values, group.seeds, mean, (mean - sd, mean + sd))
        left.set_xticks(range(len(group.configurations)), list(group.configurations))
        left.set_ylabel(name)
        left.set_title("each run; bar: mean ± sd")
        for number, row in enumerate(tests):
            _points(right, number, row["differences"], group.seeds, row["mean"], row["ci95"])
        right.axhline(0.0, color="0.5", linewidth=0.8)
        right.set_xticks(range(len(tests)), [row["configuration"] for row in tests])
        right.set_ylabel(f"difference from {group.baseline}")
        right.set_title("paired by seed; bar: mean, 95 % interval")
        handles, labels = left.get_legend_handles_labels()
        count = len(group.seeds)
        if count <= MOST_NAMED:
            left.legend(handles[:count], labels[:count], title="seed", fontsize=8)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _points(
    axes: Any,
    x: int,
    values: Sequence[float],
    seeds: Sequence[int],
    mean: float,
    bar: Sequence[float] | None,
) -> None:
    """The dots of a column and beside them the mean, with its bar when there is one."""
    ends = None if bar is None else [[mean - bar[0]], [bar[1] - mean]]
    axes.errorbar([x + 0.2], [mean], yerr=ends, fmt="_", color="black", capsize=4)
    for number, (seed, value) in enumerate(zip(seeds, values, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        axes.plot([x - 0.1], [value], "o", color=colour, markersize=4, label=str(seed))
