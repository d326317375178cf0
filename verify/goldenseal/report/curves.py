"""Curves of run logs as SVG, the same bytes for the same log.

Which curves there are follows from the logs alone: every number that is logged with a step, is not
just proportional to it and is no clock. Numbers of one name, such as the learning rates of several
groups, share a picture; so do the same numbers of several runs. Curves that are alike are drawn
once, and of more than a legend can tell apart there is a summary.
"""

import io
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Any

from goldenseal.compare.difference import as_number
from goldenseal.errors import CannotCheckError
from goldenseal.report.bound import Last, Origin, comment, last_of

Points = list[tuple[int, float]]
SENTINEL = "#0f1e2d"  # stands for the colour of the text around, which follows light and dark
MAX_POINTS = 2000  # a curve; a longer log is thinned evenly, its last point kept
MOST_NAMED = 10  # curves, or groups of them, in a legend: there are as many colours
MOST_JOINED = 3  # names of curves that are alike, before the rest is only counted
# A number under the table `clock` is a clock, and so is one whose name has one of these words.
CLOCKS = frozenset(
    """clock clocks time times timestamp wall wallclock walltime elapsed eta duration ms millis
    milliseconds s sec secs second seconds minutes hours speed throughput latency fps tps mfu pid
    ts""".split()
)


@dataclass(frozen=True)
class Series:
    """One number of one run over its steps."""

    run: str
    part: str  # within what is drawn together: `embedding` of lr.embedding
    key: str
    points: tuple[tuple[int, float], ...]
    last: Last | None = None


@dataclass(frozen=True)
class Curve:
    """One line of a picture: its name in a legend, in full, and its points (step, value).

    Curves of one `group` share a colour and a place in the legend: the seeds of a configuration.
    """

    name: str
    title: str
    points: Points
    group: str = ""
    last: Last | None = None  # the claim on its last value, which is then drawn


def pictures(
    runs: Mapping[str, Iterable[Mapping[str, Any]]], origins: Mapping[str, Origin] | None = None
) -> dict[str, str]:
    """SVG by title, of the logs' lines by run name. Of runs that have an origin the last value is
    drawn too, where there are few curves, and bound to it.

    Raises CannotCheckError when there is something to draw and matplotlib is not installed.
    """
    grouped: dict[str, list[Series]] = {}
    for run, each in runs.items():
        lines, origin = list(each), (origins or {}).get(run)
        for (kind, key), points in sorted(series(lines).items()):
            title, _, part = key.partition(".")
            value = points[-1][1]
            last = last_of(origin, run, lines, kind, key, value) if origin else None
            one = Series(run, part, key, tuple(points), last)
            grouped.setdefault(f"{kind}: {title}", []).append(one)
    drawn = {}
    for title, found in grouped.items():
        kind, keys = title.partition(":")[0], {each.key for each in found}
        full = f"{kind}: {keys.pop()}" if len(keys) == 1 else title
        drawn[full] = draw(full, alike(full, found))
    return drawn


def alike(title: str, found: Sequence[Series]) -> list[Curve]:
    """The curves to draw: one for all series with the same points, named after what they share."""
    by_points: dict[tuple[tuple[int, float], ...], list[Series]] = {}
    for each in found:
        by_points.setdefault(each.points, []).append(each)
    runs, parts = ({getattr(each, name) for each in found} for name in ("run", "part"))
    curves = []
    for points, same in by_points.items():
        words = [
            joined([each.part for each in same], parts),
            joined([each.run for each in same], runs),
        ]
        name = " ".join(word for word in reversed(words) if word) or same[0].key
        group = name
        if len({each.run for each in same}) == 1:  # the seeds of a configuration share a colour
            configuration = same[0].run.rpartition("/")[0]
            group = " ".join(word for word in (configuration, words[0]) if word)
            group = group if configuration else ""
        curves.append(Curve(name, title, list(points), group, same[0].last))
    return curves


def joined(names: Sequence[str], every: set[str]) -> str:
    """Some of many names in short; nothing for all of them, which need not be told apart."""
    own = list(dict.fromkeys(names))
    if set(own) == every:
        return ""
    more = f" and {len(own) - 1} more"
    return ", ".join(own) if len(own) <= MOST_JOINED else own[0] + more


def series(lines: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Points]:
    """Points by (kind of line, dotted key), of what is worth a curve."""
    found: dict[tuple[str, str], Points] = {}
    for line in lines:
        step = line.get("step")
        if type(step) is not int:
            continue
        for key, value in numbers(line):
            if key != "step" and not is_clock(key):
                found.setdefault((str(line["kind"]), key), []).append((step, value))
    return {name: thinned(points) for name, points in found.items() if is_telling(points)}


