"""The candidate GPT: the frozen baseline in readable modules, with features behind knobs."""

from train_gpt_style.gpt.knobs import BASELINE_KNOBS, check, data
from train_gpt_style.kit.system import System

HELP = """\
Trains the GPT, writes logs/RUN_ID.txt, final_model.safetensors and final_model.int8.safetensors.z
into the current folder, and measures what it wrote. On several ranks:
    [NAME=value ...] torchrun --standalone --nproc_per_node=N -m train_gpt_style.gpt

example: ITERATIONS=200 MODEL_DIM=128 MAX_WALLCLOCK_SECONDS=0 python -m train_gpt_style.gpt
"""


def load_features():
    """Every feature; imported late, since they need torch."""
    from train_gpt_style.gpt.features import FEATURES

    return FEATURES


SYSTEM = System(
    package=__name__,
    baseline_knobs=BASELINE_KNOBS,
    load_features=load_features,
    data=data,
    check=check,
    paths=("DATA_PATH", "TOKENIZER_PATH"),
    help=HELP,
)
