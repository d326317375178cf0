"""The published figures of this system, recomputed on the real objects."""

import torch

from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.run import build_model
from train_gpt_style.kit.context import Context

# Of the residual MLP on CIFAR-10, by width and depth.
COUNTS = {
    (256, 4): 1318154,
    (256, 8): 1846538,
    (256, 12): 2374922,
    (512, 2): 2632202,
    (512, 4): 3684874,
    (512, 6): 4737546,
    (512, 8): 5790218,
    (512, 12): 7895562,
}

# Of the other networks: our shapes where the literature gives none.
OTHERS = {
    "vit-mini": (809354, (3, 32, 32), {"DIM": 128}),
    "student": (150922, (128,), {"DIM": 128}),
    "small-cnn": (620810, (3, 32, 32), {}),
    "relu-mlp": (986634, (3, 32, 32), {}),
}


def figures() -> list[tuple[str, str, str]]:
    """(name, published, computed), as texts. Draws no number."""
    found = [
        (f"parameters, d={d} L={depth}", str(n), str(parameters(DIM=d, DEPTH=depth)))
        for (d, depth), n in COUNTS.items()
    ]
    found += [
        (f"parameters, {name}", str(n), str(parameters(shape, CREDIT_MODEL=name, **knobs)))
        for name, (n, shape, knobs) in OTHERS.items()
    ]
    return [*found, ("parameters, 100 classes", "1341284", str(parameters(classes=100)))]


def parameters(shape=(3, 32, 32), classes=10, **knobs):
    """Of the default model, with these knobs; without memory for them."""
    context = Context({})
    context.device = torch.device("meta")
    with context.device:
        settings = SYSTEM.read({name: str(value) for name, value in knobs.items()})
        model = build_model(settings, context, shape, classes)
    return sum(p.numel() for p in model.parameters())
