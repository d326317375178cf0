"""Bad input for the gates: each kind spoils the good targets, or one setting, in one way."""

from collections.abc import Callable, Mapping
from pathlib import Path

import safetensors.torch
import torch

from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.image_sets import images_digest
from train_gpt_style.soup_student.probe_data import targets

# By kind: the settings that are wrong, and words that the error must hold.
SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "patches that do not divide the image": ({"PATCH_SIZE": "5"}, "PATCH_SIZE=5"),
    "heads that do not divide the width": ({"HEADS": "3"}, "HEADS=3"),
    "two channels": ({"CHANNELS": "2"}, "CHANNELS=2"),
    "images without targets": ({"TARGETS": "", "SOUP": ""}, "belong together"),
    "targets without images": ({"DATA_DIR": ""}, "belong together"),
    "a soup without targets": ({"DATA_DIR": "", "TARGETS": ""}, "SOUP needs TARGETS"),
    "no soup": ({"SOUP": "nowhere"}, "SOUP=nowhere: there is no such file"),
    "nothing to learn": ({"NCE_WEIGHT": "0", "MSE_WEIGHT": "0"}, "nothing to learn"),
    "another sphere": ({"OUTPUT_DIM": "6"}, "OUTPUT_DIM=6"),
    "no images": ({"DATA_DIR": "nowhere"}, "DATA_DIR=nowhere is no folder"),
    "no targets": ({"TARGETS": "nowhere"}, "nowhere: there is no such table"),
}


def with_nan(rows: torch.Tensor) -> torch.Tensor:
    """The third row is none."""
    rows = rows.clone()
    rows[2, 1] = float("inf")
    return rows


# By kind: what makes (train, val) of the good ones, whether they tell their images, and words.
TABLES: dict[str, tuple[Callable[..., tuple], str | None, str]] = {
    "targets that are no numbers": (
        lambda t, v: (with_nan(t), v),
        None,
        "row 2 of train is not finite",
    ),
    "targets of other images": (lambda t, v: (t, v), "0" * 128, f"another image set: {'0' * 16}, "),
    "targets of images that they do not tell": (lambda t, v: (t, v), "", "another image set"),
    "a target too few": (lambda t, v: (t[1:], v), None, "19 and 6 rows"),
    "a target too many": (lambda t, v: (t, torch.cat((v, v[:1]))), None, "20 and 7 rows"),
    "other columns in val": (lambda t, v: (t, v[:, 1:]), None, "4 columns in train, 3 in val"),
    "targets of doubles": (lambda t, v: (t.double(), v), None, "train is torch.float64"),
}
# By kind: bytes that are no table of this run, and words of the error.
ROWS = torch.zeros(2, 4)
FILES = {
    "a text for a table": (b"x", "no safetensors file"),
    "an empty table": (b"", "no safetensors file"),
    "a table that says nothing": (
        safetensors.torch.save({"train": ROWS, "val": ROWS.clone()}),
        "another image set: none",
    ),
    "a table without validation": (safetensors.torch.save({"train": ROWS}), "holds ['train']"),
}

# By kind: bytes for a soup, and words of the error.
SOUPS = {
    "a text for a soup": (b"x", "no safetensors file"),
    "another soup than that of the targets": (
        safetensors.torch.save({"readout.up.weight": torch.zeros(2)}),
        "another soup's",
    ),
}

REFUSALS = {
    **{kind: words for kind, (_, words) in SOUPS.items()},
    **{kind: words for kind, (_, words) in SETTINGS.items()},
    **{kind: words for kind, (_, _, words) in TABLES.items()},
    **{kind: words for kind, (_, words) in FILES.items()},
}


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead to bad input of that kind; `data` are those of the good."""
    if kind in SETTINGS:
        return SETTINGS[kind][0]
    path = folder / "targets.safetensors"
    if kind in SOUPS:
        path.write_bytes(SOUPS[kind][0])
        return {"SOUP": str(path)}
    if kind in FILES:
        path.write_bytes(FILES[kind][0])
        return {"TARGETS": str(path)}
    change, images, _ = TABLES[kind]
    told = images_digest(Path(data["DATA_DIR"])) if images is None else images
    path.write_bytes(table_bytes(*change(*targets()), {"images": told} if told else {}))
    return {"TARGETS": str(path)}
