"""The numbers of this system that binary cannot hold exactly: docs/theorems.md.

The code imports the names, and each has a theorem. STUDENT_KNOB_X is the default of the knob X.
"""

from goldenseal.coq.constants import spelled

STUDENT_KNOB_LR = 3e-4
STUDENT_KNOB_NCE_TEMP = 0.07
STUDENT_KNOB_AUTOGRAD_TANG = 0.01

CONSTANTS = (
    spelled("STUDENT_KNOB_LR", STUDENT_KNOB_LR, "Adam, learning rate of the student"),
    spelled("STUDENT_KNOB_NCE_TEMP", STUDENT_KNOB_NCE_TEMP, "temperature of its InfoNCE"),
    spelled("STUDENT_KNOB_AUTOGRAD_TANG", STUDENT_KNOB_AUTOGRAD_TANG, "removed radial share"),
)
