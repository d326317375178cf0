"""The published figures of this system, recomputed on the real objects."""

import torch

from train_gpt_style.kit.context import Context
from train_gpt_style.soup import SYSTEM
from train_gpt_style.soup.model import build_model


def figures() -> list[tuple[str, str, str]]:
    """(name, published, computed), as texts. Draws no number."""
    model = on_paper({})
    parts = {
        "projectors": model.projectors,
        "anchors": model.readout.constellation,
        "patchwork": model.readout.patchwork,
    }
    published = {"projectors": 296_064, "anchors": 32_768, "patchwork": 100_864}
    rest = 370_256  # the classifier
    found = {name: count(part) for name, part in parts.items()}
    return [
        ("parameters", "799952", str(count(model))),
        *((f"parameters of {name}", str(published[name]), str(found[name])) for name in parts),
        ("parameters of the classifier", str(rest), str(count(model) - sum(found.values()))),
        ("parameters by the general formula", "799952", str(formula((768, 768, 768)))),
    ]


def count(module):
    """Numbers that are trained."""
    return sum(p.numel() for p in module.parameters())


def on_paper(environ, widths=(), classes=0):
    """The model of these settings, without memory for its numbers."""
    context = Context({})
    context.device = torch.device("meta")
    with context.device:
        return build_model(SYSTEM.read(environ), context, widths, classes)


def formula(widths, output=128, anchors=256, compartments=8, width=64, classes=80):
    """How many parameters a soup has, by arithmetic alone."""
    o, n, c = output, compartments, width
    inner = n * c
    projectors = sum(d * o + 3 * o for d in widths)
    patchwork = n * (2 * c * (anchors // n) + 2 * c + 2 * c * c + c + 2 * c)
    classifier = (inner + o) * inner + 3 * inner + inner * classes + classes
    return projectors + anchors * o + patchwork + classifier
