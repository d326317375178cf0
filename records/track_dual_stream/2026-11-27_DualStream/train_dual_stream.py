"""The frozen baseline: the GeoLIP dual-stream ViT (reconstructed), Run 1: BCE and InfoNCE.

    DATA_DIR=images python train_dual_stream.py  # images/train/CLASS/*.png, images/val/CLASS/*.png
    python train_dual_stream.py                  # synthetic images and labels, said in every line

IDX files, as MNIST comes, are read too, and padded with zeros to IMG_SIZE. Every setting is an
environment variable of `Hyperparameters`. Importing this file has no effect. This folder is frozen:
features live in `train_gpt_style/dual_stream`, which must equal this file.

Shape letters: B batch, C classes, S image side, P tokens, D width, H heads, O sphere, A anchors.
"""

import gzip
import hashlib
import math
import os
import random
import struct
import time
import zlib
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
from PIL import Image, UnidentifiedImageError
from torch import nn

# ----------------------------------------------------------------------------------------------
# Hyperparameters
# ----------------------------------------------------------------------------------------------


class InputError(ValueError):
    """The environment or the data is wrong; the message says what would be right."""


def knob(env, default, low=None, high=None):
    """One environment variable: its name, its default, and the closed range of legal values."""
    return field(default=default, metadata={"env": env, "low": low, "high": high})


@dataclass(frozen=True)
class Hyperparameters:
    # data and run
    data_dir: str = knob("DATA_DIR", "")
    seed: int = knob("SEED", 1234, 0, 2**63 - 1)
    epochs: int = knob("EPOCHS", 20, 0)
    batch: int = knob("BATCH", 128, 2)
    log_every: int = knob("LOG_EVERY", 10, 0)
    synthetic_images: int = knob("SYNTHETIC_IMAGES", 512, 1)
    classes: int = knob("CLASSES", 10, 2)
    # model
    img_size: int = knob("IMG_SIZE", 32, 1)
    patch_size: int = knob("PATCH_SIZE", 4, 1)
    embed_dim: int = knob("EMBED_DIM", 384, 1)
    stream_dim: int = knob("STREAM_DIM", 192, 1)
    fused_dim: int = knob("FUSED_DIM", 256, 1)
    n_dual_blocks: int = knob("N_DUAL_BLOCKS", 2, 1)
    n_fused_blocks: int = knob("N_FUSED_BLOCKS", 4, 0)
    n_heads: int = knob("N_HEADS", 8, 1)
    output_dim: int = knob("OUTPUT_DIM", 128, 2)
    n_anchors: int = knob("N_ANCHORS", 64, 2)
    n_comp: int = knob("N_COMP", 8, 1)
    d_comp: int = knob("D_COMP", 64, 1)
    anchor_drop: float = knob("ANCHOR_DROP", 0.1, 0.0, 1.0)
    # loss
    bce_weight: float = knob("BCE_WEIGHT", 1.0, 0.0)
    label_smoothing: float = knob("LABEL_SMOOTHING", 0.0, 0.0, 1.0)
    infonce_weight: float = knob("INFONCE_WEIGHT", 0.5, 0.0)
    infonce_temp: float = knob("INFONCE_TEMP", 0.07, 2**-10)
    # optimizer
    lr: float = knob("LR", 3e-4, 0.0)
    weight_decay: float = knob("WEIGHT_DECAY", 0.01, 0.0)
    warmup: int = knob("WARMUP", 5, 0)
    grad_clip: float = knob("GRAD_CLIP", 1.0, 0.0)

    @classmethod
    def from_env(cls, environ):
        """Read and check every knob; an empty value is the default."""
        values = {}
        for f in fields(cls):
            name, text = f.metadata["env"], environ.get(f.metadata["env"], "")
            try:
                value = f.type(text) if text else f.default
            except ValueError:
                raise InputError(f"{name}={text} is no {f.type.__name__}") from None
            low, high = f.metadata["low"], f.metadata["high"]
            bad = isinstance(value, float) and not math.isfinite(value)
            if bad or (low is not None and value < low) or (high is not None and value > high):
                raise InputError(f"{name}={text} is outside [{low}, {high}]")
            values[f.name] = value
        args = cls(**values)
        if args.img_size % args.patch_size:
            raise InputError(f"PATCH_SIZE={args.patch_size} must divide IMG_SIZE={args.img_size}")
        for name in ("stream_dim", "fused_dim"):
            if getattr(args, name) % args.n_heads:
                raise InputError(f"N_HEADS={args.n_heads} must divide {name.upper()}")
        if args.n_anchors % args.n_comp:
            raise InputError(f"N_COMP={args.n_comp} must divide N_ANCHORS={args.n_anchors}")
        if not (args.bce_weight or args.infonce_weight):
            raise InputError("BCE_WEIGHT=0 and INFONCE_WEIGHT=0: there is nothing to train")
        return args


