"""The frozen baseline: a residual MLP, trained by backpropagation with AdamW.

    DATA_DIR=fashion ROLL=1 python train_resmlp.py   # Fashion-MNIST as IDX files, rolled
    DATA_DIR=cifar python train_resmlp.py            # CIFAR-10 or CIFAR-100 as binary batches
    python train_resmlp.py                           # a synthetic teacher; nothing is read

Every setting is an environment variable of `Hyperparameters`. Importing this file has no effect.
This folder is frozen: features live in `train_gpt_style/credit`, which must equal this file.

Shape letters: B batch, C classes, D width of the residual stream, I numbers of an input.
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
from torch import nn

# ----------------------------------------------------------------------------------------------
# Hyperparameters
# ----------------------------------------------------------------------------------------------


class InputError(ValueError):
    """The environment or the data is wrong; the message says what would be right."""


def knob(env, default, low=None, high=None):
    """One environment variable: its name, its default, and the closed range of legal values."""
    return field(default=default, metadata={"env": env, "low": low, "high": high})


def flag(text):
    """A switch: 0 or 1."""
    if text not in ("0", "1"):
        raise ValueError(text)
    return text == "1"


@dataclass(frozen=True)
class Hyperparameters:
    # data and run
    data_dir: str = knob("DATA_DIR", "")
    roll: bool = knob("ROLL", False)
    augment: bool = knob("AUGMENT", False)
    teacher_alpha: float = knob("TEACHER_ALPHA", 1.0, 0.0, 1.0)
    teacher_train: int = knob("TEACHER_TRAIN", 20000, 1)
    teacher_test: int = knob("TEACHER_TEST", 4000, 1)
    seed: int = knob("SEED", 42, 0, 2**63 - 1)
    steps: int = knob("STEPS", 1000, 0)
    batch: int = knob("BATCH", 128, 1)
    eval_every: int = knob("EVAL_EVERY", 0, 0)
    log_every: int = knob("LOG_EVERY", 10, 0)
    # model
    dim: int = knob("DIM", 256, 1)
    depth: int = knob("DEPTH", 4, 1)
    w2_std: float = knob("W2_STD", 0.01, 0.0)
    residual_add: bool = knob("RESIDUAL_ADD", True)
    # optimizer
    lr: float = knob("LR", 1e-3, 0.0)
    weight_decay: float = knob("WEIGHT_DECAY", 0.01, 0.0)
    schedule: str = knob("SCHEDULE", "cosine")

    @classmethod
    def from_env(cls, environ):
        """Read and check every knob; an empty value is the default."""
        values = {}
        for f in fields(cls):
            name, text = f.metadata["env"], environ.get(f.metadata["env"], "")
            try:
                value = (flag if f.type is bool else f.type)(text) if text else f.default
            except ValueError:
                raise InputError(f"{name}={text} is no {f.type.__name__}") from None
            low, high = f.metadata["low"], f.metadata["high"]
            bad = isinstance(value, float) and not math.isfinite(value)
            if bad or (low is not None and value < low) or (high is not None and value > high):
                raise InputError(f"{name}={text} is outside [{low}, {high}]")
            values[f.name] = value
        args = cls(**values)
        if args.schedule not in ("cosine", "constant"):
            raise InputError(f"SCHEDULE={args.schedule}: cosine or constant")
        for name in ("roll", "augment"):
            if getattr(args, name) and not args.data_dir:
                raise InputError(f"{name.upper()}=1 needs images: DATA_DIR is empty")
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

FASHION = ([0.2860], [0.3530])  # mean and standard deviation of each channel
CIFAR = ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616])
ROLL_SEED = 7
PAD = 4
TEACHER_DIM, TEACHER_LAYERS, TEACHER_CLASSES = 128, 4, 10
TEACHER_ROUNDS = 32
TEACHER_SEED = 2654435769  # apart from every SEED's own stream


class Split:
    """Inputs and labels in memory: images as bytes, or vectors as floats."""

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


def idx_split(root, prefix):
    """Grey images (n, 1, H, W) and their labels."""
    pixels = read_idx(idx_file(root, f"{prefix}-images-idx3-ubyte"), 3)
    labels = read_idx(idx_file(root, f"{prefix}-labels-idx1-ubyte"), 1)
    if len(labels) != len(pixels) or not len(labels):
        raise InputError(f"{root}: {len(pixels)} {prefix} images, {len(labels)} labels")
    return torch.from_numpy(pixels.copy()).unsqueeze(1), torch.from_numpy(labels.astype(np.int64))


def cifar_split(root, names, label_bytes, classes):
    """Images (n, 3, 32, 32) of binary batches; the last label byte of a record is the fine one."""
    size, parts = label_bytes + 3072, []
    for name in names:
        path = Path(root) / name
        if not path.is_file():
            raise InputError(f"{root}: there is no {name} in it")
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        if not len(data) or len(data) % size:
            raise InputError(f"{path}: {len(data)} bytes, no whole number of records of {size}")
        parts.append(data.reshape(-1, size))
    records = np.concatenate(parts)
    labels = torch.from_numpy(records[:, label_bytes - 1].astype(np.int64))
    if int(labels.max()) >= classes:
        raise InputError(f"{root}: label {int(labels.max())}, there are {classes} classes")
    pixels = records[:, label_bytes:].reshape(-1, 3, 32, 32)
    return torch.from_numpy(pixels.copy()), labels


def rolled(pixels, generator):
    """Each image rolled by rows and columns of its own, uniform over its sides."""
    n, _, height, width = pixels.shape
    dx, dy = (torch.randint(0, side, (n, 1), generator=generator) for side in (height, width))
    rows = (torch.arange(height) - dx) % height
    columns = (torch.arange(width) - dy) % width
    places = (rows.unsqueeze(2) * width + columns.unsqueeze(1)).view(n, 1, -1)
    return pixels.flatten(2).gather(2, places.expand(-1, pixels.size(1), -1)).view_as(pixels)


def load_images(args):
    """The two splits of a folder of IDX files or of CIFAR's binary batches."""
    root = Path(args.data_dir)
    if not root.is_dir():
        raise InputError(f"DATA_DIR={args.data_dir} is no folder")
    if any(root.glob("train-images-idx3-ubyte*")):
        parts, scale = [idx_split(root, prefix) for prefix in ("train", "t10k")], FASHION
        classes = 1 + int(parts[0][1].max())
        if classes < 2:
            raise InputError(f"{root}: one class in its train labels, at least 2 are needed")
    elif (root / "data_batch_1.bin").is_file():
        names, scale, classes = [f"data_batch_{i}.bin" for i in range(1, 6)], CIFAR, 10
        parts = [cifar_split(root, each, 1, classes) for each in (names, ["test_batch.bin"])]
    elif (root / "train.bin").is_file():
        scale, classes = CIFAR, 100
        parts = [cifar_split(root, [each], 2, classes) for each in ("train.bin", "test.bin")]
    else:
        raise InputError(f"{root}: no IDX files and no CIFAR batches in it")
    generator, found = torch.Generator().manual_seed(ROLL_SEED), []
    for pixels, labels in parts:
        if args.roll:
            pixels = rolled(pixels, generator)
        found.append(Split(pixels, labels, classes, scale))
    if found[0].shape != found[1].shape:
        raise InputError(f"{root}: train images of {found[0].shape}, test images {found[1].shape}")
    return found


