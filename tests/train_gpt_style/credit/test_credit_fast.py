"""pytest tests/train_gpt_style/credit/test_credit_fast.py — what the written-out step keeps."""

import weakref

import torch
import torch.nn.functional as F

from train_gpt_style.credit.methods import fast


def test_a_gain_is_divided_by_where_it_is_large_beside_its_shift(world):
    blocks = world().model.blocks
    parts = [fast.parts_of(block) for block in blocks]
    assert fast.divides(parts)
    ln = blocks[-1].ln
    with torch.no_grad():
        for gain, shift, enough in [(2**-5, 0, 0), (2**-3, 0, 1), (-1, 0.9, 1), (1, -1.1, 0)]:
            ln.weight[2], ln.bias[2] = gain, shift
            assert fast.divides(parts) == bool(enough)


def test_the_last_quarter_of_the_blocks_keeps_what_gelu_gave(world):
    w = world(DEPTH=9)
    with torch.no_grad():
        parts = [fast.parts_of(block) for block in w.model.blocks]
        kept = fast.forward(w.model, parts, True, w.x)[1]
    assert [u is not None for _, _, u in kept] == [False] * 7 + [True] * 2
    assert all(torch.equal(u, F.gelu(z)) for z, _, u in kept[7:])


def test_what_the_head_gave_is_gone_before_the_blocks_are_walked(world):
    alive = []

    class Watching(fast.Direct):
        def __init__(self, feedback, top, logits, y, layer):
            super().__init__(feedback, top, logits, y, layer)
            self.logits = weakref.ref(logits)

        def down(self, layer):
            alive.append(self.logits() is not None)
            super().down(layer)

    w = world(CREDIT_METHOD="dfa")
    fast.fast_step(w.model, w.x, w.y, Watching)
    assert alive == [False] * len(w.model.blocks)
