"""The report as one self-contained HTML page: the four panels, the layers, the trajectories."""

import io
from pathlib import Path

from goldenseal.errors import CannotCheckError

TEMPLATE = Path(__file__).with_name("audit.html")
SALT = "goldenseal"  # element ids are hashes: of this, not of a random number
GOOD, BAD, LINE = "#2a7f62", "#b3261e", "0.45"
LABEL = (0.015625, 0.96875)  # of an axis, where its words begin


def page(found):
    """The page of a report, as `judge.report` makes it. All texts are escaped.

    Raises CannotCheckError when jinja2 or matplotlib is missing.
    """
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup

        panels = Markup(figure(found))
        trajectories = Markup(trajectory(found)) if found.get("trajectory") else ""
    except ImportError:
        raise CannotCheckError(
            "a page needs jinja2 and matplotlib: pip install 'goldenseal[report]'"
        ) from None
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["shown"] = shown
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(found=found, panels=panels, trajectories=trajectories) + "\n"


def shown(value):
    """A number in four digits; anything else as it is."""
    if value is None:
        return "undefined"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def drawn(columns, rows, size, draw):
    """An SVG of subplots, without a date, so that equal numbers give equal bytes."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "none", "font.size": 9}):
        made = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(made)
        draw(made.subplots(rows, columns).flatten())
        buffer = io.BytesIO()
        made.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().decode("utf-8")
    return text[text.index("<svg") :]


def figure(found):
    """The four-panel figure: a panel a diagnostic, with its threshold."""
    return drawn(2, 2, (9, 6), lambda axes: four(axes, found))


def four(axes, found):
    """Draw (a) to (d)."""
    by_letter = {each["letter"]: each for each in found["diagnostics"]}
    layers = [each["layer"] for each in found["layers"]]
    n_ref = found["thresholds"]["n_ref"]
    axes[0].plot(layers, [each["hidden"] for each in found["layers"]], "o-", color=GOOD)
    axes[0].set_ylabel("median norm of h")
    bound = by_letter["a"]["threshold"]
    limits = [bound * each["hidden"] for each in found["layers"][:-1]]
    axes[0].plot(layers[1:], limits, "_", color=LINE, markersize=16)  # what h_{l+1} may reach
    grown = shown(by_letter["a"]["value"])
    axes[0].text(*LABEL, f"growth {grown}, limit {bound:g}", **corner(axes[0]))
    gradients = [each["gradient"] / n_ref for each in found["layers"]]
    axes[1].plot(layers, gradients, "o-", color=GOOD)
    axes[1].axhline(found["thresholds"]["floor"], color=LINE, linestyle="--")
    axes[1].set_ylabel(f"median norm of g, over {n_ref}")
    for each in axes[:2]:
        each.set_xlabel("layer")
        if all(y > 0 for line in each.lines for y in line.get_ydata()):
            each.set_yscale("log")
    for axis, letter, words in ((axes[2], "c", "mean pairwise cosine"), (axes[3], "d", "accuracy")):
        bars = {"this network": found["accuracy"]} if letter == "d" else {}
        value = by_letter[letter]["value"]
        if letter == "c" and isinstance(value, float):
            bars = {"this network": value, "threshold": by_letter["c"]["threshold"]}
        if letter == "d" and isinstance(value, float):
            bars["frozen blocks"] = found["accuracy"] - value
        bars = {name: bar for name, bar in bars.items() if bar is not None}
        axis.bar(list(bars), list(bars.values()), color=[GOOD, LINE][: len(bars)], width=0.5)
        axis.set_ylabel(words)
    if "frozen blocks" in (names := [t.get_text() for t in axes[3].get_xticklabels()]):
        line = axes[3].patches[names.index("frozen blocks")].get_height()
        line += by_letter["d"]["threshold"]
        axes[3].margins(y=0.25)
        axes[3].axhline(line, color=LINE, linestyle="--")
        axes[3].text(*LABEL, f"asked for: {line:.4g}", **corner(axes[3]))
    for axis, letter in zip(axes, "abcd", strict=True):
        each = by_letter[letter]
        state = {True: "fires", False: "quiet"}.get(each["fires"], "not evaluated")
        colour = {"fires": BAD, "quiet": GOOD}.get(state, LINE)
        axis.set_title(f"({letter}) {each['name']}: {state}", color=colour)


def corner(axis):
    """Where a panel's words stand."""
    return {"transform": axis.transAxes, "va": "top", "color": LINE}


def trajectory(found):
    """What the log tells of each test: norms at both ends, gradient, accuracy and Gamma."""
    rows = found["trajectory"]
    steps = [row["epoch"] for row in rows]

    def draw(axes):
        for name, place in (("h_0", 0), ("h_L", -1)):
            axes[0].plot(steps, [row["hidden"][place] for row in rows], "o-", label=name)
        axes[0].set_yscale("log")
        axes[0].legend()
        axes[0].set_title("median norms")
        n_ref = found["thresholds"]["n_ref"]
        gradients = [None if (g := row["gradient"]) is None else g / n_ref for row in rows]
        axes[1].plot(steps, gradients, "o-", color=GOOD)
        axes[1].axhline(found["thresholds"]["floor"], color=LINE, linestyle="--")
        axes[1].set_yscale("log")
        axes[1].set_title(f"gradient at h_L, over {n_ref}")
        for name in ("accuracy", "gamma"):
            known = [(s, row[name]) for s, row in zip(steps, rows, strict=True)]
            known = [pair for pair in known if pair[1] is not None]
            if known:
                axes[2].plot(*zip(*known, strict=True), "o-", label=name)
        axes[2].legend()
        axes[2].set_title("accuracy and Gamma")
        for axis in axes:
            axis.set_xlabel("step")

    return drawn(3, 1, (9, 3), draw)
