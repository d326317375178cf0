"""`data alone`: a folder of what a soup is to be held against, for EXPERTS and EXPERT_NAMES.

    OUT/alone/NAME.safetensors          each expert of OUT/tables, as it is
    OUT/alone/concatenated.safetensors  the unit rows of all of them, side by side
    OUT/alone/pixels.safetensors        the grey images themselves, from 0 to 1

A soup of one expert is a projector and the same readout: what it reaches is reached without fusing.
"""

from pathlib import Path
from typing import Annotated

import torch
import typer

from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from train_gpt_style.kit import images as image_files
from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.image_sets import images_digest
from train_gpt_style.kit.tables import LABELS, SPLITS, Table

JOINED, PIXELS = "concatenated", "pixels"


def alone(
    out: Annotated[Path, typer.Option(help="The folder that `data experts` made.")] = Path(
        "data/experts"
    ),
) -> None:
    """Make a folder of tables: each expert, all of them side by side, and the pixels.

    It is for EXPERTS; EXPERT_NAMES says which are read, and N_EXPERTS how many those are.
    """
    folder = out / "tables"
    labels = Table(folder / LABELS, torch.uint8)
    paths = sorted(path for path in folder.glob("*.safetensors") if path.name != LABELS)
    if not paths:
        raise UsageError(f"{folder}: no table of an expert; `data experts` makes them")
    tables = [Table(path) for path in paths]
    images = labels.about.get("images", "")
    for table in tables:
        table.check_rows(images, len(labels.train), len(labels.val))
    made = {path.stem: path.read_bytes() for path in paths}
    about = {"images": images, "of": [table.name for table in tables]}
    made[JOINED] = table_bytes(*(side_by_side(tables, split) for split in SPLITS), about)
    made[PIXELS] = table_bytes(*pixels(out / "images", labels, images), {"images": images})
    made[labels.name] = (folder / LABELS).read_bytes()
    for name, content in made.items():
        place(out / "alone" / f"{name}.safetensors", content)
    print(out / "alone", *sorted(made.keys() - {labels.name}))


def side_by_side(tables, split):
    """(N, all columns) of the unit rows of each table, so that none outweighs another by scale."""
    rows = [getattr(table, split) for table in tables]
    return torch.cat([torch.nn.functional.normalize(each, dim=1) for each in rows], dim=1)


def pixels(folder, labels, images):
    """Grey values from 0 to 1, (N, H W) of both splits of the image set that has that digest."""
    if images_digest(folder) != images:
        raise UsageError(f"{folder}: its images are not those of the tables")
    found = []
    for prefix, rows in (("train", labels.train), ("t10k", labels.val)):
        path = image_files.idx_file(folder, f"{prefix}-{image_files.IDX_IMAGES}")
        grey = torch.from_numpy(image_files.read_idx(path, 3).copy())
        if len(grey) != len(rows):
            raise UsageError(f"{path}: {len(grey)} images, the labels are {len(rows)}")
        found.append(grey.flatten(1).float() / 255.0)
    return found


def place(path, content):
    """Write a file unless it is there already. Raises UsageError when another is in the way."""
    if path.is_file() and path.read_bytes() != content:
        raise UsageError(f"{path}: made of other tables: move it away")
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content)
