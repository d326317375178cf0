"""The toy, a line through noise: all that a system is. The guide is docs/add-a-system.md."""

from goldenseal.knobs import Knob
from train_gpt_style.kit.system import System

BASELINE_KNOBS = (
    Knob("SEED", int, 7, "seed of every random draw", 0, 2**32 - 1),
    Knob("STEPS", int, 4, "length of the run", 0, unit="steps"),
    Knob("LR", float, 0.125, "Adam, learning rate", 0.0),
)


def load_features():
    from tests.train_gpt_style.toy.features import FEATURES  # needs torch, so not above

    return FEATURES


HELP = "Fits a line to noise.\n\nexample: STEPS=3 python -m tests.train_gpt_style.toy"
SYSTEM = System(__name__, BASELINE_KNOBS, load_features, help=HELP)
