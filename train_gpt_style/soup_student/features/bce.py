"""BCE_WEIGHT: binary cross-entropy of the class labels, read off by the frozen soup.

Idea: the student's embedding goes through the teacher's constellation, patchwork and classifier,
which stay as they are: no gradient of theirs, no optimizer, dropout off. Each validation says mAP,
F1 and how often the top class is right, and that the soup is still what it was.
Off (0): the term is not computed.
"""

import torch
import torch.nn.functional as F

from goldenseal.knobs import Feature, Knob
from train_gpt_style.soup_student.features.judge import Judge
from train_gpt_style.soup_student.frozen import needed, soup_of


class Bce(Judge):
    """Fills the seams of a judge, and one more: a loss term."""

    declaration = Feature(
        name="bce",
        summary="class labels through the frozen soup",
        master=Knob("BCE_WEIGHT", float, 0.0, "weight of the labels' loss", 0.0, on="0.5"),
        example={"BCE_WEIGHT": "0.5"},
    )

    def check(self, settings):
        """A soup to read."""
        needed(settings, f"BCE_WEIGHT={settings.bce_weight}")

    def install(self, model, settings, data, ctx):
        """The term."""
        classes = torch.arange(len(data.train.names))
        soup = soup_of(settings, data, ctx, len(classes))
        labels = data.train.labels

        def term(embedding, targets, rows):
            positive = (labels[rows].unsqueeze(1) == classes).float().to(embedding.device)
            logits = soup.readout(embedding).float()
            return settings.bce_weight * F.binary_cross_entropy_with_logits(logits, positive)

        model.auxiliary["bce"] = term


BCE = Bce()
