"""The numbers of the geometry that binary cannot hold exactly: docs/theorems.md."""

from goldenseal.coq.constants import spelled

GEO_CV_EPS = 1e-8
GEO_VOLUME_FLOOR = 1e-20
GEO_NORM_EPS = 1e-12
GEO_DEFORM = 0.05
GEO_REPULSION = 0.05
GEO_READOUT_DROPOUT = 0.1
GEO_SELF_SIMILAR = 0.9

CONSTANTS = (
    spelled("GEO_CV_EPS", GEO_CV_EPS, "added to the mean volume under the deviation"),
    spelled("GEO_VOLUME_FLOOR", GEO_VOLUME_FLOOR, "squared volumes at or below it are dropped"),
    spelled("GEO_NORM_EPS", GEO_NORM_EPS, "least length that a vector is divided by"),
    spelled("GEO_DEFORM", GEO_DEFORM, "how far a token moves the template of a simplex"),
    spelled("GEO_REPULSION", GEO_REPULSION, "step by which anchors leave their nearest"),
    spelled("GEO_READOUT_DROPOUT", GEO_READOUT_DROPOUT, "dropout before a readout's logits"),
    spelled("GEO_SELF_SIMILAR", GEO_SELF_SIMILAR, "mean cosine above which a cloud collapsed"),
)
