"""The numbers of this system that binary cannot hold exactly, each beside the real it stands for.

`theorems/Constants.v` is generated from CONSTANTS, so the proofs are about these very doubles. The
code imports the names. A spelling is not innocent: PHI**-3/2, 1/(2*PHI**3), (PHI-1)**3/2 and
(5**.5-2)/2 are four different doubles, and only one is nearest to phi^-3/2. KNOB_X is the default
of the knob X.
"""

from goldenseal.coq.constants import PHI, Constant, decimal, spelled

INV_PHI = 0.6180339887498949
PHI_LR_SCALE_VALUE = 2.9508497187473712
UT_LOOPS_PHI = 4

# Coefficients of the quintic Newton-Schulz iteration that Muon orthogonalises with: chosen by
# hand by its author, so that the slope at zero is large. They are decimals, nothing golden.
NS_A, NS_B, NS_C = 3.4445, -4.7750, 2.0315
MUON_EPS = 1e-7

TTT_ADAM_EPS = 1e-10
INT8_CLIP_QUANTILE = 0.9999984

PHINTA_SPREAD = 0.1
PHINTA_NORM_FLOOR = 1e-6
PHINTA_A_STD = 0.02

LOGIT_SOFTCAP_LEAST = 1e-6
PHI_LR_SCALE_LEAST = 1e-6

KNOB_EMBED_LR = 0.6
KNOB_HEAD_LR = 0.008
KNOB_TIED_EMBED_LR = 0.05
KNOB_TIED_EMBED_INIT_STD = 0.005
KNOB_MATRIX_LR = 0.04
KNOB_SCALAR_LR = 0.04
KNOB_MUON_MOMENTUM = 0.95
KNOB_MUON_MOMENTUM_WARMUP_START = 0.85
KNOB_BETA1 = 0.9
KNOB_BETA2 = 0.95
KNOB_ADAM_EPS = 1e-8
KNOB_TTT_LORA_LR = 0.01

PROBE_COVERAGE = 0.98
SMOKE_STEP = 0.01

CONSTANTS = (
    Constant("INV_PHI", INV_PHI, 1 / PHI, "1 / phi, row norm of the frozen PhiNTA matrix"),
    Constant(
        "PHI_LR_SCALE_VALUE",
        PHI_LR_SCALE_VALUE,
        PHI**-3 / 2 / decimal("0.04"),
        "phi^-3 / 2 / 0.04, the factor that puts the default MATRIX_LR on phi^-3 / 2",
    ),
    Constant("UT_LOOPS_PHI", UT_LOOPS_PHI, PHI**3, "how often a looped block is applied"),
    spelled("NS_A", NS_A, "Newton-Schulz coefficient of x"),
    spelled("NS_B", NS_B, "Newton-Schulz coefficient of x^3"),
    spelled("NS_C", NS_C, "Newton-Schulz coefficient of x^5"),
    spelled("MUON_EPS", MUON_EPS, "added to the norm before Newton-Schulz"),
    spelled("TTT_ADAM_EPS", TTT_ADAM_EPS, "Adam's epsilon in test-time training"),
    spelled("INT8_CLIP_QUANTILE", INT8_CLIP_QUANTILE, "quantile of |w| that int8 export clips at"),
    spelled("PHINTA_SPREAD", PHINTA_SPREAD, "width of the uniform draw behind the frozen matrix"),
    spelled("PHINTA_NORM_FLOOR", PHINTA_NORM_FLOOR, "least row norm to divide by"),
    spelled("PHINTA_A_STD", PHINTA_A_STD, "standard deviation of PhiNTA's down-projection"),
    spelled("LOGIT_SOFTCAP_LEAST", LOGIT_SOFTCAP_LEAST, "least value of the knob LOGIT_SOFTCAP"),
    spelled("PHI_LR_SCALE_LEAST", PHI_LR_SCALE_LEAST, "least value of the knob PHI_LR_SCALE"),
    spelled("KNOB_EMBED_LR", KNOB_EMBED_LR, "Adam, embedding when not tied"),
    spelled("KNOB_HEAD_LR", KNOB_HEAD_LR, "Adam, head when not tied"),
    spelled("KNOB_TIED_EMBED_LR", KNOB_TIED_EMBED_LR, "Adam, embedding when tied"),
    spelled(
        "KNOB_TIED_EMBED_INIT_STD", KNOB_TIED_EMBED_INIT_STD, "initial spread of a tied embedding"
    ),
    spelled("KNOB_MATRIX_LR", KNOB_MATRIX_LR, "Muon, the blocks' matrices"),
    spelled("KNOB_SCALAR_LR", KNOB_SCALAR_LR, "Adam, vectors and control parameters"),
    spelled("KNOB_MUON_MOMENTUM", KNOB_MUON_MOMENTUM, "Muon's momentum after its warm-up"),
    spelled(
        "KNOB_MUON_MOMENTUM_WARMUP_START",
        KNOB_MUON_MOMENTUM_WARMUP_START,
        "Muon's momentum at step 0",
    ),
    spelled("KNOB_BETA1", KNOB_BETA1, "Adam, mean of gradients (also test-time)"),
    spelled("KNOB_BETA2", KNOB_BETA2, "Adam, mean of their squares (also test-time)"),
    spelled("KNOB_ADAM_EPS", KNOB_ADAM_EPS, "Adam, added to the denominator"),
    spelled("KNOB_TTT_LORA_LR", KNOB_TTT_LORA_LR, "Adam, adapters of test-time training"),
    spelled("PROBE_COVERAGE", PROBE_COVERAGE, "character coverage of the probe's tokenizer"),
    spelled("SMOKE_STEP", SMOKE_STEP, "step of the published loop check, 1.01^4"),
)
