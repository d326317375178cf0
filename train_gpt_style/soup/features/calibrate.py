"""CALIBRATE: projectors start as each expert's affine way to the consensus (soup.consensus).

Idea: whitened Procrustes of each expert to the consensus, composed with whitening and its inverse
into one Linear; the LayerNorm behind it stays as it is. The log says how well it holds on rows that
it has not seen, and how well it does when each expert's rows are permuted: a fit alone proves
nothing (soup.quality). So it does of each pair of experts, but in the portable lane.
Off (0): projectors keep torch's own initialisation.
"""

import torch

from goldenseal.knobs import Feature, Knob
from train_gpt_style.soup.consensus import calibrate, consensus_of, gpa_of, solver_of
from train_gpt_style.soup.constants import SOUP_KNOB_WHITEN_FLOOR
from train_gpt_style.soup.quality import pairs, qualities
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
        found = consensus_of(s, data, log)
        target = found.train
        parts = zip(model.projectors, found.parts, found.clouds, strict=True)
        for projector, part, cloud in parts:
            way = calibrate(part, cloud, target, s.whiten, s.whiten_floor, solver)
            with torch.no_grad():
                projector.linear.weight.copy_(way.weight)
                projector.linear.bias.copy_(way.bias)
        if (len(target) + 1) // 2 <= max(4, s.output_dim):
            log(
                f"calibration: {len(target)} rows cannot be halved, nothing tells how well it holds"
            )
            return
        sizes = s.expert_dim, s.output_dim, gpa_of(s)
        judged = qualities(data.train.features, *sizes, s.whiten, s.whiten_floor, s.seed, solver)
        for i, told in enumerate(judged):
            log(f"calibration expert:{i} {told}")
        if s.numerics == "portable":
            return  # its fits are LAPACK's
        for (i, j), whitened, plain in pairs(found.clouds, s.output_dim, s.whiten_floor, s.seed):
            log(f"pair experts:{i},{j} whitened {whitened}")
            log(f"pair experts:{i},{j} plain {plain}")


CALIBRATE = Calibrate()