class Context:
    """Where the process runs."""

    def __init__(self, environ):
        self.cuda = torch.cuda.is_available()
        self.device = torch.device("cuda" if self.cuda else "cpu")
        self.bf16 = self.cuda and torch.cuda.is_bf16_supported()

    def autocast(self):
        """bfloat16 activations where the device has them."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()

    def synchronize(self):
        """Wait for the device, so that the clock reads what was really done."""
        if self.cuda:
            torch.cuda.synchronize()


# ----------------------------------------------------------------------------------------------
# Data
# ----------------------------------------------------------------------------------------------

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")


class FolderSplit:
    """Images DATA_DIR/SPLIT/CLASS/FILE; the label of a class is its place in sorted order."""

    kind = "folder"

    def __init__(self, root, split, size):
        folder = Path(root) / split
        if not folder.is_dir():
            raise InputError(f"{root}: there is no folder {split}/ in it")
        self.size, self.files, labels = size, [], []
        self.names = sorted(e.name for e in folder.iterdir() if e.is_dir() and e.name[0] != ".")
        if len(self.names) < 2:
            raise InputError(f"{folder}: {len(self.names)} class folders, at least 2 are needed")
        for label, name in enumerate(self.names):
            found = sorted(p for p in (folder / name).iterdir() if p.name[0] != ".")
            if not found:
                raise InputError(f"{folder / name}: no image in it")
            for path in found:
                check_image(path, size)
            self.files += found
            labels += [label] * len(found)
        self.labels = torch.tensor(labels)

    def __len__(self):
        return len(self.files)

    def images(self, indices):
        """(B, 3, S, S) uint8."""
        return stack([read_image(self.files[i]) for i in indices])


def check_image(path, size):
    """The file must begin as an image of that size does."""
    if not path.is_file() or path.suffix.lower() not in IMAGE_SUFFIXES:
        raise InputError(f"{path}: not an image; it must end in {', '.join(IMAGE_SUFFIXES)}")
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise InputError(f"{path}: corrupt: it cannot be read as an image") from None
    if (width, height) != (size, size):
        raise InputError(f"{path}: {width} x {height} pixels, but IMG_SIZE={size}")


def read_image(path):
    """An image file as (S, S, 3) uint8."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise InputError(f"{path}: corrupt: it cannot be read as an image") from None


