"""The frozen baseline: a small vision transformer that learns given targets on a sphere.

    DATA_DIR=images TARGETS=targets.safetensors python train_student.py
    python train_student.py    # synthetic images and targets, and said so in every line

Images are folders or IDX files; targets are a table, one unit row an image. Loss: InfoNCE against
the targets of the batch, and their mean squared error. No pretrained weight is loaded.
Every setting is an environment variable of `Hyperparameters`. Importing this file has no effect.
This folder is frozen: features live in `train_gpt_style/soup_student`, which must equal this file.

Shape letters: B batch, S image side, T patches and one class token, D width, H heads, O sphere.
"""

import gzip
import hashlib
import json
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
import safetensors
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
    targets: str = knob("TARGETS", "")
    soup: str = knob("SOUP", "")
    seed: int = knob("SEED", 1234, 0, 2**63 - 1)
    epochs: int = knob("EPOCHS", 20, 0)
    batch: int = knob("BATCH", 48, 1)
    eval_every: int = knob("EVAL_EVERY", 1, 0)
    log_every: int = knob("LOG_EVERY", 10, 0)
    synthetic_images: int = knob("SYNTHETIC_IMAGES", 512, 1)
    # model
    img_size: int = knob("IMG_SIZE", 224, 1)
    patch_size: int = knob("PATCH_SIZE", 16, 1)
    channels: int = knob("CHANNELS", 3, 1, 3)
    depth: int = knob("DEPTH", 6, 1)
    dim: int = knob("DIM", 384, 1)
    heads: int = knob("HEADS", 6, 1)
    ffn_dim: int = knob("FFN_DIM", 1536, 1)
    output_dim: int = knob("OUTPUT_DIM", 128, 2)
    # optimizer and loss
    lr: float = knob("LR", 3e-4, 0.0)
    nce_weight: float = knob("NCE_WEIGHT", 1.0, 0.0)
    nce_temp: float = knob("NCE_TEMP", 0.07, 0.0078125)
    mse_weight: float = knob("MSE_WEIGHT", 0.5, 0.0)

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
            raise InputError(f"PATCH_SIZE={args.patch_size} must divide IMG_SIZE")
        if args.dim % args.heads:
            raise InputError(f"HEADS={args.heads} must divide DIM={args.dim}")
        if args.channels == 2:
            raise InputError("CHANNELS=2 must be 1 or 3")
        if bool(args.data_dir) != bool(args.targets):
            raise InputError("DATA_DIR and TARGETS belong together: give both or neither")
        if args.soup and not args.targets:
            raise InputError("SOUP needs TARGETS: the soup is the one that made them")
        if not args.nce_weight and not args.mse_weight:
            raise InputError("NCE_WEIGHT and MSE_WEIGHT are both 0: there is nothing to learn")
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
# Images
# ----------------------------------------------------------------------------------------------

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
MAX_PIXELS = 2**28
IDX_PREFIXES = {"train": "train", "val": "t10k"}


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
        return len(self.labels)

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

    def __init__(self, root, split, size):
        prefix = IDX_PREFIXES[split]
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
        return len(self.labels)

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


def images_digest(root):
    """SHA-512 over the SHA-512 and the name of each file of an image set, as sha512sum prints it."""
    idx = {
        f"{prefix}-{kind}-ubyte{suffix}"
        for prefix in IDX_PREFIXES.values()
        for kind in ("images-idx3", "labels-idx1")
        for suffix in ("", ".gz")
    }
    paths = [path for path in Path(root).iterdir() if path.name in idx]
    if not paths:
        paths = [p for name in ("train", "val") for p in (Path(root) / name).rglob("*")]
    whole = hashlib.sha512()
    for path in sorted(path for path in paths if path.is_file()):
        digest = hashlib.sha512(path.read_bytes()).hexdigest()
        whole.update(f"{digest}  {path.relative_to(root).as_posix()}\n".encode())
    return whole.hexdigest()


class SyntheticSplit:
    """Noise with random labels: there is nothing to learn but the images themselves."""

    kind = "synthetic"

    def __init__(self, count, size, seed):
        generator = torch.Generator().manual_seed(seed)
        shape = (count, 3, size, size)
        self.pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        self.labels = torch.randint(2, (count,), generator=generator)

    def __len__(self):
        return len(self.labels)

    def images(self, indices):
        """(B, 3, S, S) uint8."""
        return self.pixels[indices]


# ----------------------------------------------------------------------------------------------
# Targets
# ----------------------------------------------------------------------------------------------


