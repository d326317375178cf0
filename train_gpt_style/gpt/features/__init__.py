"""The one list of features. To add one: a file beside this one, an import and a name below.

The order is the order of installation: where two features wrap a block, the earlier is inside.
Of two that observe, the earlier is told first: a checkpoint holds what the others wrote.
"""

from train_gpt_style.gpt.features.e2e_ttt import E2E_TTT
from train_gpt_style.gpt.features.invariant import INVARIANT
from train_gpt_style.gpt.features.jepa import JEPA
from train_gpt_style.gpt.features.muon_products import MUON_PRODUCTS
from train_gpt_style.gpt.features.muon_stacked import MUON_STACKED
from train_gpt_style.gpt.features.phi_lr import PHI_LR
from train_gpt_style.gpt.features.phinta import PHINTA
from train_gpt_style.gpt.features.ttt_packed import TTT_PACKED
from train_gpt_style.gpt.features.ut import UT
from train_gpt_style.gpt.seams import GatedFeature
from train_gpt_style.kit.features import of_every_system

AUTOCAST, FINITE, RUN_LOG, CHECKPOINT = of_every_system({"MATRIX_LR": "1e38"}, GatedFeature)

FEATURES = (
    AUTOCAST,
    TTT_PACKED,
    PHINTA,
    UT,
    JEPA,
    PHI_LR,
    MUON_PRODUCTS,
    MUON_STACKED,
    E2E_TTT,
    INVARIANT,
    FINITE,
    RUN_LOG,
    CHECKPOINT,
)