def stack(images):
    """(S, S, 3) arrays to a (B, 3, S, S) tensor."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


class IdxSplit:
    """Grey images and their labels in the two IDX files of a split."""

    kind = "idx"
    prefixes = {"train": "train", "val": "t10k"}

    def __init__(self, root, split, size):
        prefix = self.prefixes[split]
        self.size = size
        self.pixels = read_idx(idx_file(root, f"{prefix}-images-idx3-ubyte"), 3)
        height, width = self.pixels.shape[1:]
        if max(height, width) > size:
            raise InputError(f"{root}: images of {width} x {height}, but IMG_SIZE={size}")
        labels = read_idx(idx_file(root, f"{prefix}-labels-idx1-ubyte"), 1)
        if len(labels) != len(self.pixels) or not len(labels):
            raise InputError(f"{root}: {len(self.pixels)} {split} images, {len(labels)} labels")
        self.labels = torch.from_numpy(labels.astype(np.int64))
        self.names = [str(i) for i in range(int(self.labels.max()) + 1)]
        if len(self.names) < 2:
            raise InputError(f"{root}: one class in its {split} labels, at least 2 are needed")

    def __len__(self):
        return len(self.pixels)

    def images(self, indices):
        """(B, 3, S, S) uint8, the image in the middle of zeros."""
        grey = self.pixels[indices.numpy()]
        count, height, width = grey.shape
        top, left = (self.size - height) // 2, (self.size - width) // 2
        whole = np.zeros((count, 3, self.size, self.size), np.uint8)
        whole[:, :, top : top + height, left : left + width] = grey[:, None]
        return torch.from_numpy(whole)


def idx_file(root, name):
    """The file of that name, plain or gzipped."""
    for path in (Path(root) / name, Path(root) / f"{name}.gz"):
        if path.is_file():
            return path
    raise InputError(f"{root}: there is no {name} or {name}.gz in it")


def read_idx(path, rank):
    """An IDX file of bytes as a uint8 array with `rank` dimensions."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            header = file.read(4 + 4 * rank)
            if len(header) < 4 + 4 * rank or header[:4] != bytes([0, 0, 8, rank]):
                raise InputError(f"{path}: no IDX file of bytes with {rank} dimensions")
            shape = struct.unpack(f">{rank}I", header[4:])
            count = math.prod(shape)
            if count > 2**32:
                raise InputError(f"{path}: says that it holds {count} bytes")
            data = file.read(count + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: corrupt: {error}") from None
    if len(data) != count:
        raise InputError(f"{path}: {'more' if len(data) > count else 'less'} than {count} bytes")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


class SyntheticSplit:
    """Noise with random labels: there is nothing to learn but the images themselves."""

    kind = "synthetic"

    def __init__(self, count, classes, size, seed):
        generator = torch.Generator().manual_seed(seed)
        shape = (count, 3, size, size)
        self.pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        self.labels = torch.randint(classes, (count,), generator=generator)
        self.names = [str(i) for i in range(classes)]

    def __len__(self):
        return len(self.labels)

    def images(self, indices):
        """(B, 3, S, S) uint8."""
        return self.pixels[indices]


def load_data(args):
    """The training and the validation split."""
    if not args.data_dir:
        seeds = (args.seed, (args.seed + 1) % 2**63)
        counts = (args.synthetic_images, math.ceil(args.synthetic_images / 4))
        train, val = (
            SyntheticSplit(count, args.classes, args.img_size, seed)
            for count, seed in zip(counts, seeds, strict=True)
        )
    else:
        if not Path(args.data_dir).is_dir():
            raise InputError(f"DATA_DIR={args.data_dir} is no folder")
        idx = any(Path(args.data_dir).glob("train-images-idx3-ubyte*"))
        split = IdxSplit if idx else FolderSplit
        train, val = (split(args.data_dir, name, args.img_size) for name in ("train", "val"))
        if extra := sorted(set(val.names) - set(train.names)):
            raise InputError(f"{args.data_dir}: class {extra[0]} is in val/ and not in train/")
        places = torch.tensor([train.names.index(name) for name in val.names])
        val.labels = places[val.labels]
    if args.classes < len(train.names):
        raise InputError(f"CLASSES={args.classes}, but the data has {len(train.names)}")
    if args.batch > len(train):
        raise InputError(f"BATCH={args.batch} exceeds the {len(train)} training images")
    return train, val


class Loader:
    """Batches of a split, in an order drawn anew for each epoch; a last part-batch is left out."""

    def __init__(self, split, batch, seed):
        self.split, self.batch = split, batch
        self.generator = torch.Generator().manual_seed(seed)
        self.order, self.at = torch.empty(0, dtype=torch.int64), 0

    def next_batch(self):
        """Images (B, 3, S, S) uint8 and labels (B,)."""
        if self.at + self.batch > len(self.order):
            self.order, self.at = torch.randperm(len(self.split), generator=self.generator), 0
        indices = self.order[self.at : self.at + self.batch]
        self.at += self.batch
        return self.split.images(indices), self.split.labels[indices]


PAD = 4  # pixels by which a view may be moved


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
    # Of a seed torch's CPU generator takes the low 32 bits alone, so both are hashed into them.
    digest = hashlib.sha512(f"{seed} {step} 0".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))
    return torch.cat([view(images, generator) for _ in range(2)])


# ----------------------------------------------------------------------------------------------
# Geometry
# ----------------------------------------------------------------------------------------------

PAIRS = ((0, 0, 0, 0, 1, 1, 1, 2, 2, 3), (1, 2, 3, 4, 2, 3, 4, 3, 4, 4))


def doubled_gram(d):
    """Ten squared distances to the upper triangle of twice the Gram matrix of edges from 0."""
    a, b, c, e = d[0], d[1], d[2], d[3]
    off = a + b - d[4], a + c - d[5], a + e - d[6], b + c - d[7], b + e - d[8], c + e - d[9]
    return (2 * a, *off[:3], 2 * b, *off[3:5], 2 * c, off[5], 2 * e)


