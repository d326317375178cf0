"""CREDIT_RANDOM_TARGETS: labels replaced once by independent uniform classes, all else equal.

Idea: a control. Where nothing can be learned, growth and vanishing gradients are the method's own.
The draws are those of a generator of their own. The test labels stay.
Off (0): the data's labels.
"""

import torch

from goldenseal.knobs import Feature, Knob
from train_gpt_style.credit.seams import GatedFeature

STREAM = 1073741827  # apart from SEED's own stream


class RandomTargets(GatedFeature):
    """Fills one seam: the training labels."""

    declaration = Feature(
        name="random_targets",
        summary="random labels, as a control",
        master=Knob("CREDIT_RANDOM_TARGETS", bool, False, "train on random labels", on="1"),
        example={"CREDIT_RANDOM_TARGETS": "1"},
    )

    def data(self, settings, train, test):
        """Other labels in their place."""
        generator = torch.Generator().manual_seed(settings.seed ^ STREAM)
        train.labels = torch.randint(train.classes, train.labels.shape, generator=generator)


RANDOM_TARGETS = RandomTargets()
