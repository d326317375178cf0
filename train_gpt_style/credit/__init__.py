"""Credit assignment without backpropagation, trained beside it and audited: `--help` says how."""

from train_gpt_style.credit.knobs import BASELINE_KNOBS, check, data
from train_gpt_style.kit.system import System

HELP = """\
Trains a residual MLP by backpropagation, or by a cheaper credit: CREDIT_METHOD=dfa, fa,
state-bridge, credit-bridge, ep, frozen or dfa-shallow. DATA_DIR names IDX files (Fashion-MNIST),
or CIFAR's binary batches; without it a synthetic teacher makes the data. With RUN_LOG=1 every test
is a line of train.jsonl, which CREDIT_MEASURE=1024 tells norms and cosines of each layer.

example: a run, the same by another credit, and a judgement of what was trained
  DATA_DIR=data/fashion-mnist ROLL=1 STEPS=900 python -m train_gpt_style.credit
  CREDIT_METHOD=dfa CREDIT_PENALTY=0.01 STEPS=900 python -m train_gpt_style.credit
  python -m train_gpt_style.credit audit --help
  python -m train_gpt_style.credit replay --help   # when each diagnostic first fired, from logs
  python -m train_gpt_style.credit published   # what others published, against its own numbers
"""


def load_features():
    """Every feature; imported late, since they need torch."""
    from train_gpt_style.credit.features import FEATURES

    return FEATURES


SYSTEM = System(
    package=__name__,
    baseline_knobs=BASELINE_KNOBS,
    load_features=load_features,
    data=data,
    check=check,
    paths=("DATA_DIR",),
    help=HELP,
    commands={
        "audit": f"{__name__}.audit.command:main",
        "replay": f"{__name__}.audit.trajectories:main",
        "published": f"{__name__}.protocol.published:main",
    },
)
