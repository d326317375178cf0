"""The one list of features. To add one: a file beside this one, an import and a name below.

Of two that observe, the earlier is told first: a checkpoint holds what the others wrote.
"""

from train_gpt_style.credit.features.architecture import ARCHITECTURE, OUT_LN
from train_gpt_style.credit.features.measure import MEASURE
from train_gpt_style.credit.features.method import METHOD
from train_gpt_style.credit.features.penalty import PENALTY
from train_gpt_style.credit.features.targets import RANDOM_TARGETS
from train_gpt_style.credit.seams import GatedFeature
from train_gpt_style.kit.features import of_every_system

AUTOCAST, FINITE, RUN_LOG, CHECKPOINT = of_every_system({"LR": "1e37"}, GatedFeature)

FEATURES = (
    *(AUTOCAST, ARCHITECTURE, OUT_LN, RANDOM_TARGETS, PENALTY, MEASURE, METHOD),
    *(FINITE, RUN_LOG, CHECKPOINT),
)
