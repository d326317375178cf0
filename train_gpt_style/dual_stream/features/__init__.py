"""The one list of features. To add one: a file beside this one, an import and a name below.

Of two that observe, the earlier is told first: a checkpoint holds what the others wrote.
"""

from train_gpt_style.dual_stream.features.cross import CROSS
from train_gpt_style.dual_stream.features.gal import GAL
from train_gpt_style.dual_stream.features.heads import GEO_BCE, GEO_DIV, GEO_HEAD
from train_gpt_style.dual_stream.features.mastery import (
    MASTERY,
    NCE_AFTER,
    NCE_SCOPE,
    QUEUE_ADAPT,
)
from train_gpt_style.dual_stream.features.scan import SCAN
from train_gpt_style.dual_stream.features.shaping import AUTOGRAD
from train_gpt_style.dual_stream.features.volumes import ANCHOR_CV, CM, CV, SPREAD
from train_gpt_style.dual_stream.features.warm import WARM
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.kit.features import of_every_system

AUTOCAST, FINITE, RUN_LOG, CHECKPOINT = of_every_system({"LR": "1e38"}, GatedFeature)

FEATURES = (
    *(AUTOCAST, GEO_HEAD, NCE_SCOPE, CROSS, GEO_BCE, GEO_DIV, AUTOGRAD, CV, ANCHOR_CV, CM, SPREAD),
    *(MASTERY, QUEUE_ADAPT, NCE_AFTER, GAL, WARM),
    *(FINITE, SCAN, RUN_LOG, CHECKPOINT),
)
