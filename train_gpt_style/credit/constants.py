"""The numbers of this system that binary cannot hold exactly: docs/theorems.md.

The code imports the names, and each has a theorem. CREDIT_KNOB_X is the default of the knob X.
"""

from goldenseal.coq.constants import spelled

CREDIT_KNOB_W2_STD = 0.01
CREDIT_KNOB_LR = 1e-3
CREDIT_KNOB_WEIGHT_DECAY = 0.01
CREDIT_KNOB_BRIDGE_LR = 1e-3
CREDIT_KNOB_BRIDGE_SIGMA = 0.1
CREDIT_KNOB_BRIDGE_TAU = 0.1
CREDIT_KNOB_BRIDGE_DECAY = 0.99
CREDIT_KNOB_BRIDGE_WARMUP = 0.2
CREDIT_KNOB_EP_BETA = 0.1
CREDIT_KNOB_EP_RATE = 0.3
CREDIT_KNOB_EP_TOLERANCE = 0.01

CREDIT_RMS_FLOOR = 1e-6
VIT_POSITION_STD = 0.02
CREDIT_RHO_STEP = 1e-3
CREDIT_NUDGE = 0.01
CREDIT_VANISHED = 1e-6
CREDIT_FLOOR = 1e-7
CREDIT_STABLE = 0.30
CREDIT_MARGIN = 0.02

FASHION_MEAN = 0.2860
FASHION_SD = 0.3530
CIFAR_MEAN_RED = 0.4914
CIFAR_MEAN_GREEN = 0.4822
CIFAR_MEAN_BLUE = 0.4465
CIFAR_SD_RED = 0.2470
CIFAR_SD_GREEN = 0.2435
CIFAR_SD_BLUE = 0.2616

CONSTANTS = (
    spelled("CREDIT_KNOB_W2_STD", CREDIT_KNOB_W2_STD, "standard deviation of w2 at the start"),
    spelled("CREDIT_KNOB_LR", CREDIT_KNOB_LR, "AdamW, learning rate at the start"),
    spelled("CREDIT_KNOB_WEIGHT_DECAY", CREDIT_KNOB_WEIGHT_DECAY, "AdamW, weight decay"),
    spelled("CREDIT_KNOB_BRIDGE_LR", CREDIT_KNOB_BRIDGE_LR, "AdamW of the bridges, learning rate"),
    spelled("CREDIT_KNOB_BRIDGE_SIGMA", CREDIT_KNOB_BRIDGE_SIGMA, "credit bridge, noise on states"),
    spelled("CREDIT_KNOB_BRIDGE_TAU", CREDIT_KNOB_BRIDGE_TAU, "credit bridge, temperature"),
    spelled("CREDIT_KNOB_BRIDGE_DECAY", CREDIT_KNOB_BRIDGE_DECAY, "credit bridge, memory of V"),
    spelled(
        "CREDIT_KNOB_BRIDGE_WARMUP", CREDIT_KNOB_BRIDGE_WARMUP, "credit bridge, part under DFA"
    ),
    spelled("CREDIT_KNOB_EP_BETA", CREDIT_KNOB_EP_BETA, "equilibrium propagation, nudge"),
    spelled("CREDIT_KNOB_EP_RATE", CREDIT_KNOB_EP_RATE, "equilibrium propagation, relaxation step"),
    spelled("CREDIT_KNOB_EP_TOLERANCE", CREDIT_KNOB_EP_TOLERANCE, "relaxation that has settled"),
    spelled("CREDIT_RMS_FLOOR", CREDIT_RMS_FLOOR, "added to a credit's root mean square"),
    spelled(
        "VIT_POSITION_STD", VIT_POSITION_STD, "spread of positions and class token at the start"
    ),
    spelled("CREDIT_RHO_STEP", CREDIT_RHO_STEP, "step of the difference quotient of rho"),
    spelled("CREDIT_NUDGE", CREDIT_NUDGE, "length of the step against a credit"),
    spelled("CREDIT_VANISHED", CREDIT_VANISHED, "norm at which a gradient counts as vanished"),
    spelled("CREDIT_FLOOR", CREDIT_FLOOR, "diagnostic (b): norm of a mean gradient"),
    spelled("CREDIT_STABLE", CREDIT_STABLE, "diagnostic (c): mean pairwise cosine"),
    spelled("CREDIT_MARGIN", CREDIT_MARGIN, "diagnostic (d): accuracy above the frozen baseline"),
    spelled("FASHION_MEAN", FASHION_MEAN, "mean of Fashion-MNIST's pixels, of 0..1"),
    spelled("FASHION_SD", FASHION_SD, "standard deviation of Fashion-MNIST's pixels"),
    spelled("CIFAR_MEAN_RED", CIFAR_MEAN_RED, "mean of CIFAR's red channel, of 0..1"),
    spelled("CIFAR_MEAN_GREEN", CIFAR_MEAN_GREEN, "mean of CIFAR's green channel, of 0..1"),
    spelled("CIFAR_MEAN_BLUE", CIFAR_MEAN_BLUE, "mean of CIFAR's blue channel, of 0..1"),
    spelled("CIFAR_SD_RED", CIFAR_SD_RED, "standard deviation of CIFAR's red channel"),
    spelled("CIFAR_SD_GREEN", CIFAR_SD_GREEN, "standard deviation of CIFAR's green channel"),
    spelled("CIFAR_SD_BLUE", CIFAR_SD_BLUE, "standard deviation of CIFAR's blue channel"),
)
