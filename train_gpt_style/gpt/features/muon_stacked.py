"""MUON_STACKED: Muon orthogonalises up to three matrices of one shape at a time.

Idea: the blocks of a model have the same shapes, so their matrices can be stacked and go through
Newton-Schulz by batched products, which add their third term before they round: fewer passes over
memory, and one rounding where the loop has three. So an update is off the loop's by some 2.6 % of
its norm, and about twice as near to the iteration in float64 (docs/benchmarks.md).
Ranks share out whole stacks, which are the same in any world. Three was chosen by hand: more are no
faster on a CPU, and ranks would share them less evenly. No theorem.
Off (0): one matrix after the other.
"""

from functools import partial

import torch

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.constants import MUON_EPS, NS_A, NS_B, NS_C
from train_gpt_style.gpt.seams import GatedFeature

STACK = 3  # matrices


def newton_schulz_stacked(G_SMN, steps, eps=MUON_EPS, product_type=torch.bfloat16):
    """`muon.newton_schulz` of each matrix of a stack (S, M, N), with fused sums."""
    X = G_SMN.bfloat16()
    X = X / (X.norm(dim=(1, 2), keepdim=True) + eps)
    tall = G_SMN.size(1) > G_SMN.size(2)
    if tall:
        X = X.mT
    for _ in range(steps):
        W = X.to(product_type)
        P = torch.bmm(W, W.mT).bfloat16().to(product_type)
        B = torch.baddbmm(P, NS_C * P, P, beta=NS_B).bfloat16()
        X = torch.baddbmm(W, B.to(product_type), W, beta=NS_A).bfloat16()
    return X.mT if tall else X


def stacks_of(params):
    """Numbers of the parameters that are orthogonalised together: up to three of one shape."""
    alike = {}
    for i, p in enumerate(params):
        alike.setdefault(p.shape, []).append(i)
    return [each[at : at + STACK] for each in alike.values() for at in range(0, len(each), STACK)]


def orthogonalized(muon, directions, steps):
    """The directions of one stack, orthogonalised."""
    together = torch.stack(directions)
    return muon.orthogonalize(together, steps, product_type=muon.product_type).unbind()


class MuonStacked(GatedFeature):
    """Fills one seam: how Muon computes."""

    declaration = Feature(
        name="muon_stacked",
        summary="Muon works on stacks of matrices of one shape",
        master=Knob("MUON_STACKED", bool, False, "stack the matrices", on="1"),
        example={"MUON_STACKED": "1"},
    )

    def check(self, settings):
        """The portable lane has not been tried with batched products."""
        if settings.numerics == "portable":
            raise UsageError(
                "MUON_STACKED=1 needs NUMERICS=native: the portable lane covers products of two "
                "matrices in Muon, not of stacks"
            )

    def tune_muon(self, muon):
        """Stacks, and the iteration for them."""
        muon.units_of, muon.orthogonalize = stacks_of, newton_schulz_stacked
        muon.orthogonalized = partial(orthogonalized, muon)


MUON_STACKED = MuonStacked()
