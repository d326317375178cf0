"""The numbers of this system that binary cannot hold exactly: docs/theorems.md.

The code imports the names, and each has a theorem. VIT_KNOB_X is the default of the knob X.
"""

from goldenseal.coq.constants import spelled

VIT_INIT_STD = 0.02
VIT_NORM_EPS = 1e-6

VIT_KNOB_LR = 5e-4
VIT_KNOB_BETA1 = 0.9
VIT_KNOB_BETA2 = 0.999
VIT_KNOB_ADAM_EPS = 1e-8
VIT_KNOB_DCLR_MEMORY = 0.9
VIT_KNOB_COUPLER_CAP = 0.1

FLUX_MEMORY = 0.9
COSINE_FLOOR = 1e-12

STUDY_ALPHA = 0.05
STUDY_CONFIDENCE = 0.95
STUDY_MARGIN = 0.01
STUDY_LOSS_MARGIN = 0.01
STUDY_PRESUMED = 0.02

CONSTANTS = (
    spelled("VIT_INIT_STD", VIT_INIT_STD, "standard deviation of initial weights, truncated"),
    spelled("VIT_NORM_EPS", VIT_NORM_EPS, "added to the variance in layer norms"),
    spelled("VIT_KNOB_LR", VIT_KNOB_LR, "Adam, learning rate"),
    spelled("VIT_KNOB_BETA1", VIT_KNOB_BETA1, "Adam, mean of gradients"),
    spelled("VIT_KNOB_BETA2", VIT_KNOB_BETA2, "Adam, mean of their squares"),
    spelled("VIT_KNOB_ADAM_EPS", VIT_KNOB_ADAM_EPS, "Adam, added to the denominator"),
    spelled("VIT_KNOB_DCLR_MEMORY", VIT_KNOB_DCLR_MEMORY, "memory of the cosine's average"),
    spelled("VIT_KNOB_COUPLER_CAP", VIT_KNOB_COUPLER_CAP, "largest drift at K = 1, rad"),
    spelled("FLUX_MEMORY", FLUX_MEMORY, "memory of the average of |change of drift|"),
    spelled("COSINE_FLOOR", COSINE_FLOOR, "keeps the cosine of a zero gradient from dividing by 0"),
    spelled("STUDY_ALPHA", STUDY_ALPHA, "significance level of the energy study"),
    spelled("STUDY_CONFIDENCE", STUDY_CONFIDENCE, "confidence of the energy study's intervals"),
    spelled("STUDY_MARGIN", STUDY_MARGIN, "margin of equal costs in the energy study, log-ratio"),
    spelled("STUDY_LOSS_MARGIN", STUDY_LOSS_MARGIN, "margin of equal losses in the energy study"),
    spelled("STUDY_PRESUMED", STUDY_PRESUMED, "spread that the energy study's size presumes"),
)
