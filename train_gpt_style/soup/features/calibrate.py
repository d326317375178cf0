"""CALIBRATE: projectors start as each expert's affine way to the consensus (soup.consensus).

Idea: whitened Procrustes of each expert to the consensus, composed with whitening and its inverse
into one Linear; the LayerNorm behind it stays as it is. The log says how well it fits rows that it
has not seen, and how well a fit to permuted targets does: a fit alone proves nothing.
Off (0): projectors keep torch's own initialisation.
"""

import torch

from goldenseal.knobs import Feature, Knob
from train_gpt_style.soup.consensus import calibrate, consensus_of, quality, solver_of
from train_gpt_style.soup.constants import SOUP_KNOB_WHITEN_FLOOR
from train_gpt_style.soup.seams import GatedFeature


class Calibrate(GatedFeature):
    """Fills one seam: initial values."""

    declaration = Feature(
        name="calibrate",
        summary="projectors from Procrustes to the consensus",
        master=Knob("CALIBRATE", bool, False, "start from the consensus", on="1"),
        knobs=(
            Knob("WHITEN", bool, True, "whiten both clouds first", on="0"),
            Knob(
                *("WHITEN_FLOOR", float, SOUP_KNOB_WHITEN_FLOOR),
                "share of the largest variance below which a direction is dropped",
                *(0.0, 1.0),
                on="0.5",
            ),
        ),
        example={"CALIBRATE": "1"},
    )

    def install(self, model, settings, data, log):
        """Weights and biases of the projectors' Linear."""
        s, solver = settings, solver_of(settings)
        found = consensus_of(s, data)
        if found.agreement is not None:
            rounds = len(found.objectives) - 1
            log(f"consensus agreement:{found.agreement:.4f} rounds:{rounds}")
        target = found.train
        parts = zip(model.projectors, found.parts, found.clouds, strict=True)
        for i, (projector, part, cloud) in enumerate(parts):
            way = calibrate(part, cloud, target, s.whiten, s.whiten_floor, solver)
            with torch.no_grad():
                projector.linear.weight.copy_(way.weight)
                projector.linear.bias.copy_(way.bias)
            rows = data.train.features[i]
            if len(rows) >= 8:  # less cannot be halved and still say something
                width = s.expert_dim
                told = quality(rows, target, width, s.whiten, s.whiten_floor, s.seed, solver)
                log(f"calibration expert:{i} {told}")


CALIBRATE = Calibrate()
