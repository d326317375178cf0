"""The defaults of this system's float knobs as constants, so that each has its theorem.

A default that is one of the kit's constants (a golden one, say) is proved there.
"""

from fractions import Fraction

from train_gpt_style.gpt.settings import KNOBS
from train_gpt_style.kit import constants as kit
from verify.constants import Constant, decimal


def knob_defaults() -> list[Constant]:
    """One constant for each float default that is not exact in binary."""
    proved = {constant.value for constant in kit.CONSTANTS}
    return [
        Constant(f"KNOB_{knob.name}", knob.default, decimal(repr(knob.default)), knob.effect)
        for knob in KNOBS
        if knob.type is float
        and knob.default not in proved
        and Fraction(repr(knob.default)) != Fraction(knob.default)
    ]
