"""UT_LOOPS: blocks that are applied several times in a row, with the same weights.

Idea: depth without parameters, from the Universal Transformer (Dehghani et al., arXiv 1807.03819),
here block by block: block i runs `loops` times before block i + 1 starts, not the range as a unit.
Each pass sees the same x0 and the same adapters. The U-Net skips stay outside: one pop before the
first pass, one push after the last. UT_LOOPS=4 is the nearest integer to phi^3 = 4.236, a theorem.
A fresh model shows nothing of it but the re-mix, since its output projections are zero.
Off (1): no wrapper is installed.
"""

from torch import nn

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.seams import GatedFeature


class LoopedBlocks(nn.Module):
    """Applies the blocks in [start, end) `loops` times, the others once. Holds no tensor."""

    def __init__(self, loops, start, end):
        super().__init__()
        self.loops, self.start, self.end = loops, start, end

    def forward(self, apply, index, x):
        """x of any shape that `apply` keeps."""
        for _ in range(self.loops if self.start <= index < self.end else 1):
            x = apply(x)
        return x


class Ut(GatedFeature):
    """Fills one seam: around each block."""

    declaration = Feature(
        name="ut",
        summary="apply some blocks several times in a row",
        master=Knob(
            "UT_LOOPS", int, 1, "passes through each looped block", 1, 64, unit="passes", on="3"
        ),
        knobs=(
            Knob("UT_LAYER_START", int, 0, "first looped block", 0, unit="block", on="2"),
            Knob(
                "UT_LAYER_END", int, 0, "block after the last looped one", 0, unit="block", on="4"
            ),
        ),
        example={"UT_LOOPS": "4", "UT_LAYER_START": "1", "UT_LAYER_END": "3"},
    )

    def check(self, settings):
        """The range must name at least one block, and only blocks that exist."""
        start, end, layers = settings.ut_layer_start, settings.ut_layer_end, settings.num_layers
        if not start < end <= layers:
            raise UsageError(
                f"UT_LOOPS={settings.ut_loops} loops blocks {start} to {end} (exclusive): set "
                f"UT_LAYER_START < UT_LAYER_END <= NUM_LAYERS={layers}"
            )

    def install(self, model, settings):
        """Wrap the blocks."""
        model.around_block["ut"] = LoopedBlocks(
            settings.ut_loops, settings.ut_layer_start, settings.ut_layer_end
        )


UT = Ut()
