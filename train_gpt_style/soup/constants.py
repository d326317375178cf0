"""The numbers of this system that binary cannot hold exactly: docs/theorems.md.

The code imports the names, and each has a theorem. SOUP_KNOB_X is the default of the knob X.
"""

from verify.constants import spelled

SOUP_KNOB_LR = 1e-3

CONSTANTS = (spelled("SOUP_KNOB_LR", SOUP_KNOB_LR, "Adam, learning rate of the soup"),)
