"""The frozen baseline: ViT-Tiny, trained with Adam on images in folders, on IDX files or on noise.

    DATA_DIR=images python train_vit.py    # images/train/CLASS/*.png and images/val/CLASS/*.png
    python train_vit.py                    # synthetic images and labels, and said so in every line

Every setting is an environment variable of `Hyperparameters`. Importing this file has no effect.
This folder is frozen: features live in `train_gpt_style/vit_rft`, which must equal this file.

Shape letters: B batch, C classes, S image side, T patches and one class token, D width, H heads.
"""

import gzip
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
    steps: int = knob("STEPS", 1000, 0)
    batch: int = knob("BATCH", 256, 1)
    eval_every: int = knob("EVAL_EVERY", 0, 0)
    log_every: int = knob("LOG_EVERY", 10, 0)
    synthetic_images: int = knob("SYNTHETIC_IMAGES", 512, 1)
    # model
    image_size: int = knob("IMAGE_SIZE", 224, 1)
    patch_size: int = knob("PATCH_SIZE", 16, 1)
    dim: int = knob("DIM", 192, 1)
    depth: int = knob("DEPTH", 12, 1)
    heads: int = knob("HEADS", 3, 1)
    classes: int = knob("CLASSES", 0, 0)
    # optimizer
    lr: float = knob("LR", 5e-4, 0.0)
    beta1: float = knob("BETA1", 0.9, 0.0, 1.0)
    beta2: float = knob("BETA2", 0.999, 0.0, 1.0)
    adam_eps: float = knob("ADAM_EPS", 1e-8, 0.0)
    adam_path: str = knob("ADAM_PATH", "fused")

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
        if args.image_size % args.patch_size:
            raise InputError(f"PATCH_SIZE={args.patch_size} must divide IMAGE_SIZE")
        if args.dim % args.heads:
            raise InputError(f"HEADS={args.heads} must divide DIM={args.dim}")
        if args.adam_path not in ("for-loop", "foreach", "fused"):
            raise InputError(f"ADAM_PATH={args.adam_path}: for-loop, foreach or fused")
        for name in ("beta1", "beta2"):
            if getattr(args, name) == 1.0:
                raise InputError(f"{name.upper()}=1.0 must be less than 1")
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
MAX_PIXELS = 2**28


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
                check_image(path)
            self.files += found
            labels += [label] * len(found)
        self.labels = torch.tensor(labels)

    def __len__(self):
        return len(self.files)

    def images(self, indices):
        """(B, 3, S, S) uint8."""
        return stack([read_image(self.files[i], self.size) for i in indices])


def check_image(path):
    """The file must begin as an image does."""
    if not path.is_file() or path.suffix.lower() not in IMAGE_SUFFIXES:
        raise InputError(f"{path}: not an image; it must end in {', '.join(IMAGE_SUFFIXES)}")
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise InputError(f"{path}: corrupt: it cannot be read as an image") from None
    if width * height > MAX_PIXELS:
        raise InputError(f"{path}: {width} x {height} pixels, more than {MAX_PIXELS}")


def read_image(path, size):
    """An image file as (S, S, 3) uint8."""
    try:
        with Image.open(path) as image:
            return fit(image.convert("RGB"), size)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise InputError(f"{path}: corrupt: it cannot be read as an image") from None


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
    """Grey images and their labels in the two IDX files of a split."""

    kind = "idx"
    prefixes = {"train": "train", "val": "t10k"}

    def __init__(self, root, split, size):
        prefix = self.prefixes[split]
        self.size = size
        self.pixels = read_idx(idx_file(root, f"{prefix}-images-idx3-ubyte"), 3)
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
        """(B, 3, S, S) uint8."""
        grey = (Image.fromarray(self.pixels[i]).convert("RGB") for i in indices)
        return stack([fit(image, self.size) for image in grey])


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
        classes = args.classes or 1000
        seeds = (args.seed, (args.seed + 1) % 2**63)
        counts = (args.synthetic_images, math.ceil(args.synthetic_images / 4))
        train, val = (
            SyntheticSplit(count, classes, args.image_size, seed)
            for count, seed in zip(counts, seeds, strict=True)
        )
    else:
        if not Path(args.data_dir).is_dir():
            raise InputError(f"DATA_DIR={args.data_dir} is no folder")
        idx = any(Path(args.data_dir).glob("train-images-idx3-ubyte*"))
        split = IdxSplit if idx else FolderSplit
        train, val = (split(args.data_dir, name, args.image_size) for name in ("train", "val"))
        if extra := sorted(set(val.names) - set(train.names)):
            raise InputError(f"{args.data_dir}: class {extra[0]} is in val/ and not in train/")
        places = torch.tensor([train.names.index(name) for name in val.names])
        val.labels = places[val.labels]
    if args.classes and args.classes < len(train.names):
        raise InputError(f"CLASSES={args.classes}, but the data has {len(train.names)}")
    if args.batch > len(train):
        raise InputError(f"BATCH={args.batch} exceeds the {len(train)} training images")
    return train, val