def numbers(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """(dotted key, value) of every finite number in a line."""
    for key, value in facts.items():
        if isinstance(value, dict):
            yield from numbers(value, f"{prefix}{key}.")
            continue
        number = as_number(value)
        if number is not None and number - number == 0:  # neither NaN nor infinite
            yield f"{prefix}{key}", number


def is_clock(key: str) -> bool:
    """Whether a dotted key names a time, or a speed: of the machine, not of what was learnt."""
    return bool(CLOCKS & set(re.findall(r"[a-z]+", key.lower())))


def is_telling(points: Points) -> bool:
    """At least two values, which are not merely a multiple of the step."""
    last_step, last = points[-1]
    if len({value for _, value in points}) < 2:
        return False
    return any(Fraction(value) * last_step != Fraction(last) * step for step, value in points)


def thinned(points: Points) -> Points:
    """At most MAX_POINTS points, the last among them."""
    stride = -(-len(points) // MAX_POINTS)
    return [*points[:-1:stride], points[-1]]


def draw(title: str, curves: Sequence[Curve]) -> str:
    """The picture as an <svg> element that can be read aloud."""
    svg = themed(f"{title} over steps", lambda: _draw(title, curves))
    told = comment(c.last for c in curves if c.last) if len(curves) <= MOST_JOINED else ""
    begin = svg.index(">") + 1
    return f"{svg[:begin]}\n{told}{svg[begin:]}" if told else svg


def themed(title: str, svg: Callable[[], str]) -> str:
    """What `svg` draws, as an element whose lines and words take the colour of the text around."""
    try:
        import matplotlib
    except ImportError:
        raise CannotCheckError("plots need matplotlib: pip install 'goldenseal[report]'") from None
    style: Any = {
        "svg.hashsalt": title,  # ids would otherwise be random
        "svg.fonttype": "none",  # text stays text, in the reader's own font
        "text.color": SENTINEL,
        "axes.labelcolor": SENTINEL,
        "axes.edgecolor": SENTINEL,
        "xtick.color": SENTINEL,
        "ytick.color": SENTINEL,
        "font.size": 9,
        "savefig.transparent": True,
        "legend.frameon": False,
    }
    with matplotlib.rc_context(style):
        text = svg()
    for colour in (SENTINEL, "#000000"):
        text = text.replace(colour, "currentColor")
    label = f'<svg role="img" aria-label="{escape(title)}" '
    return text[text.index("<svg") :].replace("<svg ", label, 1)


def _draw(title: str, curves: Sequence[Curve]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 2.8), layout="constrained")
    axes = figure.add_subplot()
    if len({curve.group or curve.name for curve in curves}) > MOST_NAMED:
        _summary(axes, curves)
    else:
        _named(axes, curves)
    for curve in curves if len(curves) <= MOST_JOINED else ():
        if curve.last:
            axes.annotate(
                curve.last.printed, curve.points[-1], xytext=(0, 5), textcoords="offset points",
                ha="right", fontsize=8, gid=f"claim:{curve.last.name}",
            )  # fmt: skip
    axes.set_xlabel("step")
    axes.set_title(title, fontsize=9)
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        entries = axes.get_legend_handles_labels()[1]
        axes.legend(fontsize=7, ncols=2 if len(entries) > 5 else 1)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _named(axes: Any, curves: Sequence[Curve]) -> None:
    colours: dict[str, str] = {}
    for curve in curves:
        x, y = zip(*curve.points, strict=True)
        look: dict[str, Any] = {"label": curve.name, "linewidth": 1.4}
        if curve.group:
            seen = curve.group in colours
            colour = colours.setdefault(curve.group, f"C{len(colours) % 10}")
            look = {"label": "" if seen else curve.group, "color": colour, "linewidth": 1.0}
        axes.plot(x, y, marker="o" if len(x) < 12 else None, markersize=3, **look)


def _summary(axes: Any, curves: Sequence[Curve]) -> None:
    """All curves alike in grey, and their median at each step that all of them have."""
    for number, curve in enumerate(curves):
        x, y = zip(*curve.points, strict=True)
        label = "" if number else f"{len(curves)} curves"
        axes.plot(x, y, color="0.6", linewidth=0.6, alpha=0.7, label=label)
    values = [dict(curve.points) for curve in curves]
    common = sorted(set.intersection(*(set(each) for each in values)))
    if common:
        middle = [statistics.median(each[step] for each in values) for step in common]
        axes.plot(common, middle, color="C0", linewidth=1.8, label="their median")