def tensors_digest(path):
    """SHA-512 over name, dtype, shape and bytes of each tensor of a safetensors file, by name."""
    if not Path(path).is_file():
        raise InputError(f"SOUP={path}: there is no such file")
    try:
        tensors = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(f"SOUP={path}: no safetensors file: {error}") from None
    whole = hashlib.sha512()
    for name, t in sorted(tensors.items()):
        whole.update(f"{name}\0{t.dtype}\0{tuple(t.shape)}\0".encode())
        whole.update(t.detach().reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def read_targets(path):
    """(train, val, text about them) of a table of unit rows."""
    if not Path(path).is_file():
        raise InputError(f"TARGETS={path}: there is no such table")
    try:
        with safetensors.safe_open(str(path), "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            names = sorted(file.keys())
            train, val = (file.get_tensor(n) if n in names else None for n in ("train", "val"))
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: no safetensors file: {error}") from None
    if names != ["train", "val"]:
        raise InputError(f"{path}: holds {names}, a table holds train and val")
    for name, rows in (("train", train), ("val", val)):
        if rows.ndim != 2 or not rows.numel() or rows.dtype is not torch.float32:
            raise InputError(f"{path}: {name} is {rows.dtype} {tuple(rows.shape)}")
        if not np.isfinite(rows.numpy()).all():
            raise InputError(f"{path}: a row of {name} is not finite")
    if train.shape[1] != val.shape[1]:
        raise InputError(f"{path}: {train.shape[1]} columns in train, {val.shape[1]} in val")
    return train, val, about


def load_data(args):
    """(training images, validation images), (training targets, validation targets)."""
    if not args.data_dir:
        generator = torch.Generator().manual_seed(args.seed)
        counts = (args.synthetic_images, math.ceil(args.synthetic_images / 4))
        seeds = (args.seed, (args.seed + 1) % 2**63)
        splits = [SyntheticSplit(n, args.img_size, seed) for n, seed in zip(counts, seeds, strict=True)]
        rows = [torch.randn(n, args.output_dim, generator=generator) for n in counts]
        return splits, [F.normalize(r, dim=-1) for r in rows]
    if not Path(args.data_dir).is_dir():
        raise InputError(f"DATA_DIR={args.data_dir} is no folder")
    idx = any(Path(args.data_dir).glob("train-images-idx3-ubyte*"))
    split = IdxSplit if idx else FolderSplit
    splits = [split(args.data_dir, name, args.img_size) for name in ("train", "val")]
    train, val = splits
    if extra := sorted(set(val.names) - set(train.names)):
        raise InputError(f"{args.data_dir}: class {extra[0]} is in val/ and not in train/")
    places = torch.tensor([train.names.index(name) for name in val.names])
    val.labels = places[val.labels]
    *targets, about = read_targets(args.targets)
    if about.get("images") != images_digest(args.data_dir):
        raise InputError(f"{args.targets}: its rows are of another image set")
    if (len(targets[0]), len(targets[1])) != (len(train), len(val)):
        raise InputError(f"{args.targets}: its rows do not fit {len(train)} and {len(val)} images")
    if targets[0].shape[1] != args.output_dim:
        raise InputError(f"{args.targets}: OUTPUT_DIM={args.output_dim} is not its columns")
    if args.soup and about.get("soup") != tensors_digest(args.soup):
        raise InputError(f"{args.targets}: they are another soup's than SOUP={args.soup}")
    return splits, [F.normalize(rows, dim=-1) for rows in targets]


class Loader:
    """Places of a split in batches, in an order drawn anew for each epoch; the last is shorter."""

    def __init__(self, rows, batch, seed):
        self.rows, self.batch = rows, batch
        self.generator = torch.Generator().manual_seed(seed)
        self.order, self.at = torch.empty(0, dtype=torch.int64), 0

    def next_rows(self):
        """(B,) places."""
        if self.at >= len(self.order):
            self.order, self.at = torch.randperm(self.rows, generator=self.generator), 0
        self.at += self.batch
        return self.order[self.at - self.batch : self.at]


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
        """(B, T, D) to (B, T, D)."""
        B, T, D = x.shape
        qkv = self.qkv(x).view(B, T, 3, self.heads, D // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).reshape(B, T, D))


class Layer(nn.Module):
    """Attention, then a feed-forward network, each behind a norm and beside a residual."""

    def __init__(self, dim, heads, ffn_dim):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, ffn_dim)
        self.down = nn.Linear(ffn_dim, dim)

    def forward(self, x):
        """(B, T, D) to (B, T, D)."""
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Student(nn.Module):
    """Patches and a class token through pre-norm layers; its last state, on the sphere."""

    def __init__(self, img_size, patch_size, channels, depth, dim, heads, ffn_dim, output_dim):
        super().__init__()
        self.channels = channels
        self.patch = nn.Conv2d(channels, dim, patch_size, stride=patch_size)
        tokens = (img_size // patch_size) ** 2 + 1
        self.cls = nn.Parameter(torch.empty(1, 1, dim))
        self.position = nn.Parameter(torch.empty(1, tokens, dim))
        self.layers = nn.ModuleList(Layer(dim, heads, ffn_dim) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.hidden = nn.Linear(dim, dim)
        self.hidden_norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, output_dim)
        for name, p in self.named_parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p.flatten(1))
            elif "norm" not in name:
                nn.init.zeros_(p)

    def forward(self, images):
        """Images (B, channels, S, S), float, to unit rows (B, O)."""
        x = self.patch(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.size(0), -1, -1), x), dim=1) + self.position
        for layer in self.layers:
            x = layer(x)
        x = self.hidden_norm(F.gelu(self.hidden(self.norm(x)[:, 0])))
        return F.normalize(self.out(x), dim=-1)


