"""What an expert sees in a set of images: a table, made in parts, so that a killed run goes on.

A table is known by the digest of the images, of the expert, and of how an image is prepared. Parts
lie in a folder of that name beside the table until it is whole; a table of another digest that is
in the way is refused, never overwritten.
"""

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from train_gpt_style.kit.data.experts import convert, fetch, inverted, onnx
from train_gpt_style.kit.data.experts.pins import Expert
from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.image_sets import images_digest
from train_gpt_style.kit.images import load_splits
from train_gpt_style.kit.tables import SPLITS, Table

PART, BATCH = 512, 32


def expert_of(expert: Expert, folder: Path, wheels: Path):
    """A function of (B, 3, H, W) float32 arrays to (B, width) float32.

    Its weights are fetched and made in `folder` unless they lie there, pinned in either case.
    """
    if expert.kind == "onnx":
        return onnx.Session(onnx.model_of(fetch.file_of(expert, wheels), expert), expert)
    path = folder / f"{expert.name}.safetensors"
    if not path.is_file():
        convert.converted(fetch.file_of(expert, wheels), expert, path)
    convert.check(path, expert)
    net = inverted.network(expert.name, safetensors.torch.load_file(path))

    @torch.no_grad()
    def see(pixels: np.ndarray) -> np.ndarray:
        before = torch.get_num_threads()
        torch.set_num_threads(1)  # as onnxruntime's: a table is the same however many there are
        try:
            return net(torch.from_numpy(pixels)).numpy()
        finally:
            torch.set_num_threads(before)

    return see


def preparation(expert: Expert) -> str:
    """How an image is prepared, in words that are part of the table's digest."""
    height, width = expert.shape
    scaled = "x / 255, ImageNet mean and deviation" if expert.imagenet else "x / 127.5 - 1"
    return (
        f"shorter side to {max(height, width)}, middle cut out, bilinear; then to "
        f"{height}x{width}, bilinear; grey repeated; {scaled}; float32; mean over places"
    )


def key_of(expert: Expert, images: str) -> str:
    """The digest under which a table is known."""
    told = "\n".join((images, expert.name, expert.digest, preparation(expert)))
    return hashlib.sha512(told.encode()).hexdigest()


def table(expert: Expert, images: Path, out: Path, weights: Path, wheels: Path) -> Path:
    """The expert's table of an image set, made unless it is there; its path.

    Raises UsageError when a table of another digest is in the way.
    """
    digest = images_digest(images)
    key, path = key_of(expert, digest), out / f"{expert.name}.safetensors"
    if path.is_file():
        if Table(path).about.get("key") != key:
            raise UsageError(
                f"{path}: made of other images, weights or preparation: move it away, or give "
                "another --out"
            )
        return path
    out.mkdir(parents=True, exist_ok=True)
    parts = out / f".{expert.name}-{key[:16]}"
    parts.mkdir(exist_ok=True)
    see = None
    splits = load_splits(images, max(expert.shape))
    rows = {}
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        total = sum(len(split) for split in splits)
        bar = progress.add_task(expert.name, total=total)
        for name, split in zip(SPLITS, splits, strict=True):
            found = []
            for first in range(0, len(split), PART):
                indices = range(first, min(first + PART, len(split)))
                part = parts / f"{name}-{first:08d}.npy"
                values = read_part(part, (len(indices), expert.width))
                if values is None:
                    see = see or expert_of(expert, weights, wheels)
                    values = np.concatenate(
                        [
                            see(prepared(split, list(indices[at : at + BATCH]), expert))
                            for at in range(0, len(indices), BATCH)
                        ]
                    )
                    write_part(part, values)
                found.append(values)
                progress.advance(bar, len(indices))
            rows[name] = torch.from_numpy(np.concatenate(found))
    about = {
        "images": digest,
        "key": key,
        "expert": expert.name,
        "weights": expert.digest,
        "preparation": preparation(expert),
        "training": expert.training,
        "licence": expert.licence,
    }
    atomic_write(path, table_bytes(rows["train"], rows["val"], about))
    shutil.rmtree(parts)
    return path


def prepared(split, indices: list[int], expert: Expert) -> np.ndarray:
    """(B, 3, H, W) float32, scaled as the expert was trained."""
    pixels = split.images(indices)
    height, width = expert.shape
    if pixels.shape[2:] != (height, width):
        scaled = [
            np.asarray(
                Image.fromarray(image.permute(1, 2, 0).numpy()).resize(
                    (width, height), Image.Resampling.BILINEAR
                )
            )
            for image in pixels
        ]
        pixels = torch.from_numpy(np.stack(scaled)).permute(0, 3, 1, 2)
    return inverted.normalised(pixels, expert.imagenet).contiguous().numpy()


def read_part(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """The part's rows; None when it is not there, or not whole."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return values if values.shape == shape and values.dtype == np.float32 else None


def write_part(path: Path, values: np.ndarray) -> None:
    """Whole or not at all."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    atomic_write(path, file.getvalue())