def teacher(args):
    """Gaussian vectors, labelled by a random network; its classes are balanced on the train split."""
    generator = torch.Generator().manual_seed(args.seed ^ TEACHER_SEED)
    d, alpha = TEACHER_DIM, args.teacher_alpha
    layers = [torch.randn(d, d, generator=generator) / d**0.5 for _ in range(TEACHER_LAYERS)]
    readout = torch.randn(TEACHER_CLASSES, d, generator=generator)
    counts = (args.teacher_train, args.teacher_test)
    inputs = [torch.randn(n, d, generator=generator) for n in counts]
    scores = []
    for z in inputs:
        for layer in layers:
            z = z @ layer.T
            z = (1.0 - alpha) * z + alpha * torch.tanh(z)
        scores.append(z @ readout.T)
    offset = -scores[0].mean(dim=0)
    for _ in range(TEACHER_ROUNDS):  # a class that wins too often is lowered, one too rare raised
        wins = F.one_hot((scores[0] + offset).argmax(dim=1), TEACHER_CLASSES)
        offset -= TEACHER_CLASSES * wins.float().mean(dim=0) - 1.0
    labels = [(each + offset).argmax(dim=1) for each in scores]
    return [Split(*each, TEACHER_CLASSES) for each in zip(inputs, labels, strict=True)]


def load_data(args):
    """The training and the test split."""
    train, test = load_images(args) if args.data_dir else teacher(args)
    counts = torch.bincount(train.labels, minlength=train.classes)
    if int(counts.min()) == 0:
        raise InputError(f"class {int(counts.argmin())} has no training example")
    if int(test.labels.max()) >= train.classes:
        raise InputError(f"class {int(test.labels.max())} is in the test labels alone")
    if args.batch > len(train):
        raise InputError(f"BATCH={args.batch} exceeds the {len(train)} training examples")
    return train, test


