"""Small tables for the gates, and the scenarios that use them; the same on every call."""

from pathlib import Path

import numpy as np
import torch

from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.tables import LABELS

ROWS, CLASSES = {"train": 13, "val": 7}, 3
WIDTHS = {"first": 6, "second": 9, "third": 5}
IMAGES = "0123456789abcdef" * 8  # the digest of no image set


def tables() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """(train, val) by name: experts that see one hidden cloud, and labels of several classes."""
    rng = np.random.default_rng(1597)
    count = sum(ROWS.values())
    label = np.arange(count) % CLASSES
    hidden = rng.standard_normal((CLASSES, 4))[label] + 0.25 * rng.standard_normal((count, 4))
    found = {}
    for name, width in WIDTHS.items():
        rows = hidden @ rng.standard_normal((4, width)) + 0.125 * rng.standard_normal(
            (count, width)
        )
        found[name] = torch.from_numpy(rows.astype(np.float32)).split(list(ROWS.values()))
    labels = np.eye(CLASSES, dtype=np.uint8)[label]
    labels[::4, 0] = 1  # several labels a row
    found["labels"] = torch.from_numpy(labels).split(list(ROWS.values()))
    return found


def write(folder: Path) -> dict[str, str]:
    """Write the tables; returns the environment that points to them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (train, val) in tables().items():
        (folder / f"{name}.safetensors").write_bytes(table_bytes(train, val, {"images": IMAGES}))
    (folder / "readme.txt").write_text("no table")
    assert (folder / LABELS).is_file()
    return {"EXPERTS": str(folder)}


# A whole run, with validation, takes a tenth of a second.
TINY = {
    "SOUP_EPOCHS": "2",
    "SOUP_BATCH": "7",  # two batches an epoch, the last of six rows
    "EVAL_EVERY": "1",
    "LOG_EVERY": "1",
    "EXPERT_DIM": "6",
    "OUTPUT_DIM": "6",
    "N_ANCHORS": "6",
    "N_COMP": "2",
    "D_COMP": "3",
    "SOUP_LR": "0.0078125",
}

SCENARIOS = {
    "tables": {**TINY, "SOUP_BATCH": "6"},  # three batches an epoch, the last of one row
    "synthetic": {
        **TINY,
        "EXPERTS": "",
        "SYNTHETIC_ROWS": "9",
        "N_EXPERTS": "2",
        "EXPERT_DIM": "7",
        "SOUP_EPOCHS": "3",
        "SOUP_BATCH": "9",  # all rows
        "EVAL_EVERY": "2",
        "LOG_EVERY": "2",
        "CLASSES": "5",
        "SEED": str(2**63 - 1),  # the last that there is
    },
    "validated at each step": {
        **TINY,
        "EXPERTS": "",
        "SYNTHETIC_ROWS": "6",
        "SEED": "1598",
    },
    "one expert": {
        **TINY,
        "EXPERTS": "",
        "SYNTHETIC_ROWS": "6",
        "N_EXPERTS": "1",
        "N_COMP": "3",
        "SOUP_BATCH": "4",
        "SOUP_EPOCHS": "1",
        "EVAL_EVERY": "0",
        "LOG_EVERY": "0",
        "SEED": "1597",
    },
}
