"""pytest tests/train_gpt_style/vit_rft/test_vit_size.py — the theorem counts the model."""

import re

import pytest
import torch

from train_gpt_style.kit.context import Context
from train_gpt_style.vit_rft import SYSTEM
from train_gpt_style.vit_rft.model import build_model


@pytest.fixture(scope="module")
def formula(root):
    """The right side of the pinned theorem `vit_size`, as Python reads it."""
    text = (root / "theorems/VitSize.v").read_text(encoding="utf-8")
    found = re.search(r"Theorem vit_size .*?vit side patch d depth C =(.*?)\.\nProof", text, re.S)
    right = " ".join(found[1].split()).replace("tokens side patch", "((side // patch) ** 2 + 1)")
    return compile(right, "vit_size", "eval")


@pytest.mark.parametrize(
    ("side", "patch", "d", "depth", "heads", "C"),
    [(224, 16, 192, 12, 3, 1000), (32, 8, 48, 2, 3, 10), (28, 4, 20, 1, 5, 7), (8, 8, 6, 5, 1, 2)],
)
def test_the_formula_of_the_theorem_counts_what_is_built(formula, side, patch, d, depth, heads, C):
    names = {"IMAGE_SIZE": side, "PATCH_SIZE": patch, "DIM": d, "DEPTH": depth, "HEADS": heads}
    context = Context({})
    context.device = torch.device("meta")
    with context.device:
        settings = SYSTEM.read({**{k: str(v) for k, v in names.items()}, "CLASSES": str(C)})
        model = build_model(settings, context)
    known = {"side": side, "patch": patch, "d": d, "depth": depth, "C": C}
    assert sum(p.numel() for p in model.parameters()) == eval(formula, {}, known)
