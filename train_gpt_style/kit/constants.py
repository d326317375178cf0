"""The numbers of the kit that binary cannot hold exactly; a system's own are in its constants.py.

The code imports the names, and each has a theorem: docs/theorems.md.
"""

from goldenseal.coq.constants import spelled

CORPUS_COVERAGE = 0.9995
CORPUS_OVERLAP = 0.9

EFFICIENTNET_NORM_EPS = 1e-3
MOBILENET_NORM_EPS = 1e-5

CONSTANTS = (
    spelled("CORPUS_COVERAGE", CORPUS_COVERAGE, "character coverage of the corpus's tokenizer"),
    spelled(
        "CORPUS_OVERLAP", CORPUS_OVERLAP, "share of its length at which a part of a work may end"
    ),
    spelled(
        "EFFICIENTNET_NORM_EPS", EFFICIENTNET_NORM_EPS, "added to variances by EfficientNet-Lite0"
    ),
    spelled("MOBILENET_NORM_EPS", MOBILENET_NORM_EPS, "added to variances by MobileNetV2"),
)
