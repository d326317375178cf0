"""The constants of the training code, each beside the real number that it stands for.

`theorems/Constants.v` is generated from CONSTANTS, so the proofs are about these very doubles.
A spelling is not innocent: PHI**-3/2, 1/(2*PHI**3), (PHI-1)**3/2 and (5**.5-2)/2 are four
different doubles, and only one is nearest to phi^-3/2. Literals below are what is proved nearest.
"""

from verify.constants import PHI as PHI_REAL
from verify.constants import Constant, decimal

PHI = 1.618033988749895
INV_PHI = 0.6180339887498949
INV_PHI_CUBED = 0.2360679774997897
ALPHA_PHI = 0.11803398874989485
PHI_LR_SCALE_VALUE = 2.9508497187473712
UT_LOOPS_PHI = 4

# Coefficients of the quintic Newton-Schulz iteration that Muon orthogonalises with: chosen by
# hand by its author, so that the slope at zero is large. They are decimals, nothing golden.
NS_A, NS_B, NS_C = 3.4445, -4.7750, 2.0315


def _decimal(name: str, text: str, meaning: str) -> Constant:
    """A constant that the code spells as this decimal literal."""
    return Constant(name, float(text), decimal(text), meaning)


CONSTANTS: tuple[Constant, ...] = (
    Constant("PHI", PHI, PHI_REAL, "the golden ratio"),
    Constant("INV_PHI", INV_PHI, 1 / PHI_REAL, "1 / phi, row norm of the frozen PhiNTA matrix"),
    Constant("INV_PHI_CUBED", INV_PHI_CUBED, PHI_REAL**-3, "phi^-3"),
    Constant("ALPHA_PHI", ALPHA_PHI, PHI_REAL**-3 / 2, "alpha_phi = phi^-3 / 2, a learning rate"),
    Constant(
        "PHI_LR_SCALE_VALUE",
        PHI_LR_SCALE_VALUE,
        PHI_REAL**-3 / 2 / decimal("0.04"),
        "alpha_phi / 0.04, the factor that puts the default MATRIX_LR on alpha_phi",
    ),
    Constant("UT_LOOPS_PHI", UT_LOOPS_PHI, PHI_REAL**3, "how often a looped block is applied"),
    Constant("NS_A", NS_A, decimal("3.4445"), "Newton-Schulz coefficient of x"),
    Constant("NS_B", NS_B, decimal("-4.7750"), "Newton-Schulz coefficient of x^3"),
    Constant("NS_C", NS_C, decimal("2.0315"), "Newton-Schulz coefficient of x^5"),
    _decimal("MUON_EPS", "1e-7", "added to the norm before Newton-Schulz"),
    _decimal("TTT_ADAM_EPS", "1e-10", "Adam's epsilon in test-time training"),
    _decimal("INT8_CLIP_QUANTILE", "0.9999984", "quantile of |w| that int8 export clips at"),
    _decimal("WARMDOWN_FLOOR_MS", "1e-9", "keeps the warm-down from dividing by zero"),
    _decimal("PHINTA_SPREAD", "0.1", "width of the uniform draw behind the frozen matrix"),
    _decimal("PHINTA_NORM_FLOOR", "1e-6", "least row norm to divide by; least of some ranges"),
    _decimal("PHINTA_A_STD", "0.02", "standard deviation of PhiNTA's down-projection"),
    _decimal("CORPUS_COVERAGE", "0.9995", "character coverage of the corpus's tokenizer"),
    _decimal("CORPUS_OVERLAP", "0.9", "share of its length at which a part of a work may end"),
    _decimal("PROBE_COVERAGE", "0.98", "character coverage of the probe's tokenizer"),
    _decimal("SMOKE_STEP", "0.01", "step of the published loop check, 1.01^4"),
)
