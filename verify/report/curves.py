"""Curves of run logs as SVG, the same bytes for the same log.

Which curves there are follows from the logs alone: every number that is logged with a step and is
not just proportional to it. Numbers of one name, such as the learning rates of several groups,
share a picture; so do the same numbers of several runs.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Any

from verify.difference import as_number
from verify.errors import CannotCheckError

Points = list[tuple[int, float]]
SENTINEL = "#0f1e2d"  # stands for the colour of the text around, which follows light and dark
MAX_POINTS = 2000  # a curve; a longer log is thinned evenly, its last point kept


@dataclass(frozen=True)
class Curve:
    """One line of a picture: its name in a legend, in full, and its points (step, value).

    Curves of one `group` share a colour and a place in the legend: the seeds of a configuration.
    """

    name: str
    title: str
    points: Points
    group: str = ""


def pictures(runs: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, str]:
    """SVG by title, of the logs' lines by run name.

    Raises CannotCheckError when there is something to draw and matplotlib is not installed.
    """
    grouped: dict[str, list[Curve]] = {}
    for run, lines in runs.items():
        for (kind, key), points in sorted(series(lines).items()):
            title, _, part = key.partition(".")
            words = [word for word in (run if len(runs) > 1 else "", part) if word]
            group = " ".join(word for word in (run.rpartition("/")[0], part) if word)
            curve = Curve(" ".join(words) or key, f"{kind}: {key}", points, group)
            grouped.setdefault(f"{kind}: {title}", []).append(curve)
    titles = {
        title: title if len(curves) > 1 else curves[0].title for title, curves in grouped.items()
    }
    return {titles[group]: draw(titles[group], curves) for group, curves in grouped.items()}


def series(lines: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Points]:
    """Points by (kind of line, dotted key), of what is worth a curve."""
    found: dict[tuple[str, str], Points] = {}
    for line in lines:
        step = line.get("step")
        if type(step) is not int:
            continue
        for key, value in numbers(line):
            if key not in ("step", "clock.pid"):
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
    return themed(f"{title} over steps", lambda: _draw(title, curves))


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
    colours: dict[str, str] = {}
    for curve in curves:
        x, y = zip(*curve.points, strict=True)
        look: dict[str, Any] = {"label": curve.name, "linewidth": 1.4}
        if curve.group:
            seen = curve.group in colours
            colour = colours.setdefault(curve.group, f"C{len(colours) % 10}")
            look = {"label": "" if seen else curve.group, "color": colour, "linewidth": 1.0}
        axes.plot(x, y, marker="o" if len(x) < 12 else None, markersize=3, **look)
    axes.set_xlabel("step")
    axes.set_title(title, fontsize=9)
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        axes.legend(fontsize=7, ncols=2 if len(curves) > 6 else 1)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
