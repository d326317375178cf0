"""Tables of rows, one for each image of a set: features of an expert, targets, labels.

A table is a safetensors file with the tensors `train` (N, D) and `val` (M, D), and with texts about
it, JSON under `about` in its metadata: `images` is the digest (`kit.image_sets`) of the image set
whose rows these are, in its order.

Shape letters: N training images, M validation images, D columns, C classes.
"""

import json
from pathlib import Path

import numpy as np
import safetensors
import torch

from goldenseal.errors import UsageError

LABELS = "labels.safetensors"
SPLITS = ("train", "val")


class Table:
    """One table. Raises UsageError, one line, for a file that is none.

    `train` and `val` are its tensors, `about` the text that its maker gave.
    """

    def __init__(self, path, dtype=torch.float32):
        self.path, self.name = Path(path), Path(path).name.removesuffix(".safetensors")
        if not self.path.is_file():
            raise UsageError(f"{path}: there is no such table")
        try:
            with safetensors.safe_open(str(path), "pt") as file:
                self.about = json.loads((file.metadata() or {}).get("about", "{}"))
                names = sorted(file.keys())
                self.train, self.val = (
                    file.get_tensor(name) if name in names else None for name in SPLITS
                )
        except (safetensors.SafetensorError, OSError, ValueError) as error:
            raise UsageError(f"{path}: no safetensors file: {error}") from None
        if names != list(SPLITS) or not isinstance(self.about, dict):
            raise UsageError(f"{path}: holds {names}, a table holds train and val")
        for name, rows in zip(SPLITS, (self.train, self.val), strict=True):
            if rows.ndim != 2 or not rows.numel() or rows.dtype is not dtype:
                kind = f"{rows.dtype} {tuple(rows.shape)}"
                raise UsageError(f"{path}: {name} is {kind}, expected {dtype} rows and columns")
        if self.train.shape[1] != self.val.shape[1]:
            words = f"{self.train.shape[1]} columns in train, {self.val.shape[1]} in val"
            raise UsageError(f"{path}: {words}")
        if dtype.is_floating_point:
            self.check_finite()

    def check_finite(self):
        """Raise UsageError, naming the first row, where a number is none."""
        for name, rows in zip(SPLITS, (self.train, self.val), strict=True):
            # By numpy: torch's own test is no operation that the portable lane covers.
            odd = np.flatnonzero(~np.isfinite(rows.numpy()).all(axis=1))
            if len(odd):
                raise UsageError(f"{self.path}: row {odd[0]} of {name} is not finite")

    def check_rows(self, images, train, val):
        """Raise UsageError unless the table is of this image set, with so many rows."""
        if self.about.get("images") != images:
            told = str(self.about.get("images") or "none")
            raise UsageError(
                f"{self.path}: its rows are of another image set: {told[:16]}, not {images[:16]}"
            )
        if (len(self.train), len(self.val)) != (train, val):
            found = f"{len(self.train)} and {len(self.val)} rows"
            raise UsageError(f"{self.path}: {found}, the images are {train} and {val}")
