"""DCLR_GAIN: the reconstructed DCLR in place of Adam, with the coupler's feedback on request.

Idea: raise the learning rate while gradients agree with their running mean, lower it while they
oppose it (train_gpt_style/vit_rft/dclr.py). It is then partly just a larger learning rate, so a
comparison needs Adam at the same mean rate. Gain and bounds are chosen by hand.
Off (0): `torch.optim.Adam` itself is built.
"""

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.vit_rft.constants import VIT_KNOB_COUPLER_CAP, VIT_KNOB_DCLR_MEMORY
from train_gpt_style.vit_rft.coupler import Coupling
from train_gpt_style.vit_rft.dclr import DCLR, Rule
from train_gpt_style.vit_rft.seams import GatedFeature


def coupling(settings):
    """The coupler that the settings describe, for feedback and for telemetry."""
    return Coupling(settings.coupler_strength, settings.coupler_cap)


def rule(settings):
    """The constants of DCLR from the knobs; a bound of 0 is none."""
    s = settings
    return Rule(
        gain=s.dclr_gain,
        memory=s.dclr_memory,
        scale_min=s.dclr_scale_min or None,
        scale_max=s.dclr_scale_max or None,
        lr_min=s.dclr_lr_min or None,
        lr_max=s.dclr_lr_max or None,
        feedback=coupling(s) if s.dclr_feedback else None,
    )


class DclrRate(GatedFeature):
    """Fills one seam: the optimizer."""

    declaration = Feature(
        name="dclr",
        summary="a learning rate that follows the agreement of gradients",
        master=Knob("DCLR_GAIN", float, 0.0, "DCLR, gain; 0: Adam", 0.0, 1.0, on="0.5"),
        knobs=(
            Knob(
                "DCLR_MEMORY",
                float,
                VIT_KNOB_DCLR_MEMORY,
                "memory of the cosine's average",
                0.0,
                1.0,
                on="0.5",
            ),
            Knob("DCLR_SCALE_MIN", float, 0.0, "least factor; 0: 1 - gain", 0.0, 1.0, on="1"),
            Knob("DCLR_SCALE_MAX", float, 0.0, "largest factor; 0: 1 + gain", 0.0, on="1"),
            Knob("DCLR_LR_MIN", float, 0.0, "least rate; 0: none", 0.0, on="0.25"),
            Knob("DCLR_LR_MAX", float, 0.0, "largest rate; 0: none", 0.0, on="0.0009765625"),
            Knob("DCLR_FEEDBACK", bool, False, "weigh the cosine by the coherence", on="0"),
            Knob(
                *("COUPLER_STRENGTH", float, 1.0, "coupling K; also of telemetry", 0.0, 2.0),
                on="0.5",
            ),
            Knob(
                "COUPLER_CAP",
                float,
                VIT_KNOB_COUPLER_CAP,
                "largest drift at K = 1; also of telemetry",
                0.0,
                1.0,
                unit="rad",
                on="0.75",
            ),
        ),
        example={"DCLR_GAIN": "0.75", "DCLR_MEMORY": "0.25", "DCLR_FEEDBACK": "1"},
    )

    def check(self, settings):
        """The bounds must be in order, and the gain less than one."""
        try:
            rule(settings)
        except UsageError as error:
            raise UsageError(f"DCLR_GAIN={settings.dclr_gain}: {error}") from None

    def optimizer(self, settings, parameters, adam):
        """DCLR with Adam's own arguments."""
        return DCLR(parameters, rule(settings), **adam)


DCLR_RATE = DclrRate()
