"""PHI_LR_SCALE: one factor on the learning rate of Muon.

Idea: the published proposal moves MATRIX_LR from 0.04 to alpha_phi = phi^-3 / 2 = 0.118034, which
is a factor of 2.9508. alpha_phi is a number chosen by hand; the factor is a theorem only in so far
as it takes one value to the other.
Source: the golden-sunflowers proposal. It applies to the rate that the warm-down starts from too.
Off (1.0): nothing is multiplied.
"""

from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.constants import PHI_LR_SCALE_LEAST, PHI_LR_SCALE_VALUE
from train_gpt_style.gpt.seams import GatedFeature


class PhiLr(GatedFeature):
    """Fills one seam: the learning rate of a group."""

    declaration = Feature(
        name="phi_lr",
        summary="scale the learning rate of Muon",
        master=Knob(
            "PHI_LR_SCALE",
            float,
            1.0,
            f"multiplies MATRIX_LR; {PHI_LR_SCALE_VALUE} makes 0.04 phi^-3 / 2",
            low=PHI_LR_SCALE_LEAST,
            high=1e6,
            unit="factor",
            on="2.0",
        ),
        example={"PHI_LR_SCALE": str(PHI_LR_SCALE_VALUE)},
    )

    def lr_factor(self, group, settings):
        """The factor for the matrices, and one for the others."""
        return settings.phi_lr_scale if group == "matrices" else 1.0


PHI_LR = PhiLr()
