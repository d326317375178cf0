"""Bad input for the gates: each kind spoils the probe's good tables, or one setting, in one way."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import safetensors.torch
import torch

from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.tables import LABELS
from train_gpt_style.soup.probe_data import IMAGES, tables

# By kind: the settings that are wrong, and words that the error must hold.
SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "compartments that do not divide the anchors": ({"N_COMP": "4"}, "N_COMP=4"),
    "other classes than there are": ({"CLASSES": "4"}, "CLASSES=4"),
    "fewer experts than there are": ({"N_EXPERTS": "2"}, "3 experts, N_EXPERTS=2"),
    "more experts than there are": ({"N_EXPERTS": "4"}, "N_EXPERTS=4"),
    "no tables": ({"EXPERTS": "nowhere"}, "EXPERTS=nowhere is no folder"),
}


def other(name: str, change: Callable[..., tuple]) -> Callable[[Path], object]:
    """One table has other rows: `change` makes (train, val) of them."""

    def spoil(folder: Path) -> None:
        data = table_bytes(*change(*tables()[name]), {"images": IMAGES})
        (folder / f"{name}.safetensors").write_bytes(data)

    return spoil


def with_nan(rows: torch.Tensor) -> torch.Tensor:
    """The third row is none."""
    rows = rows.clone()
    rows[2, 1] = float("nan")
    return rows


def one_class_less(train: torch.Tensor, val: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """No training row has the last class."""
    train = train.clone()
    train[:, -1] = 0
    return train, val


def about(told: dict[str, str]) -> Callable[[Path], object]:
    """One table says something else of itself."""

    def spoil(folder: Path) -> None:
        (folder / "second.safetensors").write_bytes(table_bytes(*tables()["second"], told))

    return spoil


def without_words(folder: Path) -> None:
    """One table says nothing at all of itself."""
    train, val = tables()["second"]
    data = safetensors.torch.save({"train": train.contiguous(), "val": val.contiguous()})
    (folder / "second.safetensors").write_bytes(data)


def not_json(folder: Path) -> None:
    """What one table says of itself is cut short."""
    train, val = tables()["second"]
    rows = {"train": train.contiguous(), "val": val.contiguous()}
    data = safetensors.torch.save(rows, {"about": "{"})
    (folder / "second.safetensors").write_bytes(data)


def without_val(folder: Path) -> None:
    """One table has training rows alone."""
    data = safetensors.torch.save({"train": tables()["second"][0].contiguous()})
    (folder / "second.safetensors").write_bytes(data)


# By kind: what is done to a copy of the tables, and words of the error.
FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no labels": (lambda f: (f / LABELS).unlink(), "no such table"),
    "a text for a table": (lambda f: (f / "second.safetensors").write_text("x"), "no safetensors"),
    "a table cut short": (
        lambda f: (f / "second.safetensors").write_bytes(
            (f / "second.safetensors").read_bytes()[:-9]
        ),
        "no safetensors",
    ),
    "an expert too few": (lambda f: (f / "second.safetensors").unlink(), "2 experts"),
    "rows that are no numbers": (
        other("second", lambda t, v: (with_nan(t), v)),
        "row 2 of train is not finite",
    ),
    "validation rows that are no numbers": (
        other("second", lambda t, v: (t, with_nan(v))),
        "row 2 of val is not finite",
    ),
    "rows of doubles": (other("second", lambda t, v: (t.double(), v)), "train is torch.float64"),
    "rows without columns": (other("second", lambda t, v: (t[:, :0], v[:, :0])), "expected"),
    "rows without a second dimension": (
        other("second", lambda t, v: (t[:, 0].contiguous(), v[:, 0].contiguous())),
        "train is torch.float32 (13,), expected",
    ),
    "other columns in val": (other("second", lambda t, v: (t, v[:, 1:])), "9 columns in train"),
    "a row too few": (other("second", lambda t, v: (t[1:], v)), "12 and 7 rows"),
    "a row too many": (other("second", lambda t, v: (t, torch.cat((v, v[:1])))), "13 and 8 rows"),
    "a class without positives": (other("labels", one_class_less), "class 2 has no positive"),
    "no positive in validation": (
        other("labels", lambda t, v: (t, torch.zeros_like(v))),
        "no positive at all",
    ),
    "rows of another image set": (
        about({"images": IMAGES[::-1]}),
        f"another image set: {IMAGES[::-1][:16]}, not {IMAGES[:16]}",
    ),
    "rows of images that it does not tell": (about({}), "another image set: none,"),
    "a table that says nothing": (without_words, "another image set: none,"),
    "words that are no JSON": (not_json, "no safetensors file"),
    "a table without validation": (without_val, "holds ['train']"),
}

# The baseline trains on labels of any number.
LABEL_NUMBERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "labels of other numbers": (
        other("labels", lambda t, v: (2 * t, v)),
        "train holds other bytes",
    ),
    "validation labels of other numbers": (
        other("labels", lambda t, v: (t, 2 * v)),
        "val holds other bytes",
    ),
}

OWN_REFUSALS = {kind: words for kind, (_, words) in LABEL_NUMBERS.items()}
REFUSALS = {kind: words for table in (SETTINGS, FOLDERS) for kind, (_, words) in table.items()}


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead to bad input of that kind; `data` are those of the good."""
    if kind in SETTINGS:
        return SETTINGS[kind][0]
    copy = folder / "tables"
    shutil.copytree(data["EXPERTS"], copy)
    (FOLDERS | LABEL_NUMBERS)[kind][0](copy)
    return {"EXPERTS": str(copy)}