def build_model(args, ctx):
    """A fresh model on its device; it knows how its loss is weighed."""
    sizes = (args.img_size, args.patch_size, args.channels, args.depth, args.dim)
    model = Student(*sizes, args.heads, args.ffn_dim, args.output_dim)
    model.weighed = (args.nce_weight, args.nce_temp, args.mse_weight)
    return model.to(ctx.device)


def seen(model, images):
    """The embedding (B, O) of uint8 images (B, 3, S, S)."""
    return model(images[:, : model.channels].float() / 127.5 - 1.0).float()


def loss_of(model, images, targets):
    """InfoNCE in nats against the targets of the batch, and mean squared error over coordinates.

    A term of weight 0 is not computed.
    """
    embedding = seen(model, images)
    nce_weight, nce_temp, mse_weight = model.weighed
    loss = 0.0
    if nce_weight:
        logits = embedding @ targets.T / nce_temp
        truth = torch.arange(len(targets), device=targets.device)
        loss = loss + nce_weight * F.cross_entropy(logits, truth)
    if mse_weight:
        loss = loss + mse_weight * (embedding - targets).square().mean()
    return loss


# ----------------------------------------------------------------------------------------------
# The run
# ----------------------------------------------------------------------------------------------


def rank_one(cosines):
    """How often a row of (N, N) is highest at its own place; a tie counts against it."""
    return float(((cosines >= cosines.diagonal()[:, None]).sum(axis=1) == 1).mean())


def evaluate(args, model, ctx, split, targets):
    """The mean squared error, the mean cosine to the target, and rank-one identification."""
    model.eval()
    found = []
    with torch.no_grad():
        for rows in torch.arange(len(split)).split(args.batch):
            images = split.images(rows).to(ctx.device)
            with ctx.autocast():
                found.append(seen(model, images))
    model.train()
    embedding, targets = torch.cat(found), targets.to(ctx.device)
    mse = (embedding - targets).square().mean()
    cosine = (embedding * targets).sum(dim=1).mean()
    mse, cosine = torch.stack((mse, cosine)).tolist()
    return mse, cosine, rank_one((embedding @ targets.T).cpu().numpy())


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
    (train_split, val_split), (train_targets, val_targets) = load_data(args)
    kind = train_split.kind

    def log(message):
        print(f"[synthetic] {message}" if kind == "synthetic" else message, flush=True)

    for f in fields(args):
        log(f"{f.name}:{getattr(args, f.name)}")
    log(f"data:{kind} train_images:{len(train_split)} val_images:{len(val_split)}")
    model = build_model(args, ctx)
    log(f"model_params:{sum(p.numel() for p in model.parameters())}")
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, fused=True)
    loader = Loader(len(train_split), args.batch, args.seed)
    per_epoch = math.ceil(len(train_split) / args.batch)
    steps = args.epochs * per_epoch

    def validate(step):
        mse, cosine, first = evaluate(args, model, ctx, val_split, val_targets)
        log(f"step:{step}/{steps} val_loss:{mse:.8f} val_cos:{cosine:.6f} val_r1:{first:.6f}")

    model.train()
    ctx.synchronize()
    start = time.perf_counter()
    for step in range(1, steps + 1):
        rows = loader.next_rows()
        images, targets = train_split.images(rows), train_targets[rows]
        images, targets = images.to(ctx.device), targets.to(ctx.device)
        optimizer.zero_grad(set_to_none=True)
        with ctx.autocast():
            loss = loss_of(model, images, targets)
        loss.backward()
        optimizer.step()
        if args.log_every and (step % args.log_every == 0 or step == 1):
            ctx.synchronize()
            ms = 1000.0 * (time.perf_counter() - start)
            log(f"step:{step}/{steps} loss:{loss.item():.6f} time:{ms:.0f}ms")
        if args.eval_every and step % (args.eval_every * per_epoch) == 0 and step < steps:
            validate(step)
    validate(steps)
    state = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    # No shape tells how many heads there are. One text, since safetensors keeps several in no order.
    about = {"about": json.dumps({"data": kind, "heads": args.heads}, sort_keys=True)}
    Path("final_model.safetensors").write_bytes(safetensors.torch.save(state, about))


if __name__ == "__main__":
    main()
