"""GeoLIP x3 (reconstructed), the student: a vision transformer that learns a soup from pixels."""

from train_gpt_style.kit.system import System
from train_gpt_style.soup_student.knobs import BASELINE_KNOBS, check, data


def load_features():
    """Every feature; imported late, since they need torch."""
    from train_gpt_style.soup_student.features import FEATURES

    return FEATURES


SYSTEM = System(
    package=__name__,
    baseline_knobs=BASELINE_KNOBS,
    load_features=load_features,
    data=data,
    check=check,
    paths=("DATA_DIR", "TARGETS", "SOUP"),
    help="""\
Learn the embedding of a frozen soup from pixels alone; no pretrained weight is loaded.

The targets are pretrained networks' all the same: `python -m train_gpt_style.soup.targets`
makes them of a trained soup. Without DATA_DIR and TARGETS both are synthetic.
example: DATA_DIR=data/experts/images TARGETS=targets.safetensors IMG_SIZE=32 PATCH_SIZE=4 \\
  python -m train_gpt_style.soup_student
""",
)