def minors(h):
    """The 2 x 2 minors of rows 1-2 (columns 12 13 14 23 24 34) and of rows 3-4, in that order."""
    h11, h12, h13, h14, h22, h23, h24, h33, h34, h44 = h
    top = (
        h11 * h22 - h12 * h12,
        h11 * h23 - h12 * h13,
        h11 * h24 - h12 * h14,
        h12 * h23 - h22 * h13,
        h12 * h24 - h22 * h14,
        h13 * h24 - h23 * h14,
    )
    low = (
        h13 * h24 - h14 * h23,
        h13 * h34 - h14 * h33,
        h13 * h44 - h14 * h34,
        h23 * h34 - h24 * h33,
        h23 * h44 - h24 * h34,
        h33 * h44 - h34 * h34,
    )
    return top, low


def expanded(d):
    """vol2 of ten rows of squared distances, (10, ...) to (...), by plain arithmetic."""
    s, c = minors(doubled_gram(d))
    whole = s[0] * c[5] - s[1] * c[4] + s[2] * c[3] + s[3] * c[2] - s[4] * c[1] + s[5] * c[0]
    return whole / 9216


def slopes(d):
    """d vol2 / d of each of the ten squared distances: ten tensors of the shape of a row."""
    h = doubled_gram(d)
    h11, h12, h13, h14, h22, h23, h24, h33, h34, h44 = h
    s, c = minors(h)
    a11 = h22 * c[5] - h23 * c[4] + h24 * c[3]
    a12 = h13 * c[4] - h12 * c[5] - h14 * c[3]
    a13 = h24 * s[5] - h34 * s[4] + h44 * s[3]
    a14 = h33 * s[4] - h23 * s[5] - h34 * s[3]
    a22 = h11 * c[5] - h13 * c[2] + h14 * c[1]
    a23 = h34 * s[2] - h14 * s[5] - h44 * s[1]
    a24 = h13 * s[5] - h33 * s[2] + h34 * s[1]
    a33 = h14 * s[4] - h24 * s[2] + h44 * s[0]
    a34 = h23 * s[2] - h13 * s[4] - h34 * s[0]
    a44 = h13 * s[3] - h23 * s[1] + h33 * s[0]
    first = (
        a11 + a12 + a13 + a14,
        a12 + a22 + a23 + a24,
        a13 + a23 + a33 + a34,
        a14 + a24 + a34 + a44,
    )
    rest = (-a12, -a13, -a14, -a23, -a24, -a34)
    return [slope / 4608 for slope in (*first, *rest)]


class Volume2(torch.autograd.Function):
    """`expanded`, whose gradient is `slopes`."""

    @staticmethod
    def forward(ctx, d):
        """(10, ...) to (...)."""
        ctx.save_for_backward(d)
        return expanded(d)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        """(...) to (10, ...)."""
        (d,) = ctx.saved_tensors
        return torch.stack([slope * grad for slope in slopes(d)])


class KSimplex(nn.Module):
    """Each token deforms a regular simplex of five points in 8 dimensions, and reads its shape."""

    def __init__(self, dim):
        super().__init__()
        self.deform = nn.Linear(dim, 40)
        self.norm = nn.LayerNorm(11)
        template = torch.zeros(5, 8, dtype=torch.float64)
        template[:, :5] = torch.diag(torch.ones(5, dtype=torch.float64)) - 1 / 5
        template = (template / math.sqrt(2.0)).float()
        self.register_buffer("template", template, persistent=False)
        for name, pair in zip(("left", "right"), PAIRS, strict=True):
            self.register_buffer(name, torch.tensor(pair), persistent=False)

    def forward(self, x):
        """(B, P, D) to features (B, P, 11) and squared volumes (B, P)."""
        B, P, _ = x.shape
        corners = self.template + 0.05 * self.deform(x).view(B, P, 5, 8)
        edges = corners.index_select(2, self.left) - corners.index_select(2, self.right)
        distances = edges.square().sum(dim=3).permute(2, 0, 1).contiguous()
        found = Volume2.apply(distances)
        raw = torch.cat((distances, found.unsqueeze(0))).permute(1, 2, 0)
        return self.norm(raw), found


def unit(t):
    """Rows of length 1."""
    return F.normalize(t, dim=-1, eps=1e-12)


