"""The numbers of this system that binary cannot hold exactly: docs/theorems.md.

The code imports the names, and each has a theorem. DUAL_KNOB_X is the default of the knob X.
"""

from goldenseal.coq.constants import spelled

DUAL_INIT_STD = 0.02
DUAL_DROPOUT = 0.1
DUAL_CM_FLOOR_MOST = 0.02

DUAL_KNOB_ANCHOR_DROP = 0.1
DUAL_KNOB_INFONCE_TEMP = 0.07
DUAL_KNOB_LR = 3e-4
DUAL_KNOB_WEIGHT_DECAY = 0.01
DUAL_KNOB_AUTOGRAD_SEP = 0.1
DUAL_KNOB_CV_TARGET = 0.22
DUAL_KNOB_MARGIN_START = 0.1
DUAL_KNOB_MARGIN_END = 0.3
DUAL_KNOB_GEO_DIV_COS = 0.8
DUAL_KNOB_GAL_LR = 0.015

BAND_LOW = 0.2
BAND_HIGH = 0.23
COLLAPSE_SIMILARITY = 0.9
COLLAPSE_SHARE = 0.05

CONSTANTS = (
    spelled("DUAL_INIT_STD", DUAL_INIT_STD, "standard deviation of initial weights, truncated"),
    spelled("DUAL_DROPOUT", DUAL_DROPOUT, "share of hidden units dropped in the classifier"),
    spelled("DUAL_CM_FLOOR_MOST", DUAL_CM_FLOOR_MOST, "largest floor of squared volumes"),
    spelled("DUAL_KNOB_ANCHOR_DROP", DUAL_KNOB_ANCHOR_DROP, "share of anchors dropped"),
    spelled("DUAL_KNOB_INFONCE_TEMP", DUAL_KNOB_INFONCE_TEMP, "temperature of InfoNCE"),
    spelled("DUAL_KNOB_LR", DUAL_KNOB_LR, "AdamW, learning rate"),
    spelled("DUAL_KNOB_WEIGHT_DECAY", DUAL_KNOB_WEIGHT_DECAY, "AdamW, weight decay"),
    spelled("DUAL_KNOB_AUTOGRAD_SEP", DUAL_KNOB_AUTOGRAD_SEP, "strength of the separation"),
    spelled("DUAL_KNOB_CV_TARGET", DUAL_KNOB_CV_TARGET, "CV that the loss asks for"),
    spelled("DUAL_KNOB_MARGIN_START", DUAL_KNOB_MARGIN_START, "mastery margin at activation"),
    spelled("DUAL_KNOB_MARGIN_END", DUAL_KNOB_MARGIN_END, "mastery margin at last"),
    spelled("DUAL_KNOB_GEO_DIV_COS", DUAL_KNOB_GEO_DIV_COS, "cosine allowed in a class"),
    spelled("DUAL_KNOB_GAL_LR", DUAL_KNOB_GAL_LR, "step of the arbitration's anchors"),
    spelled("BAND_LOW", BAND_LOW, "lower end of the published CV band"),
    spelled("BAND_HIGH", BAND_HIGH, "upper end of the published CV band"),
    spelled("COLLAPSE_SIMILARITY", COLLAPSE_SIMILARITY, "self-similarity of a collapsed cloud"),
    spelled("COLLAPSE_SHARE", COLLAPSE_SHARE, "share of anchors in use, and of entropy, likewise"),
)
