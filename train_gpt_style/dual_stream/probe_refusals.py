"""Bad input for the gates: each kind spoils the probe's good data, or one setting, in one way."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

from train_gpt_style.dual_stream.probe_data import idx_files

# By kind: the settings that are wrong, and words that the error must hold.
SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "patches that do not divide the image": ({"PATCH_SIZE": "3"}, "PATCH_SIZE=3"),
    "heads that do not divide the streams": ({"N_HEADS": "3"}, "N_HEADS=3 must divide STREAM_DIM"),
    "heads that do not divide the fused": ({"N_HEADS": "8"}, "N_HEADS=8 must divide FUSED_DIM"),
    "compartments that do not divide the anchors": ({"N_COMP": "4"}, "N_COMP=4 must divide"),
    "nothing to train": ({"BCE_WEIGHT": "0", "INFONCE_WEIGHT": "0"}, "nothing to train"),
    "data of more classes": ({"DATA_DIR": "idx3", "CLASSES": "2"}, "CLASSES=2, but the data has 3"),
    "a batch of more than there is": ({"BATCH": "13"}, "BATCH=13 exceeds the 12 training images"),
    "no data": ({"DATA_DIR": "nowhere"}, "DATA_DIR=nowhere is no folder"),
}


def resized(folder: Path) -> None:
    """One image of another size."""
    Image.new("RGB", (9, 8)).save(folder / "val/spots/000.png")


def cut_short(folder: Path) -> None:
    """Images whose headers are whole and whose pixels are not."""
    for path in (folder / "train" / "spots").glob("*.png"):
        path.write_bytes(path.read_bytes()[:100])


# By kind: what is done to a copy of the image folder, and words of the error.
FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "an image of another size": (resized, "9 x 8 pixels, not 8 x 8"),
    "images cut short": (cut_short, "corrupt"),
    "no validation split": (lambda f: shutil.rmtree(f / "val"), "no folder val/"),
}

REFUSALS = {
    **{kind: words for table in (SETTINGS, FOLDERS) for kind, (_, words) in table.items()},
    "grey images larger than the model's": "images of 7 x 6, but IMG_SIZE=4",
}


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead to bad input of that kind; `data` are those of the good."""
    if kind == "data of more classes":
        copy = folder / "images"
        shutil.copytree(data["DATA_DIR"], copy)
        for split in ("train", "val"):
            shutil.copytree(copy / split / "spots", copy / split / "more")
        return {"DATA_DIR": str(copy), "CLASSES": "2"}
    if kind in SETTINGS:
        return SETTINGS[kind][0]
    copy = folder / "images"
    if kind in FOLDERS:
        shutil.copytree(data["DATA_DIR"], copy)
        FOLDERS[kind][0](copy)
        return {"DATA_DIR": str(copy)}
    copy.mkdir()
    for name, content in idx_files().items():
        (copy / name).write_bytes(content)
    return {"DATA_DIR": str(copy), "IMG_SIZE": "4"}