def orthogonal_anchors(count, dim):
    """Orthonormal rows; where count > dim, random rows besides, and then all repel each other."""
    drawn = torch.randn(count, dim)
    rows = []
    for row in drawn[:dim]:
        for _ in range(2):
            if rows:
                basis = torch.stack(rows)
                row = row - (basis @ row) @ basis
            row = unit(row)
        rows.append(row)
    anchors = torch.cat((torch.stack(rows), unit(drawn[dim:])))
    if count > dim:
        not_itself = 2 * torch.diag(torch.ones(count))
        for _ in range(200):
            nearest = (anchors @ anchors.T - not_itself).argmax(dim=1)
            anchors = unit(anchors - 0.05 * anchors[nearest])
    return anchors


class Constellation(nn.Module):
    """How far an embedding is from each anchor, 1 - cos; in training some columns are 0."""

    def __init__(self, anchors, drop):
        super().__init__()
        self.anchors, self.drop = nn.Parameter(anchors), drop

    def forward(self, embedding):
        """(B, O) to (B, A)."""
        tri = 1 - embedding @ unit(self.anchors).T
        if self.training and self.drop > 0:
            tri = tri * (torch.rand(tri.shape[1], device=tri.device) >= self.drop)
        return tri


class Compartment(nn.Module):
    """A small network that reads some of the anchors."""

    def __init__(self, inputs, width):
        super().__init__()
        self.up = nn.Linear(inputs, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, tri):
        return self.norm(self.down(F.gelu(self.up(tri))))


