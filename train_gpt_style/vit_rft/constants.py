"""The defaults of this system's float knobs as constants, so that each has its theorem.

A default whose value the kit or another system has proved already needs no second theorem.
"""

from fractions import Fraction

from train_gpt_style.gpt import constants as gpt
from train_gpt_style.kit import constants as kit
from train_gpt_style.vit_rft.settings import KNOBS
from verify.constants import Constant, decimal


def knob_defaults() -> list[Constant]:
    """One constant for each float default that is not exact in binary and not proved elsewhere."""
    proved = {constant.value for constant in (*kit.CONSTANTS, *gpt.knob_defaults())}
    return [
        Constant(f"VIT_KNOB_{knob.name}", knob.default, decimal(repr(knob.default)), knob.effect)
        for knob in KNOBS
        if knob.type is float
        and knob.default not in proved
        and Fraction(repr(knob.default)) != Fraction(knob.default)
    ]
