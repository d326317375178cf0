"""The published figures of this system, recomputed on the real objects."""

import torch

from train_gpt_style.kit.context import Context
from train_gpt_style.vit_rft import SYSTEM
from train_gpt_style.vit_rft.coupler import Coupling, next_drift
from train_gpt_style.vit_rft.model import build_model


def figures() -> list[tuple[str, str, str]]:
    """(name, published, computed), as texts. Draws no number."""
    counts = {1000: "5717416", 100: "5543716", 10: "5526346"}
    found = [(f"parameters, {c} classes", n, str(parameters(c)[0])) for c, n in counts.items()]
    return [
        *found,
        ("tensors", "152", str(parameters(1000)[1])),
        ("drift, gradients opposed for ever", "0.1000", f"{settled(-1.0):.4f}"),
        ("drift, gradients orthogonal for ever", "0.0499", f"{settled(0.0):.4f}"),
    ]


def parameters(classes):
    """(numbers, tensors) of the default model, without memory for either."""
    context = Context({})
    context.device = torch.device("meta")
    with context.device:
        model = build_model(SYSTEM.read({"CLASSES": str(classes)}), context)
    sizes = [p.numel() for p in model.parameters()]
    return sum(sizes), len(sizes)


def settled(alignment):
    """The default coupler's drift after many steps of one alignment."""
    settings, drift = SYSTEM.read({}), 0.0
    coupling = Coupling(settings.coupler_strength, settings.coupler_cap)
    for _ in range(100):
        drift = next_drift(drift, alignment, coupling)
    return drift
