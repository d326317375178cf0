"""The published figures of this system, recomputed on the real objects."""

import torch

from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.model import build_model
from train_gpt_style.kit.context import Context

PARTS = {
    "patch embed": ("patch",),
    "positions": ("position",),
    "geo stream": ("geo_in", "dual.*.geo"),
    "std stream": ("std_in", "dual.*.std"),
    "fuse": ("joint.fuse",),
    "fused blocks": ("joint.blocks",),
    "fused norm": ("joint.norm",),
    "cross blocks": ("joint.cross",),
    "output_proj": ("joint.output_proj",),
    "geo_output_proj": ("geo_output_proj",),
    "anchors": ("constellation",),
    "patchwork": ("patchwork",),
    "classifier": ("classifier",),
    "geo classifier": ("extras.geo_classifier",),
    "second tower and arbiter": ("extras.gal",),
}
RUN_1 = {
    "patch embed": 18816,
    "positions": 24576,
    "geo stream": 1281340,
    "std stream": 1261248,
    "fuse": 98560,
    "fused blocks": 3159552,
    "fused norm": 512,
    "output_proj": 33152,
    "anchors": 8192,
    "patchwork": 76288,
    "classifier": 334346,
}


def figures() -> list[tuple[str, str, str]]:
    """(name, published, computed), as texts. Draws no number."""
    counted = parts({})
    whole = [("parameters, Run 1", "6296582", str(sum(counted.values())))]
    return whole + [(f"Run 1: {name}", str(n), str(counted[name])) for name, n in RUN_1.items()]


def parts(environ):
    """Number of parameters by part of the model that an environment describes, without memory.

    A warm start changes no number. Raises KeyError for a parameter of no part.
    """
    context = Context({})
    context.device = torch.device("meta")
    with context.device:
        model = build_model(SYSTEM.read({**environ, "WARM_START": ""}), context)
    counted = {}
    for name, p in model.named_parameters():
        part = part_of(name)
        counted[part] = counted.get(part, 0) + p.numel()
    return {part: counted[part] for part in PARTS if part in counted}


def part_of(name):
    """The part of the model that a parameter belongs to, by its name."""
    words = ["*" if word.isdigit() else word for word in name.split(".")]
    for part, prefixes in PARTS.items():
        if any(words[: p.count(".") + 1] == p.split(".") for p in prefixes):
            return part
    raise KeyError(f"{name} is in no part")
