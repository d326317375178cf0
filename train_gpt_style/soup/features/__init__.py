"""The one list of features. To add one: a file beside this one, an import and a name below.

Of two that observe, the earlier is told first: a checkpoint holds what the others wrote.
"""

from train_gpt_style.kit.features import of_every_system
from train_gpt_style.soup.features.anchor_freeze import ANCHOR_FREEZE
from train_gpt_style.soup.features.anchor_init import ANCHOR_INIT
from train_gpt_style.soup.features.autograd import AUTOGRAD
from train_gpt_style.soup.features.calibrate import CALIBRATE
from train_gpt_style.soup.features.cv import CV
from train_gpt_style.soup.features.gpa import GPA
from train_gpt_style.soup.features.nce import CONSENSUS_NCE
from train_gpt_style.soup.features.scan import SCAN
from train_gpt_style.soup.features.subset import SUBSET
from train_gpt_style.soup.seams import GatedFeature

AUTOCAST, FINITE, RUN_LOG, CHECKPOINT = of_every_system({"SOUP_LR": "1e38"}, GatedFeature)

FEATURES = (
    *(SUBSET, AUTOCAST, GPA, CALIBRATE, ANCHOR_INIT, ANCHOR_FREEZE, AUTOGRAD, CV, CONSENSUS_NCE),
    *(FINITE, SCAN, RUN_LOG, CHECKPOINT),
)
