"""Bad input for the gates: each kind spoils the probe's good data, or one setting, in one way."""

import gzip
import shutil
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from train_gpt_style.vit_rft.probe_data import CLASSES, idx_bytes, idx_files

# By kind: the settings that are wrong, and words that the error must hold.
SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "patches that do not divide the image": ({"PATCH_SIZE": "5"}, "PATCH_SIZE=5"),
    "heads that do not divide the width": ({"HEADS": "3"}, "HEADS=3"),
    "an average that never starts": ({"BETA1": "1.0"}, "BETA1=1.0"),
    "an unknown path": ({"ADAM_PATH": "slow"}, "ADAM_PATH=slow"),
    "too few classes": ({"CLASSES": "2"}, "CLASSES=2"),
    "a batch of more than there is": ({"BATCH": "19"}, "BATCH=19"),
    "no data": ({"DATA_DIR": "nowhere"}, "DATA_DIR=nowhere is no folder"),
}


def only_class(folder: Path) -> None:
    """Leave one class in train/."""
    for kind in CLASSES[1:]:
        shutil.rmtree(folder / "train" / kind)


def empty_class(folder: Path) -> None:
    """A class without an image."""
    for path in (folder / "train" / "cross").iterdir():
        path.unlink()


def other_class(folder: Path) -> None:
    """A class that only validation has."""
    (folder / "val" / "cross").rename(folder / "val" / "zigzag")


def cut_short(folder: Path) -> None:
    """Images whose headers are whole and whose pixels are not, in the two classes that are left."""
    for split in ("train", "val"):
        shutil.rmtree(folder / split / CLASSES[-1])
    for path in (folder / "train" / "cross").glob("*.png"):
        path.write_bytes(path.read_bytes()[:200])


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """The start of a grey PNG file, and more chunks."""
    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    whole = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", size), *chunks)
    )
    return b"\x89PNG\r\n\x1a\n" + whole


PIXELS = (b"IDAT", zlib.compress(bytes(16 * 17)))
FEW = (b"IDAT", PIXELS[1][:4])
BOMB = (b"zTXt", b"comment\0\0" + zlib.compress(bytes(2**21)))


def image(data: bytes) -> Callable[[Path], object]:
    """All crosses are files of these bytes."""

    def spoil(folder: Path) -> None:
        for path in (folder / "train" / "cross").glob("*.png"):
            path.write_bytes(data)

    return spoil


# By kind: what is done to a copy of the image folder, and words of the error.
FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no training split": (lambda f: shutil.rmtree(f / "train"), "no folder train/"),
    "no validation split": (lambda f: shutil.rmtree(f / "val"), "no folder val/"),
    "a single class": (only_class, "1 class folders"),
    "a class without images": (empty_class, "no image in it"),
    "a class that was not trained": (other_class, "class zigzag"),
    "a text among the images": (
        lambda f: (f / "train/cross/notes.txt").write_text("x"),
        "not an image",
    ),
    "a folder among the images": (lambda f: (f / "val/cross/more.png").mkdir(), "not an image"),
    "a text that is called an image": (
        lambda f: (f / "val/cross/notes.png").write_text("x"),
        "corrupt",
    ),
    "images cut short": (cut_short, "corrupt"),
    "images with a broken part": (image(png(16, 16, FEW, (b"\1\2\3\4", b""))), "corrupt"),
    "images with a bomb for a comment": (image(png(16, 16, BOMB, PIXELS)), "corrupt"),
    "images with a bomb behind the pixels": (image(png(16, 16, PIXELS, BOMB)), "corrupt"),
    "images of a billion pixels": (image(png(2**15, 2**15, PIXELS)), "more than 178956970"),
}


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """One IDX file has other bytes."""
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def packed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """One IDX file is there as a gzip of other bytes."""

    def spoil(folder: Path) -> None:
        data = gzip.compress((folder / name).read_bytes(), mtime=0)
        (folder / name).unlink()
        (folder / f"{name}.gz").write_bytes(change(data))

    return spoil


def none_at_all(folder: Path) -> None:
    """Training files of no image and of no label."""
    (folder / IMAGES).write_bytes(idx_bytes(np.zeros((0, 8, 9))))
    (folder / LABELS).write_bytes(idx_bytes(np.zeros(0)))


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
VAL_LABELS = "t10k-labels-idx1-ubyte"
LARGE = struct.pack(">III", 641, 6_700_417, 1)  # 2^32 + 1 bytes

# By kind: what is done to a copy of the IDX files, and words of the error.
IDX: dict[str, tuple[Callable[[Path], object], str]] = {
    "no labels": (lambda f: (f / LABELS).unlink(), f"there is no {LABELS}"),
    "bytes of another kind": (changed(IMAGES, lambda d: d[:2] + b"\7" + d[3:]), "no IDX file"),
    "images for labels": (
        lambda f: (f / LABELS).write_bytes((f / IMAGES).read_bytes()),
        "no IDX file of bytes with 1 dimensions",
    ),
    "a header cut short": (changed(IMAGES, lambda d: d[:15]), "no IDX file"),
    "more than is ever read": (changed(IMAGES, lambda d: d[:4] + LARGE), "more than 4294967296"),
    "a pixel too few": (changed(IMAGES, lambda d: d[:-1]), "less than 576 bytes"),
    "a pixel too many": (changed(IMAGES, lambda d: d + b"\0"), "more than 576 bytes"),
    "a gzip of something else": (packed(IMAGES, lambda d: b"x" * 99), "corrupt"),
    "a gzip cut short": (packed(IMAGES, lambda d: d[:-9]), "corrupt"),
    "a gzip damaged inside": (packed(IMAGES, lambda d: d[:10] + b"\xff" * 9 + d[19:]), "corrupt"),
    "a label too few": (
        changed(LABELS, lambda d: idx_bytes(np.arange(7) % 2)),
        "8 train images, 7 labels",
    ),
    "neither image nor label": (none_at_all, "0 train images, 0 labels"),
    "labels of one class": (changed(LABELS, lambda d: idx_bytes(np.zeros(8))), "one class"),
    "a label that was not trained": (
        changed(VAL_LABELS, lambda d: idx_bytes(np.arange(3))),
        "class 2 is in val",
    ),
}

REFUSALS = {kind: words for table in (SETTINGS, FOLDERS, IDX) for kind, (_, words) in table.items()}


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead to bad input of that kind; `data` are those of the good."""
    if kind in SETTINGS:
        return SETTINGS[kind][0]
    copy = folder / "images"
    if kind in FOLDERS:
        shutil.copytree(data["DATA_DIR"], copy)
        FOLDERS[kind][0](copy)
    else:
        copy.mkdir()
        for name, content in idx_files().items():
            (copy / name).write_bytes(content)
        IDX[kind][0](copy)
    return {"DATA_DIR": str(copy)}
