"""The baseline's knobs, and what must not be set together.

Names, defaults and ranges are those of the frozen baseline; a gate holds them there.
"""

from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.knobs import Knob, Settings
from train_gpt_style.soup.constants import SOUP_KNOB_LR

BASELINE_KNOBS = (
    # data and run
    Knob("EXPERTS", str, "", "folder of tables, one an expert, and labels; empty: synthetic"),
    Knob("SEED", int, 1234, "seed of every random draw", 0, 2**63 - 1),
    Knob("SOUP_EPOCHS", int, 20, "length of the run", 0, unit="epochs"),
    Knob("SOUP_BATCH", int, 512, "rows a step; the last of an epoch may be shorter", 1),
    Knob("EVAL_EVERY", int, 1, "validate at this cadence; 0: at the end", 0, unit="epochs"),
    Knob("LOG_EVERY", int, 10, "print the loss at this cadence; 0: never", 0, unit="steps"),
    Knob("SYNTHETIC_ROWS", int, 2048, "training rows when synthetic", 2),
    # model
    Knob("N_EXPERTS", int, 3, "how many experts there must be", 1),
    Knob("EXPERT_DIM", int, 768, "columns of a synthetic expert; common width of GPA", 1),
    Knob("OUTPUT_DIM", int, 128, "dimension of the sphere", 2),
    Knob("N_ANCHORS", int, 256, "anchors; a multiple of N_COMP", 1),
    Knob("N_COMP", int, 8, "compartments of the patchwork", 1),
    Knob("D_COMP", int, 64, "width of a compartment", 1),
    Knob("CLASSES", int, 0, "outputs; 0: as many as the data has, 80 when synthetic", 0),
    # optimizer
    Knob("SOUP_LR", float, SOUP_KNOB_LR, "Adam, learning rate", 0.0),
)


def data(settings: Settings) -> dict[str, int]:
    """Name and size in bytes of each table; nothing when data is synthetic."""
    if not settings.experts:
        return {}
    files = sorted(Path(settings.experts).glob("*.safetensors"))
    return {path.name: path.stat().st_size for path in files}


def check(s: Settings) -> None:
    """Raise UsageError when baseline knobs contradict each other."""
    if s.n_anchors % s.n_comp:
        raise UsageError(f"N_COMP={s.n_comp} must divide N_ANCHORS={s.n_anchors}")
