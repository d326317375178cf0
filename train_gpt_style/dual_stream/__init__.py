"""GeoLIP dual stream (reconstructed): the frozen baseline in modules, features by knob."""

from train_gpt_style.dual_stream.knobs import BASELINE_KNOBS, check, data
from train_gpt_style.kit.system import System

HELP = """\
Trains the GeoLIP dual-stream ViT (reconstructed). Without DATA_DIR images and labels are synthetic,
and accuracy is chance.

example: EPOCHS=2 BATCH=32 python -m train_gpt_style.dual_stream

`presets` lists the published runs as sets of variables, with their counts; `scan` makes the eight
scans of a checkpoint and a diagnosis; `scalars` turns a run log into TensorBoard's scalars.
"""


def load_features():
    """Every feature; imported late, since they need torch."""
    from train_gpt_style.dual_stream.features import FEATURES

    return FEATURES


SYSTEM = System(
    package=__name__,
    baseline_knobs=BASELINE_KNOBS,
    load_features=load_features,
    data=data,
    check=check,
    paths=("DATA_DIR",),
    help=HELP,
    commands={name: f"{__name__}.tools.{name}:main" for name in ("presets", "scan", "scalars")},
)
