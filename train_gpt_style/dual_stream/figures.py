"""The published figures of this system, recomputed on the real objects."""

import torch

from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.model import build_model
from train_gpt_style.dual_stream.presets import PRESETS
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
# By preset: the published or derived count of each part of its shape, and of the whole.
COUNTS = {
    "v1": {
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
        "all": 6296582,
    },
    "v2": {"geo_output_proj": 24960, "all": 6321542},
    "v5-bidir": {
        "geo stream": 1281340,
        "std stream": 1261248,
        "cross blocks": 4749312,
        "output_proj": 24960,
        "geo_output_proj": 24960,
        "anchors": 8192,
        "patchwork": 76288,
        "classifier": 399882,
        "all": 7869574,
    },
    "run9": {"geo classifier": 1290, "all": 7870864},
    "v6": {
        "geo stream": 1885050,
        "std stream": 1854912,
        "cross blocks": 7123968,
        "output_proj": 49920,
        "geo_output_proj": 49920,
        "anchors": 32768,
        "patchwork": 567296,
        "classifier": 5269514,
        "geo classifier": 2570,
        "all": 16879310,
    },
}


def figures() -> list[tuple[str, str, str]]:
    """(name, published, computed), as texts. Draws no number."""
    found = []
    for name, expected in COUNTS.items():
        counted = parts(PRESETS[name])
        counted["all"] = sum(counted.values())
        found += [(f"{name}: {part}", str(n), str(counted[part])) for part, n in expected.items()]
    return found


def parts(environ):
    """Number of parameters by part of the model that an environment describes, without memory.

    Raises KeyError for a parameter of no part.
    """
    context = Context({})
    context.device = torch.device("meta")
    with context.device:
        model = build_model(SYSTEM.read(environ), context)
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
