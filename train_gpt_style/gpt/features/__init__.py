"""The one list of features. To add one: a file beside this one, an import and a name below.

The order is the order of installation: where two features wrap a block, the earlier is inside.
Of two that observe, the earlier is told first: a checkpoint holds what the others wrote.
"""

from train_gpt_style.gpt.features.autocast import AUTOCAST
from train_gpt_style.gpt.features.checkpoint import CHECKPOINT
from train_gpt_style.gpt.features.e2e_ttt import E2E_TTT
from train_gpt_style.gpt.features.finite import FINITE
from train_gpt_style.gpt.features.invariant import INVARIANT
from train_gpt_style.gpt.features.jepa import JEPA
from train_gpt_style.gpt.features.phi_lr import PHI_LR
from train_gpt_style.gpt.features.phinta import PHINTA
from train_gpt_style.gpt.features.runlog import RUN_LOG
from train_gpt_style.gpt.features.ttt_packed import TTT_PACKED
from train_gpt_style.gpt.features.ut import UT

FEATURES = (
    AUTOCAST,
    TTT_PACKED,
    PHINTA,
    UT,
    JEPA,
    PHI_LR,
    E2E_TTT,
    INVARIANT,
    FINITE,
    RUN_LOG,
    CHECKPOINT,
)


def switched_on(settings):
    """The features whose master differs from its default, in order of installation."""
    return [feature for feature in FEATURES if settings.is_on(feature.declaration)]
