"""What a run trains on: IDX files, CIFAR's binary batches, image files, or a synthetic teacher.

    DATA_DIR/{train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]  grey images, as MNIST comes
    DATA_DIR/data_batch_{1..5}.bin, test_batch.bin              CIFAR-10: a label, 3072 bytes
    DATA_DIR/train.bin, test.bin                                CIFAR-100: two labels, 3072 bytes
    DATA_DIR/{train,val}/CLASS/FILE                             square colour images of one size;
                                                                val may be called test

Everything is held in memory; images stay bytes until a batch asks for them.

Shape letters: B batch, C channels, H and W sides of an image.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from goldenseal.errors import UsageError
from train_gpt_style.credit.constants import (
    CIFAR_MEAN_BLUE,
    CIFAR_MEAN_GREEN,
    CIFAR_MEAN_RED,
    CIFAR_SD_BLUE,
    CIFAR_SD_GREEN,
    CIFAR_SD_RED,
    FASHION_MEAN,
    FASHION_SD,
)
from train_gpt_style.kit import images
from train_gpt_style.kit.exact_images import ExactFolder

# Mean and standard deviation of each channel.
FASHION = ([FASHION_MEAN], [FASHION_SD])
CIFAR = (
    [CIFAR_MEAN_RED, CIFAR_MEAN_GREEN, CIFAR_MEAN_BLUE],
    [CIFAR_SD_RED, CIFAR_SD_GREEN, CIFAR_SD_BLUE],
)
PIXELS = 3 * 32 * 32  # of a CIFAR record
ROLL_SEED = 7
PAD = 4
TEACHER_DIM, TEACHER_LAYERS, TEACHER_CLASSES = 128, 4, 10
TEACHER_ROUNDS = 32
TEACHER_SEED = 2654435769  # apart from every SEED's own stream


class Split:
    """Inputs and labels in memory: images as bytes, or vectors as floats.

    scale: (means, standard deviations) by channel of images in 0..1; None: values are used as
    they are. `shape` is that of one input.
    """

    def __init__(self, values, labels, classes, scale=None):
        self.values, self.labels, self.classes, self.scale = values, labels, classes, scale
        self.shape = tuple(values.shape[1:])

    def __len__(self):
        return len(self.labels)

    def inputs(self, indices):
        """(B, *shape) float32; images are scaled to 0..1 and normalised by channel."""
        x = self.values[indices]
        if self.scale is None:
            return x
        mean, sd = (torch.tensor(numbers).view(-1, 1, 1) for numbers in self.scale)
        return (x.float() / 255.0 - mean) / sd


def idx_split(root, prefix):
    """Grey images (n, 1, H, W) uint8 and their labels (n,)."""
    pixels = images.read_idx(images.idx_file(root, f"{prefix}-{images.IDX_IMAGES}"), 3)
    labels = images.read_idx(images.idx_file(root, f"{prefix}-{images.IDX_LABELS}"), 1)
    if len(labels) != len(pixels) or not len(labels):
        raise UsageError(f"{root}: {len(pixels)} {prefix} images, {len(labels)} labels")
    return torch.from_numpy(pixels.copy()).unsqueeze(1), torch.from_numpy(labels.astype(np.int64))


def cifar_split(root, names, label_bytes, classes):
    """Images (n, 3, 32, 32) uint8 of binary batches, and the label in the last label byte."""
    size, parts = label_bytes + PIXELS, []
    for name in names:
        path = Path(root) / name
        if not path.is_file():
            raise UsageError(f"{root}: there is no {name} in it")
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        if not len(data) or len(data) % size:
            raise UsageError(f"{path}: {len(data)} bytes, no whole number of records of {size}")
        parts.append(data.reshape(len(data) // size, size))
    records = np.concatenate(parts)
    labels = torch.from_numpy(records[:, label_bytes - 1].astype(np.int64))
    if int(labels.max()) >= classes:
        raise UsageError(f"{root}: label {int(labels.max())}, there are {classes} classes")
    pixels = records[:, label_bytes:].reshape(len(records), 3, 32, 32)
    return torch.from_numpy(pixels.copy()), labels


def folder_splits(root):
    """Images (n, 3, S, S) uint8 by class folders, all of the size of the first, and labels (n,)."""
    val = "val" if (root / "val").is_dir() else "test"
    with Image.open(images.FolderSplit(root, "train", 1).files[0]) as image:
        size = min(image.size)
    both = images.load_splits(root, size, ExactFolder, val=val)
    return [(split.images(torch.arange(len(split))), split.labels) for split in both]


def rolled(pixels, generator):
    """Each image (C, H, W) rolled by rows and columns of its own, uniform over its sides.

    A linear map of the pixels can then use little but brightness, so that depth matters.
    """
    n, _, height, width = pixels.shape
    dx, dy = (torch.randint(0, side, (n, 1), generator=generator) for side in (height, width))
    rows = (torch.arange(height) - dx) % height
    columns = (torch.arange(width) - dy) % width
    places = (rows.unsqueeze(2) * width + columns.unsqueeze(1)).view(n, 1, -1)
    return pixels.flatten(2).gather(2, places.expand(-1, pixels.size(1), -1)).view_as(pixels)


def load_images(settings):
    """The two splits of a folder. Raises UsageError, one line, where its files do not fit."""
    root = Path(settings.data_dir)
    if not root.is_dir():
        raise UsageError(f"DATA_DIR={root} is no folder")
    if any(root.glob(f"train-{images.IDX_IMAGES}*")):
        parts, scale = [idx_split(root, prefix) for prefix in ("train", "t10k")], FASHION
        classes = 1 + int(parts[0][1].max())
        if classes == 1:
            raise UsageError(f"{root}: one class in its train labels, at least 2 are needed")
    elif (root / "data_batch_1.bin").is_file():
        names, scale, classes = [f"data_batch_{i}.bin" for i in range(1, 6)], CIFAR, 10
        parts = [cifar_split(root, each, 1, classes) for each in (names, ["test_batch.bin"])]
    elif (root / "train.bin").is_file():
        scale, classes = CIFAR, 100
        parts = [cifar_split(root, [each], 2, classes) for each in ("train.bin", "test.bin")]
    elif (root / "train").is_dir():
        parts, scale = folder_splits(root), CIFAR
        classes = 1 + int(parts[0][1].max())
    else:
        raise UsageError(f"{root}: no IDX files, no CIFAR batches and no train/CLASS/ in it")
    generator, found = torch.Generator().manual_seed(ROLL_SEED), []
    for pixels, labels in parts:
        if settings.roll:
            pixels = rolled(pixels, generator)
        found.append(Split(pixels, labels, classes, scale))
    if found[0].shape != found[1].shape:
        raise UsageError(f"{root}: train images of {found[0].shape}, test images {found[1].shape}")
    return found


def teacher(settings):
    """Gaussian vectors, labelled by a random network; its classes are balanced on the train split.

    z <- phi(A z) four times, phi(z) = (1 - alpha) z + alpha tanh(z), and a linear readout.
    """
    s, d = settings, TEACHER_DIM
    generator = torch.Generator().manual_seed(s.seed ^ TEACHER_SEED)
    layers = [torch.randn(d, d, generator=generator) / d**0.5 for _ in range(TEACHER_LAYERS)]
    readout = torch.randn(TEACHER_CLASSES, d, generator=generator)
    counts = (s.teacher_train, s.teacher_test)
    inputs = [torch.randn(n, d, generator=generator) for n in counts]
    scores = []
    for z in inputs:
        for layer in layers:
            z = phi(z @ layer.T, s.teacher_alpha)
        scores.append(z @ readout.T)
    offset = -scores[0].mean(dim=0)
    for _ in range(TEACHER_ROUNDS):  # a class that wins too often is lowered, one too rare raised
        wins = F.one_hot((scores[0] + offset).argmax(dim=1), TEACHER_CLASSES)
        offset -= TEACHER_CLASSES * wins.float().mean(dim=0) - 1.0
    labels = [(each + offset).argmax(dim=1) for each in scores]
    return [Split(*each, TEACHER_CLASSES) for each in zip(inputs, labels, strict=True)]


def phi(z, alpha):
    """The teacher's nonlinearity: (1 - alpha) z + alpha tanh(z)."""
    return (1.0 - alpha) * z + alpha * torch.tanh(z)


