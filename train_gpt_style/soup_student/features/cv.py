"""CV_WEIGHT: a loss on how much the volumes of the embedding's simplices differ (geometry.spread).

Idea: CV_WEIGHT * (CV - target)^2 over CV_SAMPLES random 4-simplices of the first CV_POOL rows of a
batch. The target is CV_TARGET, or, at 0, what the training targets are measured to have. Simplices
are drawn from a generator of the batch's own, so no other draw moves, and a resumed run draws the
same.
Off (0): the term is not computed.
"""

import torch

from goldenseal.knobs import Feature, Knob
from train_gpt_style.geometry.spread import cv_loss, cv_metric
from train_gpt_style.soup_student.seams import GatedFeature

MEASURED = 4096  # simplices by which the targets are measured


class Cv(GatedFeature):
    """Fills one seam: a loss term."""

    declaration = Feature(
        name="cv",
        summary="a target for the spread of simplex volumes",
        master=Knob("CV_WEIGHT", float, 0.0, "weight of the CV loss", 0.0, on="0.5"),
        knobs=(
            Knob("CV_TARGET", float, 0.0, "target; 0: that of the targets", 0.0, 2.0, on="0.75"),
            Knob("CV_SAMPLES", int, 64, "simplices a step", 5, 65_536, on="8"),
            Knob("CV_POOL", int, 512, "first rows of a batch that they are of", 5, on="5"),
        ),
        example={"CV_WEIGHT": "0.5"},
    )

    def install(self, model, settings, data, ctx):
        """The term."""
        s, target = settings, settings.cv_target
        if not target:
            generator = torch.Generator().manual_seed(s.seed)
            rows = data.train_targets
            target, _ = cv_metric(rows, generator, MEASURED)

        def term(embedding, targets, rows):
            # The order of an epoch is drawn anew, so a batch's places tell one step from another.
            place = int((rows * torch.arange(1, len(rows) + 1)).sum())
            generator = torch.Generator().manual_seed((s.seed + place) % 2**63)
            sample = s.cv_samples, generator, s.cv_pool
            # Volumes lose everything in half precision, whatever the rest computes in.
            with torch.autocast(embedding.device.type, enabled=False):
                return s.cv_weight * cv_loss(embedding, target, *sample)

        model.auxiliary["cv"] = term


CV = Cv()
