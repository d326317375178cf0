"""The published figures of this system, recomputed on the real objects."""

import math

import torch

from train_gpt_style.kit.context import Context
from train_gpt_style.soup_student import SYSTEM
from train_gpt_style.soup_student.model import build_model

IMAGES = 118_287  # of the published training set


def figures() -> list[tuple[str, str, str]]:
    """(name, published, computed), as texts. Draws no number."""
    settings = SYSTEM.read({})
    model = on_paper({})
    return [
        ("parameters", "11216768", str(count(model))),
        ("parameters of the patches", "295296", str(count(model.patch))),
        ("parameters of the layers", "10646784", str(count(model.layers))),
        ("parameters by the general formula", "11216768", str(formula())),
        ("steps an epoch", "2465", str(math.ceil(IMAGES / settings.batch))),
    ]


def count(module):
    """Numbers that are trained."""
    return sum(p.numel() for p in module.parameters())


def on_paper(environ):
    """The model of these settings, without memory for its numbers."""
    context = Context({})
    context.device = torch.device("meta")
    with context.device:
        return build_model(SYSTEM.read(environ), context)


def formula(size=224, patch=16, channels=3, depth=6, dim=384, ffn=1536, output=128):
    """How many parameters a student has, by arithmetic alone."""
    d, o = dim, output
    ends = patch**2 * channels * d + d + d + ((size // patch) ** 2 + 1) * d
    layers = depth * (4 * d * d + 2 * d * ffn + 9 * d + ffn)
    return ends + layers + 2 * d + d * d + d + 2 * d + d * o + o
