"""MUON_PRODUCTS: in which type Muon takes the products of its Newton-Schulz iteration.

Idea: on a CPU without bfloat16 instructions a product in bfloat16 takes up to a hundred times as
long as one in fp32, and nearly all of a step is Muon's. With fp32 the matrices are rounded to
bfloat16 as before, multiplied and summed in fp32, and the result is rounded to bfloat16: what the
instructions do, but for the order of the sum. About one entry in ten thousand is then off by one
unit in the last place. And the coefficient of the square is multiplied in before that rounding, not
rounded by itself, so that the knob acts at any size. Sums stay in bfloat16. No theorem.
Off (bf16): torch multiplies in bfloat16, as the baseline does.
"""

import torch

from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.seams import GatedFeature


class MuonProducts(GatedFeature):
    """Fills one seam: how Muon computes."""

    declaration = Feature(
        name="muon_products",
        summary="Muon's products in fp32: fast where a CPU does not multiply bfloat16",
        master=Knob(
            "MUON_PRODUCTS",
            str,
            "bf16",
            "in which type Muon multiplies; its matrices are bf16 in either case",
            choices=("bf16", "fp32"),
            on="fp32",
        ),
        example={"MUON_PRODUCTS": "fp32"},
    )

    def tune_muon(self, muon):
        """The products alone."""
        muon.product_type = torch.float32


MUON_PRODUCTS = MuonProducts()
