"""CONSENSUS_NCE: InfoNCE of a row's embedding against the consensus rows of its batch.

Idea: an image's embedding should be nearer to its own consensus row than to any other of the batch.
Weight and temperature are not published; ours are chosen by hand.
Off (0): the term is not computed.
"""

import torch
import torch.nn.functional as F

from goldenseal.knobs import Feature, Knob
from train_gpt_style.soup.consensus import consensus_of
from train_gpt_style.soup.constants import SOUP_KNOB_NCE_TEMP
from train_gpt_style.soup.seams import GatedFeature


class Nce(GatedFeature):
    """Fills one seam: a loss term."""

    declaration = Feature(
        name="consensus_nce",
        summary="InfoNCE against the experts' consensus",
        master=Knob("CONSENSUS_NCE", float, 0.0, "weight of InfoNCE", 0.0, on="0.5"),
        knobs=(
            Knob(
                *("CONSENSUS_TEMP", float, SOUP_KNOB_NCE_TEMP, "its temperature", 0.0078125),
                on="0.5",
            ),
        ),
        example={"CONSENSUS_NCE": "0.5"},
    )

    def install(self, model, settings, data, log):
        """The term."""
        s, target = settings, consensus_of(settings, data, log).train

        def term(model, embedding, rows):
            goal = target[rows].to(embedding.device)
            truth = torch.arange(len(goal), device=goal.device)
            return s.consensus_nce * F.cross_entropy(embedding @ goal.T / s.consensus_temp, truth)

        model.auxiliary["nce"] = term


CONSENSUS_NCE = Nce()