class Loader:
    """Batches of a split, in an order drawn anew for each epoch; a last part-batch is left out."""

    def __init__(self, split, batch, seed, device):
        self.split, self.batch, self.device = split, batch, device
        self.generator = torch.Generator().manual_seed(seed)
        self.order, self.at = torch.empty(0, dtype=torch.int64), 0

    def next_batch(self):
        """Images (B, 3, S, S) uint8 and labels (B,)."""
        if self.at + self.batch > len(self.order):
            self.order, self.at = torch.randperm(len(self.split), generator=self.generator), 0
        indices = self.order[self.at : self.at + self.batch]
        self.at += self.batch
        x, y = self.split.images(indices), self.split.labels[indices]
        return x.to(self.device), y.to(self.device)


# ----------------------------------------------------------------------------------------------
# Model
# ----------------------------------------------------------------------------------------------


class Attention(nn.Module):
    """Multi-head self-attention over all tokens."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        B, T, D = x.shape
        qkv = self.qkv(x).view(B, T, 3, self.heads, D // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).reshape(B, T, D))


class Block(nn.Module):
    """Attention, then an MLP of four widths, each behind a norm and beside a residual."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.up = nn.Linear(dim, 4 * dim)
        self.down = nn.Linear(4 * dim, dim)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class ViT(nn.Module):
    """Patches and a class token through pre-norm blocks; the class token is classified."""

    def __init__(self, image_size, patch_size, dim, depth, heads, classes):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, patch_size, stride=patch_size)
        self.cls = nn.Parameter(torch.empty(1, 1, dim))
        tokens = (image_size // patch_size) ** 2 + 1
        self.position = nn.Parameter(torch.empty(1, tokens, dim))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, classes)
        for name, p in self.named_parameters():
            if "norm" in name:
                continue
            if name.endswith("bias"):
                nn.init.zeros_(p)
            else:
                nn.init.trunc_normal_(p, std=0.02)

    def forward(self, images):
        """Images (B, 3, S, S), float, to logits (B, C)."""
        x = self.patch(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.size(0), -1, -1), x), dim=1) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def build_model(args, ctx, classes=0):
    """A fresh model on its device; `classes` where CLASSES leaves it to the data."""
    classes = args.classes or classes or 1000
    sizes = (args.image_size, args.patch_size, args.dim, args.depth, args.heads)
    return ViT(*sizes, classes).to(ctx.device)


def loss_and_correct(model, x, y):
    """Mean cross-entropy in nats, and how many of uint8 images `x` are classified as `y`."""
    logits = model(x.float() / 127.5 - 1.0)
    return F.cross_entropy(logits.float(), y), (logits.argmax(dim=1) == y).sum()


def build_optimizer(args, model):
    """Adam on every parameter, by the named implementation."""
    return torch.optim.Adam(
        model.parameters(),
        lr=args.lr,
        betas=(args.beta1, args.beta2),
        eps=args.adam_eps,
        foreach=args.adam_path == "foreach",
        fused=args.adam_path == "fused",
    )


# ----------------------------------------------------------------------------------------------
# The run
# ----------------------------------------------------------------------------------------------


def evaluate(args, model, ctx, split):
    """(loss in nats, accuracy) over the whole split."""
    model.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=ctx.device)
    with torch.no_grad():
        for indices in torch.arange(len(split)).split(args.batch):
            x, y = split.images(indices).to(ctx.device), split.labels[indices].to(ctx.device)
            with ctx.autocast():
                loss, correct = loss_and_correct(model, x, y)
            sums[0] += loss.double() * len(y)
            sums[1] += correct
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
    model = build_model(args, ctx, len(train_split.names))
    log(f"model_params:{sum(p.numel() for p in model.parameters())}")
    optimizer = build_optimizer(args, model)
    loader = Loader(train_split, args.batch, args.seed, ctx.device)

    def validate(step):
        loss, accuracy = evaluate(args, model, ctx, val_split)
        log(f"step:{step}/{args.steps} val_loss:{loss:.8f} val_{acc}:{accuracy:.6f}")

    model.train()
    ctx.synchronize()
    start = time.perf_counter()
    for step in range(1, args.steps + 1):
        x, y = loader.next_batch()
        optimizer.zero_grad(set_to_none=True)
        with ctx.autocast():
            loss, correct = loss_and_correct(model, x, y)
        loss.backward()
        optimizer.step()
        if args.log_every and (step % args.log_every == 0 or step == 1):
            ctx.synchronize()
            ms = 1000.0 * (time.perf_counter() - start)
            log(
                f"step:{step}/{args.steps} loss:{loss.item():.6f} "
                f"{acc}:{correct.item() / args.batch:.4f} time:{ms:.0f}ms"
            )
        if args.eval_every and step % args.eval_every == 0 and step < args.steps:
            validate(step)
    validate(args.steps)
    state = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    metadata = {"data": train_split.kind}
    Path("final_model.safetensors").write_bytes(safetensors.torch.save(state, metadata=metadata))


if __name__ == "__main__":
    main()