class Patchwork(nn.Module):
    """Compartment k reads anchors k, k + n, k + 2n, ...; their outputs side by side."""

    def __init__(self, anchors, compartments, width):
        super().__init__()
        self.compartments = compartments
        self.parts = nn.ModuleList(
            Compartment(anchors // compartments, width) for _ in range(compartments)
        )

    def forward(self, tri):
        """(B, A) to (B, n c)."""
        columns = tri.view(tri.shape[0], -1, self.compartments).unbind(dim=2)
        return torch.cat([part(c) for part, c in zip(self.parts, columns, strict=True)], dim=1)


# ----------------------------------------------------------------------------------------------
# Model
# ----------------------------------------------------------------------------------------------


class Attention(nn.Module):
    """Queries of x, keys and values of `context`; queries and keys are normed head by head."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.value, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.query_norm = nn.LayerNorm(dim // heads)
        self.key_norm = nn.LayerNorm(dim // heads)

    def forward(self, x, context):
        """(B, P, D) and (B, P, D) to (B, P, D)."""
        B, P, D = x.shape
        shape = (B, P, self.heads, D // self.heads)
        q = self.query_norm(self.query(x).view(shape)).transpose(1, 2)
        k = self.key_norm(self.key(context).view(shape)).transpose(1, 2)
        v = self.value(context).view(shape).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(B, P, D))


class FeedForward(nn.Module):
    """Four widths and GELU."""

    def __init__(self, dim):
        super().__init__()
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))


class Stream(nn.Module):
    """One stream's half of a block: attention to itself, to the other stream, feed forward."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm2, self.cross = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm3, self.feed = nn.LayerNorm(dim), FeedForward(dim)

    def alone(self, x):
        """What comes before the streams meet."""
        h = self.norm1(x)
        return x + self.attention(h, h)

    def meet(self, x, other):
        """What the other stream says, then the feed forward."""
        x = x + self.cross(self.norm2(x), other)
        return x + self.feed(self.norm3(x))


class GeoStream(Stream):
    """A stream that reads simplices after it attended to itself."""

    def __init__(self, dim, heads):
        super().__init__(dim, heads)
        self.simplex, self.lift = KSimplex(dim), nn.Linear(11, dim)

    def alone(self, x):
        """The stream, and the squared volumes (B, P) of its simplices."""
        x = super().alone(x)
        features, volume2 = self.simplex(x)
        return x + self.lift(features), volume2


class DualBlock(nn.Module):
    """Both streams meet at the same time: each reads the other as it was before."""

    def __init__(self, dim, heads):
        super().__init__()
        self.geo, self.std = GeoStream(dim, heads), Stream(dim, heads)

    def forward(self, geo, std):
        """(B, P, D) twice to the same, and squared volumes (B, P)."""
        geo, volume2 = self.geo.alone(geo)
        std = self.std.alone(std)
        return self.geo.meet(geo, std), self.std.meet(std, geo), volume2


class FusedBlock(nn.Module):
    """Attention and feed forward behind norms."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm2, self.feed = nn.LayerNorm(dim), FeedForward(dim)

    def forward(self, x):
        h = self.norm1(x)
        x = x + self.attention(h, h)
        return x + self.feed(self.norm2(x))


class Fusion(nn.Module):
    """Both streams side by side into one of another width, and blocks on that."""

    def __init__(self, stream_dim, fused_dim, blocks, heads, output_dim):
        super().__init__()
        self.fuse = nn.Linear(2 * stream_dim, fused_dim)
        self.blocks = nn.ModuleList(FusedBlock(fused_dim, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(fused_dim)
        self.output_proj = projection(fused_dim, output_dim)

    def forward(self, geo, std):
        """(B, P, D) twice to tokens (B, P, fused)."""
        x = self.fuse(torch.cat((geo, std), dim=2))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def projection(inputs, outputs):
    """What leads to the sphere."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.LayerNorm(outputs))


class Classifier(nn.Module):
    """Logits from the patchwork and what stands beside it."""

    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.up, self.norm = nn.Linear(inputs, hidden), nn.LayerNorm(hidden)
        self.out = nn.Linear(hidden, classes)

    def forward(self, x):
        h = self.norm(F.gelu(self.up(x)))
        return self.out(F.dropout(h, 0.1, self.training))


class DualStream(nn.Module):
    """Patches into two streams, one fed by simplices; fused, projected to a sphere, classified."""

    def __init__(self, args):
        super().__init__()
        a = self.args = args
        self.patch = nn.Linear(3 * a.patch_size**2, a.embed_dim)
        tokens = (a.img_size // a.patch_size) ** 2
        self.position = nn.Parameter(torch.empty(tokens, a.embed_dim))
        self.geo_in = nn.Linear(a.embed_dim, a.stream_dim)
        self.std_in = nn.Linear(a.embed_dim, a.stream_dim)
        self.dual = nn.ModuleList(
            DualBlock(a.stream_dim, a.n_heads) for _ in range(a.n_dual_blocks)
        )
        self.joint = Fusion(*(a.stream_dim, a.fused_dim, a.n_fused_blocks, a.n_heads, a.output_dim))
        anchors = orthogonal_anchors(a.n_anchors, a.output_dim)
        self.constellation = Constellation(anchors, a.anchor_drop)
        self.patchwork = Patchwork(a.n_anchors, a.n_comp, a.d_comp)
        width = a.n_comp * a.d_comp
        self.classifier = Classifier(width + a.output_dim, width, a.classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, images):
        """Images (B, 3, S, S), float, to unit embeddings (B, O) and logits (B, C)."""
        B, _, S, _ = images.shape
        p = self.args.patch_size
        patches = images.view(B, 3, S // p, p, S // p, p).permute(0, 2, 4, 1, 3, 5)
        x = self.patch(patches.reshape(B, (S // p) ** 2, 3 * p * p)) + self.position
        geo, std = self.geo_in(x), self.std_in(x)
        for block in self.dual:
            geo, std, _ = block(geo, std)
        tokens = self.joint(geo, std)
        emb = unit(self.joint.output_proj(tokens.mean(dim=1)))
        read = self.patchwork(self.constellation(emb))
        return emb, self.classifier(torch.cat((read, emb), dim=1))


def build_model(args, ctx):
    """A fresh model on its device."""
    return DualStream(args).to(ctx.device)


def bce(logits, y, smoothing):
    """Sigmoid cross-entropy, mean over classes and batch; targets y (1 - s) + s / C."""
    targets = F.one_hot(y, logits.shape[1]).float()
    if smoothing:
        targets = targets * (1 - smoothing) + smoothing / logits.shape[1]
    return F.binary_cross_entropy_with_logits(logits.float(), targets)


def loss_and_facts(model, views, y):
    """The loss of views a and b (2 B, 3, S, S) of images of classes y (B,), and what to say of it.

    correct: how many of the 2 B are classified as y. hits: how many of a's embeddings have their
    own b as the nearest.
    """
    args = model.args
    emb, logits = model(views)
    both = torch.cat((y, y))
    total, facts = 0, {"correct": (logits.argmax(dim=1) == both).sum()}
    if args.bce_weight:
        facts["bce"] = bce(logits, both, args.label_smoothing)
        total = total + args.bce_weight * facts["bce"]
    if args.infonce_weight:
        a, b = emb.float().chunk(2)
        similar, own = a @ b.T / args.infonce_temp, torch.arange(len(a), device=a.device)
        facts["nce"] = F.cross_entropy(similar, own)
        facts["hits"] = (similar.argmax(dim=1) == own).sum()
        total = total + args.infonce_weight * facts["nce"]
    return total, facts


def build_optimizer(args, model):
    """AdamW; anchors do not decay."""
    anchors = [model.constellation.anchors]
    others = [p for p in model.parameters() if p is not anchors[0]]
    groups = [{"params": others}, {"params": anchors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=args.lr, weight_decay=args.weight_decay, fused=True)


def lr_factor(step, steps, warmup):
    """Of step number `step`, from 1: a line up to `warmup`, then half a cosine, 0 past the end."""
    if step <= warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup + 1)))


# ----------------------------------------------------------------------------------------------
# The run
# ----------------------------------------------------------------------------------------------


def evaluate(args, model, ctx, split):
    """(BCE, accuracy) over the whole split."""
    model.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=ctx.device)
    with torch.no_grad():
        for indices in torch.arange(len(split)).split(args.batch):
            x, y = scaled(split.images(indices)).to(ctx.device), split.labels[indices]
            y = y.to(ctx.device)
            with ctx.autocast():
                _, logits = model(x)
                loss = bce(logits, y, 0.0)
            sums[0] += loss.double() * len(y)
            sums[1] += (logits.argmax(dim=1) == y).sum()
    model.train()
    loss, accuracy = (sums / len(split)).tolist()
    return loss, accuracy


def seed_everything(args):
    """Every global generator."""
    random.seed(args.seed)
    np.random.seed(args.seed % 2**32)
    torch.manual_seed(args.seed)


def main(environ=os.environ):
    """Train as `environ` says; writes final_model.safetensors into the current folder."""
    args = Hyperparameters.from_env(environ)
    ctx = Context(environ)
    seed_everything(args)
    train_split, val_split = load_data(args)
    synthetic = train_split.kind == "synthetic"
    acc = "chance" if synthetic else "acc"  # random labels have no accuracy

    def log(message):
        print(f"[synthetic] {message}" if synthetic else message, flush=True)

    for f in fields(args):
        log(f"{f.name}:{getattr(args, f.name)}")
    log(f"data:{train_split.kind} train_images:{len(train_split)} val_images:{len(val_split)}")
    model = build_model(args, ctx)
    log(f"model_params:{sum(p.numel() for p in model.parameters())}")
    optimizer = build_optimizer(args, model)
    loader = Loader(train_split, args.batch, args.seed)
    per_epoch = len(train_split) // args.batch
    steps, warmup = args.epochs * per_epoch, args.warmup * per_epoch

    def validate(step):
        loss, accuracy = evaluate(args, model, ctx, val_split)
        epoch = step // per_epoch
        log(
            f"step:{step}/{steps} epoch:{epoch}/{args.epochs} "
            f"val_loss:{loss:.8f} val_{acc}:{accuracy:.6f}"
        )

    model.train()
    ctx.synchronize()
    start = time.perf_counter()
    for step in range(1, steps + 1):
        images, y = loader.next_batch()
        views, y = two_views(images, args.seed, step).to(ctx.device), y.to(ctx.device)
        for group in optimizer.param_groups:
            group["lr"] = args.lr * lr_factor(step, steps, warmup)
        optimizer.zero_grad(set_to_none=True)
        with ctx.autocast():
            loss, facts = loss_and_facts(model, views, y)
        loss.backward()
        if args.grad_clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), args.grad_clip)
        optimizer.step()
        if args.log_every and (step % args.log_every == 0 or step == 1):
            ctx.synchronize()
            ms = 1000.0 * (time.perf_counter() - start)
            told = " ".join(f"{k}:{v.item():.6f}" for k, v in facts.items() if k in ("bce", "nce"))
            log(
                f"step:{step}/{steps} loss:{loss.item():.6f} {told} "
                f"{acc}:{facts['correct'].item() / (2 * args.batch):.4f} time:{ms:.0f}ms"
            )
        if step % per_epoch == 0 and step < steps:
            validate(step)
    validate(steps)
    state = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    metadata = {"data": train_split.kind}
    Path("final_model.safetensors").write_bytes(safetensors.torch.save(state, metadata=metadata))


if __name__ == "__main__":
    main()
