"""Images of exactly IMG_SIZE, or smaller grey ones padded to it; and two random views of each.

Shape letters: B batch, S image side.
"""

import hashlib
import math

import numpy as np
import torch

from goldenseal.errors import UsageError
from train_gpt_style.kit.exact_images import ExactFolder
from train_gpt_style.kit.images import IdxSplit, SyntheticSplit, load_splits

PAD = 4  # pixels by which a view may be moved


class PaddedIdx(IdxSplit):
    """Grey images in the middle of zeros. Raises UsageError when they are larger than that."""

    def __init__(self, root, split, size):
        super().__init__(root, split, size)
        height, width = self.pixels.shape[1:]
        if max(height, width) > size:
            raise UsageError(f"{root}: images of {width} x {height}, but IMG_SIZE={size}")

    def images(self, indices):
        """(B, 3, S, S) uint8, the three channels equal."""
        grey = self.pixels[indices.numpy()]
        count, height, width = grey.shape
        top, left = (self.size - height) // 2, (self.size - width) // 2
        whole = np.zeros((count, 3, self.size, self.size), np.uint8)
        whole[:, :, top : top + height, left : left + width] = grey[:, None]
        return torch.from_numpy(whole)


def load_data(settings):
    """The training and the validation split. Raises UsageError when they do not fit the knobs."""
    s = settings
    if s.data_dir:
        train, val = load_splits(s.data_dir, s.img_size, ExactFolder, PaddedIdx)
    else:
        seeds = (s.seed, (s.seed + 1) % 2**63)
        counts = (s.synthetic_images, math.ceil(s.synthetic_images / 4))
        train, val = (
            SyntheticSplit(count, s.classes, s.img_size, seed)
            for count, seed in zip(counts, seeds, strict=True)
        )
    if s.classes < len(train.names):
        raise UsageError(f"CLASSES={s.classes}, but the data has {len(train.names)}")
    if s.batch > len(train):
        raise UsageError(f"BATCH={s.batch} exceeds the {len(train)} training images")
    return train, val


def own_generator(seed, step, place=0):
    """A generator for one use, `place`, in one step: no draw of any other moves it.

    Of a seed torch's CPU generator takes the low 32 bits alone, so all three are hashed into them.
    """
    digest = hashlib.sha512(f"{seed} {step} {place}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))


def view(images, generator):
    """A random crop, flip, contrast and brightness of each image: (B, 3, S, S) uint8 to float."""
    B, _, S, _ = images.shape
    top = torch.randint(2 * PAD + 1, (B, 1), generator=generator)
    left = torch.randint(2 * PAD + 1, (B, 1), generator=generator)
    flipped = torch.randint(2, (B, 1), generator=generator)
    contrast = 0.875 + 0.25 * torch.rand(B, 1, 1, 1, generator=generator)
    brightness = 0.25 * torch.rand(B, 1, 1, 1, generator=generator) - 0.125
    places = torch.arange(S)
    rows = (top + places).view(B, 1, S, 1)
    columns = left + places + flipped * (S - 1 - 2 * places)
    padded = images.new_zeros(B, 3, S + 2 * PAD, S + 2 * PAD)
    padded[:, :, PAD : PAD + S, PAD : PAD + S] = images
    own = torch.arange(B).view(B, 1, 1, 1), torch.arange(3).view(1, 3, 1, 1)
    cropped = padded[(*own, rows, columns.view(B, 1, 1, S))]
    return scaled(cropped) * contrast + brightness


def scaled(images):
    """uint8 to floats in [-1, 1]."""
    return images.float() / 127.5 - 1.0


def two_views(images, seed, step):
    """Views a and b of each image, (2 B, 3, S, S): all of a, then all of b."""
    generator = own_generator(seed, step)
    return torch.cat([view(images, generator) for _ in range(2)])