class Loader:
    """Batches in an order drawn anew for each epoch; a last part-batch is left out."""

    def __init__(self, split, batch, seed, device, augment):
        self.split, self.batch, self.device, self.augment = split, batch, device, augment
        self.generator = torch.Generator().manual_seed(seed)
        self.order, self.at = torch.empty(0, dtype=torch.int64), 0

    def next_batch(self):
        """Inputs (B, *shape) float32 and labels (B,)."""
        if self.at + self.batch > len(self.order):
            self.order, self.at = torch.randperm(len(self.split), generator=self.generator), 0
            if self.augment:
                n = len(self.split)
                self.offsets = torch.randint(0, 2 * PAD + 1, (n, 2), generator=self.generator)
                self.flips = torch.randint(0, 2, (n,), generator=self.generator).bool()
        indices = self.order[self.at : self.at + self.batch]
        x, y = self.split.inputs(indices), self.split.labels[indices]
        if self.augment:
            places = slice(self.at, self.at + self.batch)
            x = cropped(x, self.offsets[places], self.flips[places])
        self.at += self.batch
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


# ----------------------------------------------------------------------------------------------
# Model
# ----------------------------------------------------------------------------------------------


class Block(nn.Module):
    """The branch of one layer: f(h) = w2(GELU(w1(ln(h))))."""

    def __init__(self, dim, w2_std):
        super().__init__()
        self.ln = nn.LayerNorm(dim)
        self.w1 = nn.Linear(dim, dim)
        self.w2 = nn.Linear(dim, dim)
        nn.init.normal_(self.w2.weight, std=w2_std)
        nn.init.zeros_(self.w2.bias)

    def forward(self, h):
        """(B, D) to (B, D)."""
        return self.w2(F.gelu(self.w1(self.ln(h))))


class ResMLP(nn.Module):
    """A flattened input, embedded; h_{l+1} = h_l + f_l(h_l); a norm and a linear head."""

    def __init__(self, inputs, dim, depth, classes, w2_std, residual_add):
        super().__init__()
        self.residual_add = residual_add
        self.embed = nn.Linear(inputs, dim)
        self.blocks = nn.ModuleList(Block(dim, w2_std) for _ in range(depth))
        self.out_ln = nn.LayerNorm(dim)
        self.out_head = nn.Linear(dim, classes)

    def forward(self, x, return_hidden=False):
        """(B, ...) float to logits (B, C); on request also the list h_0..h_L, each (B, D)."""
        hidden = [self.embed(x.flatten(1))]
        for block in self.blocks:
            h = hidden[-1]
            hidden.append(h + block(h) if self.residual_add else block(h))
        logits = self.out_head(self.out_ln(hidden[-1]))
        return (logits, hidden) if return_hidden else logits


def build_model(args, ctx, shape=(3, 32, 32), classes=10):
    """A fresh model on its device, for inputs of that shape."""
    sizes = (math.prod(shape), args.dim, args.depth, classes)
    return ResMLP(*sizes, args.w2_std, args.residual_add).to(ctx.device)


def loss_and_correct(model, x, y):
    """Mean cross-entropy in nats, and how many of inputs `x` are classified as `y`."""
    logits = model(x)
    return F.cross_entropy(logits.float(), y), (logits.argmax(dim=1) == y).sum()


def rate(args, step):
    """The learning rate of step number `step`, from 0: a cosine to 0, or constant."""
    if args.schedule == "constant":
        return args.lr
    return 0.5 * args.lr * (1.0 + math.cos(math.pi * step / args.steps))


# ----------------------------------------------------------------------------------------------
# The run
# ----------------------------------------------------------------------------------------------


def evaluate(args, model, ctx, split):
    """(loss in nats, accuracy) over the whole split."""
    model.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=ctx.device)
    with torch.no_grad():
        for indices in torch.arange(len(split)).split(args.batch):
            x, y = split.inputs(indices).to(ctx.device), split.labels[indices].to(ctx.device)
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
    train_split, test_split = load_data(args)

    def log(message):
        print(message, flush=True)

    for f in fields(args):
        log(f"{f.name}:{getattr(args, f.name)}")
    log(f"classes:{train_split.classes} train:{len(train_split)} test:{len(test_split)}")
    model = build_model(args, ctx, train_split.shape, train_split.classes)
    log(f"model_params:{sum(p.numel() for p in model.parameters())}")
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=args.lr, weight_decay=args.weight_decay, fused=True
    )
    loader = Loader(train_split, args.batch, args.seed, ctx.device, args.augment)

    def validate(step):
        loss, accuracy = evaluate(args, model, ctx, test_split)
        log(f"step:{step}/{args.steps} val_loss:{loss:.8f} val_acc:{accuracy:.6f}")

    model.train()
    ctx.synchronize()
    start = time.perf_counter()
    for step in range(1, args.steps + 1):
        x, y = loader.next_batch()
        for group in optimizer.param_groups:
            group["lr"] = rate(args, step - 1)
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
                f"acc:{correct.item() / args.batch:.4f} time:{ms:.0f}ms"
            )
        if args.eval_every and step % args.eval_every == 0 and step < args.steps:
            validate(step)
    validate(args.steps)
    state = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    Path("final_model.safetensors").write_bytes(safetensors.torch.save(state))


if __name__ == "__main__":
    main()
