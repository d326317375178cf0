"""The one list of features. To add one: a file beside this one, an import and a name below.

Of two that observe, the earlier is told first: a checkpoint holds what the others wrote.
"""

from train_gpt_style.kit.features import of_every_system
from train_gpt_style.soup_student.features.align import ALIGN
from train_gpt_style.soup_student.features.autograd import AUTOGRAD
from train_gpt_style.soup_student.features.bce import BCE
from train_gpt_style.soup_student.features.cv import CV
from train_gpt_style.soup_student.features.judge import JUDGE
from train_gpt_style.soup_student.features.scan import SCAN
from train_gpt_style.soup_student.seams import GatedFeature

AUTOCAST, FINITE, RUN_LOG, CHECKPOINT = of_every_system({"LR": "1e38"}, GatedFeature)

FEATURES = (AUTOCAST, AUTOGRAD, BCE, JUDGE, ALIGN, CV, FINITE, SCAN, RUN_LOG, CHECKPOINT)
