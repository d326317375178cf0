"""ANCHOR_INIT: anchors from the consensus cloud instead of at random.

fps: farthest points by angle; kmeans: spherical k-means from those (geometry.anchors). Neither
draws a number. Random anchors are drawn in any case, so that all else starts from the same weights.
Off (random): nothing is changed.
"""

import torch

from goldenseal.knobs import Feature, Knob
from train_gpt_style.geometry.anchors import farthest_point_anchors, kmeans_anchors
from train_gpt_style.soup.consensus import consensus_of
from train_gpt_style.soup.seams import GatedFeature

WAYS = {"fps": farthest_point_anchors, "kmeans": kmeans_anchors}


class AnchorInit(GatedFeature):
    """Fills one seam: initial values."""

    declaration = Feature(
        name="anchor_init",
        summary="anchors that start in the consensus cloud",
        master=Knob(
            *("ANCHOR_INIT", str, "random", "where anchors start"),
            choices=("random", "fps", "kmeans"),
            on="fps",
        ),
        example={"ANCHOR_INIT": "fps"},
    )

    def install(self, model, settings, data, log):
        """The anchors. Raises UsageError when there are more anchors than rows."""
        rows = consensus_of(settings, data, log).train
        found = WAYS[settings.anchor_init](rows, settings.n_anchors)
        with torch.no_grad():
            model.readout.constellation.anchors.copy_(found)


ANCHOR_INIT = AnchorInit()
