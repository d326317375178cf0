"""WORLD_INVARIANT: the same bytes from any number of ranks.

Idea: a sum of floats depends on its order, and the usual order depends on how many ranks share the
global batch. Here the eight shards of a batch are added in one fixed tree, whoever computed them,
and so are losses, validation and test-time scores: `gpt/invariant.py`. 1, 2, 4 and 8 ranks of one
numeric class then train the same weights. Up to five gradients are held at a time (one rank), or
the rank's sum with two copies of it in flight (several).
Off (0): torch adds micro-batches as they come, and averages ranks in its own order.
"""

from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.invariant import InvariantDivision
from train_gpt_style.gpt.seams import GatedFeature


class Invariant(GatedFeature):
    """Fills one seam: how the work is divided."""

    declaration = Feature(
        name="invariant",
        summary="the same bytes from 1, 2, 4 or 8 ranks",
        master=Knob("WORLD_INVARIANT", bool, False, "add shards in one fixed order", on="1"),
        example={"WORLD_INVARIANT": "1"},
    )
    any_world = True

    def division(self):
        """The fixed order."""
        return InvariantDivision()


INVARIANT = Invariant()
