"""The one list of features: those of every system, and none of its own."""

from train_gpt_style.kit.features import of_every_system

FEATURES = of_every_system({"LR": "1e37"})
