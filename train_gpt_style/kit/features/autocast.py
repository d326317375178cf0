"""AUTOCAST: matrix products and attention in bfloat16 on a CPU, as they always are on CUDA.

Forward passes, those of an evaluation too, run under torch's autocast: weights,
gradients, optimizer states and the stream between the blocks stay in fp32, products and attention
round their inputs to bfloat16. It pays where the CPU multiplies bfloat16 itself (avx512_bf16 or
amx_bf16 among the flags of lscpu); without, it runs, and is slower than fp32. A precision, not an
idea: no theorem.
Off: nothing is set; a CPU computes in fp32, as in the baseline.
"""

import torch

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.kit.bfloat16 import note_slow_products
from train_gpt_style.kit.seams import GatedFeature


class Autocast(GatedFeature):
    """Fills one seam: how this process computes."""

    declaration = Feature(
        name="autocast",
        summary="compute products and attention in bfloat16 on a CPU",
        master=Knob(
            "AUTOCAST",
            str,
            "off",
            "type of products and attention on a CPU; CUDA uses bf16 in any case",
            choices=("off", "bf16"),
            on="bf16",
        ),
        example={"AUTOCAST": "bf16"},
    )

    def check(self, settings):
        """The portable lane has no bfloat16 forward pass."""
        if settings.numerics == "portable":
            raise UsageError(
                f"AUTOCAST={settings.autocast} needs NUMERICS=native: the portable lane covers "
                "forward passes in fp32 alone"
            )

    def prepare(self, ctx, settings):
        """bfloat16, whatever the device."""
        ctx.autocast_type = torch.bfloat16
        note_slow_products(ctx, "AUTOCAST=bf16", "AUTOCAST=off computes in fp32")
