"""The toy, a line through noise: all that a system is. The guide is docs/add-a-system.md."""

from goldenseal.knobs import Knob
from train_gpt_style.kit.system import System

BASELINE_KNOBS = (
    Knob("SEED", int, 7, "seed of every random draw", 0, 2**32 - 1),
    Knob("STEPS", int, 4, "length of the run", 0, unit="steps"),
    Knob("LR", float, 0.125, "Adam, learning rate", 0.0),
)


def load_features():
    from train_gpt_style.kit.features import of_every_system  # needs torch, so not above

    return of_every_system({"LR": "1e37"})  # that trips the guard; a feature of its own comes first


HELP = "Fits a line to noise.\n\nexample: STEPS=3 python -m tests.train_gpt_style.toy"
SYSTEM = System(__name__, BASELINE_KNOBS, load_features, help=HELP)
