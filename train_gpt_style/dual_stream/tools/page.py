"""The scans as one HTML page: pictures where a picture says more than a number.

Needs matplotlib and jinja2, as `goldenseal report` does: pip install 'goldenseal[report]'.
"""

import io
from pathlib import Path

import jinja2
import matplotlib
from matplotlib.figure import Figure

from train_gpt_style.dual_stream.constants import BAND_HIGH, BAND_LOW
from train_gpt_style.dual_stream.tools.words import short, told

matplotlib.rcParams["svg.hashsalt"] = "scan"  # equal scans, equal bytes
TEMPLATE = Path(__file__).with_name("page.html")


def picture(draw, width=7, height=3):
    """The SVG of what `draw(axes)` draws."""
    figure = Figure(figsize=(width, height), layout="constrained")
    draw(figure.subplots())
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue().partition("<svg")[1] + out.getvalue().partition("<svg")[2]


def usage(scan, title):
    """How often each anchor is the nearest, the most used first."""

    def draw(axes):
        counts = sorted(scan["counts"], reverse=True)
        axes.bar(range(len(counts)), counts, color="#3465a4")
        axes.axhline(sum(counts) / len(counts), color="#cc0000", label="if all were used equally")
        axes.set(title=title, xlabel="anchor, by use", ylabel="times nearest")
        axes.legend(frameon=False)

    return picture(draw)


def classes(six, one):
    """Class CV with the published band, and the CV that uniform points have."""

    def draw(axes):
        names, each = list(six["classes"]), list(six["classes"].values())
        places = range(len(names))
        axes.axhspan(BAND_LOW, BAND_HIGH, color="#fce94f", alpha=0.5, label="published band")
        axes.scatter(places, [e["cv"] for e in each], color="#3465a4", label="class CV", zorder=3)
        own = [(i, e["uniform_effective"]) for i, e in enumerate(each)]
        own = [(i, value) for i, value in own if value is not None]
        label = "uniform, at the class's effective dimension"
        axes.scatter(*zip(*own, strict=True) if own else ((), ()), marker="_", s=200, label=label)
        if one["uniform"] is not None:
            axes.axhline(one["uniform"], color="#cc0000", label="uniform, at the width")
        axes.set(title="Class CV", xlabel="class", ylabel="CV", xticks=list(places))
        axes.set_xticklabels(names)
        axes.legend(frameon=False, fontsize="small")

    return picture(draw, height=4)


def spectrum(one):
    """Share of the squared singular values up to each, beside that of a uniform cloud."""

    def draw(axes):
        squares = [s * s for s in one["spectrum"]]
        whole, so_far, shares = sum(squares) or 1.0, 0.0, []
        for square in squares:
            so_far += square
            shares.append(so_far / whole)
        count = range(1, len(shares) + 1)
        axes.plot(count, shares, color="#3465a4", label="embeddings")
        axes.plot(count, [k / len(shares) for k in count], color="#cc0000", label="uniform")
        axes.set(title="Spectrum", xlabel="dimensions", ylabel="share of energy", ylim=(0, 1.0625))
        axes.legend(frameon=False)

    return picture(draw)


def grid(table, title, low=None, high=None):
    """A square table of numbers as colours."""

    def draw(axes):
        shown = axes.imshow(table, cmap="viridis", vmin=low, vmax=high)
        axes.set(title=title, xticks=range(len(table)), yticks=range(len(table)))
        axes.figure.colorbar(shown)

    return picture(draw, width=5, height=4)


def pictures(scans):
    """All pictures, as (heading, SVG); none of what is not finite."""
    if len(scans) < 8:
        return []
    one, two, three, six, seven = (
        next(each for name, each in scans.items() if name[0] == digit) for digit in "12367"
    )
    return [
        ("Anchor use by images", usage(two, "nearest anchor of each image")),
        ("Anchor use by tokens", usage(three, "nearest anchor of each token")),
        ("Class CV", classes(six, one)),
        ("Spectrum of the embeddings", spectrum(one)),
        ("Confusion", grid(seven["confusion"], "class, and what was said")),
        ("Cosines of class centroids", grid(six["centroid_cosines"], "cosine", -1, 1)),
    ]


def page(found):
    """The page as text."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(found=found, pictures=pictures(found["scans"]), short=short, told=told)
