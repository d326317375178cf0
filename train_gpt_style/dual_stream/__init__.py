"""GeoLIP dual stream (reconstructed): the frozen baseline in modules, features by knob."""

from train_gpt_style.dual_stream.knobs import BASELINE_KNOBS, check, data
from train_gpt_style.kit.system import System


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
)
