"""The numbers of this system that binary cannot hold exactly: docs/theorems.md.

The code imports the names, and each has a theorem. SOUP_KNOB_X is the default of the knob X.
"""

from goldenseal.coq.constants import spelled

SOUP_KNOB_LR = 1e-3
SOUP_KNOB_GPA_TOL = 1e-6
SOUP_KNOB_WHITEN_FLOOR = 1e-6
SOUP_KNOB_AUTOGRAD_TANG = 0.01
SOUP_KNOB_NCE_TEMP = 0.07

CONSTANTS = (
    spelled("SOUP_KNOB_LR", SOUP_KNOB_LR, "Adam, learning rate of the soup"),
    spelled("SOUP_KNOB_GPA_TOL", SOUP_KNOB_GPA_TOL, "relative change at which GPA ends"),
    spelled("SOUP_KNOB_WHITEN_FLOOR", SOUP_KNOB_WHITEN_FLOOR, "least share of a whitened variance"),
    spelled("SOUP_KNOB_AUTOGRAD_TANG", SOUP_KNOB_AUTOGRAD_TANG, "removed radial share"),
    spelled("SOUP_KNOB_NCE_TEMP", SOUP_KNOB_NCE_TEMP, "temperature of the soup's InfoNCE"),
)