def load_data(settings):
    """The training and the test split. Raises UsageError when they do not fit the knobs."""
    train, test = load_images(settings) if settings.data_dir else teacher(settings)
    counts = torch.bincount(train.labels, minlength=train.classes)
    if int(counts.min()) == 0:
        raise UsageError(f"class {int(counts.argmin())} has no training example")
    if int(test.labels.max()) >= train.classes:
        raise UsageError(f"class {int(test.labels.max())} is in the test labels alone")
    if settings.batch > len(train):
        raise UsageError(f"BATCH={settings.batch} exceeds the {len(train)} training examples")
    return train, test


class Loader(images.Loader):
    """Batches of a split, cropped and mirrored on request; a last part-batch is left out.

    All draws of an epoch are made when it begins, so that a place in it can be gone back to.
    """

    def __init__(self, split, batch, seed, device, augment):
        super().__init__(split, batch, seed, device)
        self.augment = augment

    def shuffle(self):
        """Begin an epoch."""
        super().shuffle()
        if self.augment:
            n = self.rows
            self.offsets = torch.randint(0, 2 * PAD + 1, (n, 2), generator=self.generator)
            self.flips = torch.randint(0, 2, (n,), generator=self.generator).bool()

    def next_batch(self):
        """Inputs (B, *shape) float32 and labels (B,)."""
        self.indices = self.next_rows()
        x, y = self.split.inputs(self.indices), self.split.labels[self.indices]
        if self.augment:
            x = cropped(x, self.offsets[self.places], self.flips[self.places])
        return x.to(self.device), y.to(self.device)


def cropped(x, offsets, flips):
    """Each image padded by zeros, cut out at its offset, and mirrored where its flip says so."""
    height, width = x.shape[2:]
    padded = F.pad(x, (PAD, PAD, PAD, PAD))
    cuts = [
        image[:, i : i + height, j : j + width]
        for image, (i, j) in zip(padded, offsets.tolist(), strict=True)
    ]
    x = torch.stack(cuts)
    return torch.where(flips.view(-1, 1, 1, 1), x.flip(3), x)
