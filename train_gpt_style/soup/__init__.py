"""GeoLIP x3 (reconstructed), the teacher: pretrained experts fused into a soup on a sphere."""

from train_gpt_style.kit.system import System
from train_gpt_style.soup.knobs import BASELINE_KNOBS, check, data


def load_features():
    """Every feature; imported late, since they need torch."""
    from train_gpt_style.soup.features import FEATURES

    return FEATURES


SYSTEM = System(
    package=__name__,
    baseline_knobs=BASELINE_KNOBS,
    load_features=load_features,
    data=data,
    check=check,
    paths=("EXPERTS",),
    help="""\
Fuse tables of pretrained features into one embedding on a sphere, read off by anchors.

`python -m train_gpt_style.kit.data experts` makes the tables; without EXPERTS they are synthetic.
example: EXPERTS=data/experts/tables SOUP_EPOCHS=5 python -m train_gpt_style.soup

Embed images with a trained student:
  python -m train_gpt_style.soup embed IMAGES... -o table.safetensors --student WEIGHTS
""",
    commands={"embed": "train_gpt_style.soup_student.embed:main"},
)
