"""Images from folders and from IDX files: checked at the start, decoded when a batch asks for them.

    ROOT/train/CLASS/*.png, ROOT/val/CLASS/*.png          folders; labels in sorted order of CLASS
    ROOT/{train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]  grey images, as MNIST comes

An image is scaled so that its shorter side fits and its middle is cut out. No augmentation.

Shape letters: B batch, S image side.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from goldenseal.errors import UsageError
from train_gpt_style.kit import batches

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
MAX_IDX_BYTES = 2**32
IDX_PREFIXES = {"train": "train", "val": "t10k"}
IDX_IMAGES, IDX_LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"


class FolderSplit:
    """Images ROOT/SPLIT/CLASS/FILE. Raises UsageError, one line, for a folder that is none."""

    kind = "folder"

    def __init__(self, root, split, size):
        folder = Path(root) / split
        if not folder.is_dir():
            raise UsageError(f"{root}: there is no folder {split}/ in it")
        self.size, self.files, labels = size, [], []
        self.names = sorted(e.name for e in folder.iterdir() if e.is_dir() and e.name[0] != ".")
        if len(self.names) < 2:
            raise UsageError(f"{folder}: {len(self.names)} class folders, at least 2 are needed")
        for label, name in enumerate(self.names):
            found = sorted(p for p in (folder / name).iterdir() if p.name[0] != ".")
            if not found:
                raise UsageError(f"{folder / name}: no image in it")
            for path in found:
                check_image(path)
            self.files += found
            labels += [label] * len(found)
        self.labels = torch.tensor(labels)

    def __len__(self):
        return len(self.files)

    def images(self, indices):
        """(B, 3, S, S) uint8. Raises UsageError for a file that is corrupt further in."""
        return stack([read_image(self.files[i], self.size) for i in indices])


def check_image(path):
    """Raise UsageError unless the file's name and header are an image's, of a sane size."""
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: not an image; it must end in {', '.join(SUFFIXES)}")
    try:
        with Image.open(path):
            pass
    except Image.DecompressionBombError:  # at twice the number of which it only warns
        raise UsageError(f"{path}: more than {2 * Image.MAX_IMAGE_PIXELS} pixels") from None
    except (OSError, ValueError):
        raise UsageError(f"{path}: corrupt: it cannot be read as an image") from None


def read_image(path, size):
    """An image file as (S, S, 3) uint8. Raises UsageError when it cannot be decoded."""
    try:
        with Image.open(path) as image:
            return fit(image.convert("RGB"), size)
    except (OSError, ValueError, SyntaxError):  # Pillow calls a broken part a syntax error
        raise UsageError(f"{path}: corrupt: it cannot be read as an image") from None


def fit(image, size):
    """Scale the shorter side to `size` and cut the middle out: (S, S, 3) uint8."""
    width, height = image.size
    short = min(width, height)
    if short != size:
        width, height = (max(size, round(side * size / short)) for side in (width, height))
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(image.crop((left, top, left + size, top + size)))


def stack(images):
    """(S, S, 3) arrays to a (B, 3, S, S) tensor."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


class IdxSplit:
    """Grey images and labels of two IDX files. Raises UsageError where they do not fit."""

    kind = "idx"

    def __init__(self, root, split, size):
        prefix = IDX_PREFIXES[split]
        self.size = size
        self.pixels = read_idx(idx_file(root, f"{prefix}-{IDX_IMAGES}"), 3)
        labels = read_idx(idx_file(root, f"{prefix}-{IDX_LABELS}"), 1)
        if len(labels) != len(self.pixels) or not len(labels):
            raise UsageError(f"{root}: {len(self.pixels)} {split} images, {len(labels)} labels")
        self.labels = torch.from_numpy(labels.astype(np.int64))
        self.names = [str(i) for i in range(int(self.labels.max()) + 1)]
        if len(self.names) < 2:
            raise UsageError(f"{root}: one class in its {split} labels, at least 2 are needed")

    def __len__(self):
        return len(self.pixels)

    def images(self, indices):
        """(B, 3, S, S) uint8, the three channels equal."""
        grey = (Image.fromarray(self.pixels[i]).convert("RGB") for i in indices)
        return stack([fit(image, self.size) for image in grey])


def idx_file(root, name):
    """The file of that name, plain or gzipped. Raises UsageError when there is neither."""
    for path in (Path(root) / name, Path(root) / f"{name}.gz"):
        if path.is_file():
            return path
    raise UsageError(f"{root}: there is no {name} or {name}.gz in it")


def read_idx(path, rank):
    """An IDX file of bytes as a uint8 array with `rank` dimensions.

    Raises UsageError for another type or rank, a damaged gzip, and too many or too few bytes; it
    never unpacks more than the header says.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            header = file.read(4 + 4 * rank)
            if len(header) < 4 + 4 * rank or header[:4] != bytes([0, 0, 8, rank]):
                raise UsageError(f"{path}: no IDX file of bytes with {rank} dimensions")
            shape = struct.unpack(f">{rank}I", header[4:])
            count = math.prod(shape)
            if count > MAX_IDX_BYTES:
                words = f"says that it holds {count} bytes, more than {MAX_IDX_BYTES}"
                raise UsageError(f"{path}: {words}")
            data = file.read(count + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: corrupt: {error}") from None
    if len(data) != count:
        raise UsageError(f"{path}: {'more' if len(data) > count else 'less'} than {count} bytes")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


class SyntheticSplit:
    """Noise with random labels: there is nothing to learn but the images themselves."""

    kind = "synthetic"

    def __init__(self, count, classes, size, seed):
        generator = torch.Generator().manual_seed(seed)
        shape = (count, 3, size, size)
        self.pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        self.labels = torch.randint(classes, (count,), generator=generator)
        self.names = range(classes)

    def __len__(self):
        return len(self.labels)

    def images(self, indices):
        """(B, 3, S, S) uint8."""
        return self.pixels[indices]


def load_splits(root, size, folder=FolderSplit, idx=IdxSplit, val="val"):
    """The training and validation split of a folder of images or of IDX files, by these classes.

    val: the name of the second. Raises UsageError, one line, for a folder that holds neither, or a
    class that only the second has.
    """
    if not Path(root).is_dir():
        raise UsageError(f"DATA_DIR={root} is no folder")
    split = idx if any(Path(root).glob(f"train-{IDX_IMAGES}*")) else folder
    train, other = (split(root, name, size) for name in ("train", val))
    if extra := sorted(set(other.names) - set(train.names)):
        raise UsageError(f"{root}: class {extra[0]} is in {val}/ and not in train/")
    places = torch.tensor([train.names.index(name) for name in other.names])
    other.labels = places[other.labels]
    return train, other


class Loader(batches.Loader):
    """Batches of a split; a last part-batch is left out.

    `indices` are those of the last batch: places in the split, (B,).
    """

    def __init__(self, split, batch, seed, device):
        super().__init__(len(split), batch, seed)
        self.split, self.device = split, device

    def next_batch(self):
        """Images (B, 3, S, S) uint8 and labels (B,)."""
        self.indices = self.next_rows()
        x, y = self.split.images(self.indices), self.split.labels[self.indices]
        return x.to(self.device), y.to(self.device)
