"""`data table`: a user's own features as an expert. Rows in .npy or .safetensors, and a manifest.

The manifest is JSON: `images`, the digest of the image set whose rows these are, and what else is
to be said of the expert, texts by name, such as `training` and `licence`.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import safetensors
import torch
import typer

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.image_sets import images_digest
from train_gpt_style.kit.images import load_splits
from train_gpt_style.kit.tables import LABELS, Table


def read_rows(path: Path, split: str) -> torch.Tensor:
    """(N, D) float32 of a .npy file, or of the tensor `split` of a .safetensors file."""
    try:
        if path.suffix == ".npy":
            rows = np.load(path, allow_pickle=False)
        elif path.suffix == ".safetensors":
            with safetensors.safe_open(str(path), "np") as file:
                rows = file.get_tensor(split)
        else:
            raise UsageError(f"{path}: a table is a .npy or a .safetensors file")
    except (OSError, ValueError, EOFError, TypeError, safetensors.SafetensorError) as error:
        raise UsageError(f"{path}: no rows can be read: {str(error).splitlines()[0]}") from None
    if not isinstance(rows, np.ndarray):
        raise UsageError(f"{path}: an archive of arrays, expected one array of rows")
    if rows.ndim != 2 or rows.dtype not in (np.float32, np.float64, np.float16):
        raise UsageError(f"{path}: {rows.dtype} {rows.shape}, expected rows of floats")
    return torch.from_numpy(rows.astype(np.float32))


def read_manifest(path: Path) -> dict[str, str]:
    """Texts by name. Raises UsageError unless `images` is among them."""
    found = canonical.read(path, str(path))
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise UsageError(f"{path}: a manifest is a table of texts, such as images and licence")
    if "images" not in found:
        raise UsageError(f"{path}: `images` is missing: the digest of the image set")
    return found


def own_table(
    name: Annotated[str, typer.Argument(help="The expert's name: the file is NAME.safetensors.")],
    train: Annotated[Path, typer.Option(help="Rows of the training images.")],
    val: Annotated[Path, typer.Option(help="Rows of the validation images.")],
    manifest: Annotated[Path, typer.Option(help="JSON with `images` and what is to be said.")],
    images: Annotated[Path, typer.Option(help="The image set.")],
    out: Annotated[Path, typer.Option(help="The folder of tables.")],
) -> None:
    """Take a feature table of your own as an expert, checked against the image set."""
    if not name.isidentifier() or f"{name}.safetensors" == LABELS:
        raise UsageError(f"{name}: an expert's name is letters, digits and _")
    about = {**read_manifest(manifest), "expert": name}
    rows = [read_rows(path, split) for path, split in ((train, "train"), (val, "val"))]
    splits = load_splits(images, 1)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.safetensors"
    if path.exists():
        raise UsageError(f"{path}: is there already: move it away, or give another name")
    partial = out / f".{name}.safetensors"
    atomic_write(partial, table_bytes(*rows, about))
    try:
        Table(partial).check_rows(images_digest(images), *map(len, splits))
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    print(f"{path}: {len(rows[0])} and {len(rows[1])} rows of {rows[0].shape[1]} columns")
