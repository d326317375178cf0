"""The frozen baseline: a soup of pretrained experts, fused on a sphere and read off anchors.

    EXPERTS=tables python train_soup.py    # tables/NAME.safetensors and tables/labels.safetensors
    python train_soup.py                   # synthetic features, and said so in every line

Every setting is an environment variable of `Hyperparameters`. Importing this file has no effect.
This folder is frozen: features live in `train_gpt_style/soup`, which must equal this file.

Shape letters: B batch, N rows, E experts, D columns of an expert, O sphere, A anchors, C classes.
"""

import json
import math
import os
import random
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import safetensors
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


@dataclass(frozen=True)
class Hyperparameters:
    # data and run
    experts: str = knob("EXPERTS", "")
    seed: int = knob("SEED", 1234, 0, 2**63 - 1)
    soup_epochs: int = knob("SOUP_EPOCHS", 20, 0)
    soup_batch: int = knob("SOUP_BATCH", 512, 1)
    eval_every: int = knob("EVAL_EVERY", 1, 0)
    log_every: int = knob("LOG_EVERY", 10, 0)
    synthetic_rows: int = knob("SYNTHETIC_ROWS", 2048, 2)
    # model
    n_experts: int = knob("N_EXPERTS", 3, 1)
    expert_dim: int = knob("EXPERT_DIM", 768, 1)
    output_dim: int = knob("OUTPUT_DIM", 128, 2)
    n_anchors: int = knob("N_ANCHORS", 256, 1)
    n_comp: int = knob("N_COMP", 8, 1)
    d_comp: int = knob("D_COMP", 64, 1)
    classes: int = knob("CLASSES", 0, 0)
    # optimizer
    soup_lr: float = knob("SOUP_LR", 1e-3, 0.0)

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
        if args.n_anchors % args.n_comp:
            raise InputError(f"N_COMP={args.n_comp} must divide N_ANCHORS={args.n_anchors}")
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

LABELS = "labels.safetensors"


def read_table(path, dtype):
    """(train, val, digest of the image set) of a table."""
    try:
        with safetensors.safe_open(str(path), "pt") as file:
            images = json.loads((file.metadata() or {}).get("about", "{}")).get("images")
            names = sorted(file.keys())
            train, val = (file.get_tensor(n) if n in names else None for n in ("train", "val"))
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: no safetensors file: {error}") from None
    if names != ["train", "val"]:
        raise InputError(f"{path}: holds {names}, a table holds train and val")
    for name, rows in (("train", train), ("val", val)):
        if rows.ndim != 2 or not rows.numel() or rows.dtype is not dtype:
            raise InputError(f"{path}: {name} is {rows.dtype} {tuple(rows.shape)}")
        if dtype.is_floating_point and not np.isfinite(rows.numpy()).all():
            raise InputError(f"{path}: a row of {name} is not finite")
    if train.shape[1] != val.shape[1]:
        raise InputError(f"{path}: {train.shape[1]} columns in train, {val.shape[1]} in val")
    return train, val, images


class Split:
    """Unit rows of each expert, [(N, D)], and labels (N, C), of one part of the images."""

    def __init__(self, features, labels):
        self.features = [F.normalize(rows, dim=-1) for rows in features]
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def batch(self, rows, device):
        """[(B, D)] and labels (B, C), float."""
        features = [x[rows].to(device) for x in self.features]
        return features, self.labels[rows].float().to(device)


def load_tables(args):
    """(training split, validation split, kind) of the tables of a folder."""
    folder = Path(args.experts)
    if not folder.is_dir():
        raise InputError(f"EXPERTS={args.experts} is no folder")
    if not (folder / LABELS).is_file():
        raise InputError(f"{folder / LABELS}: there is no such table")
    *labels, images = read_table(folder / LABELS, torch.uint8)
    if not labels[1].numpy().any():
        raise InputError(f"{folder / LABELS}: val has no positive at all")
    for column, positive in enumerate(labels[0].numpy().any(axis=0)):
        if not positive:
            raise InputError(f"{folder / LABELS}: class {column} has no positive in train")
    paths = sorted(path for path in folder.glob("*.safetensors") if path.name != LABELS)
    if len(paths) != args.n_experts:
        raise InputError(f"{folder}: {len(paths)} experts, N_EXPERTS={args.n_experts}")
    tables = []
    for path in paths:
        train, val, of = read_table(path, torch.float32)
        if of is None or of != images:
            raise InputError(f"{path}: its rows are of another image set")
        if (len(train), len(val)) != (len(labels[0]), len(labels[1])):
            raise InputError(f"{path}: {len(train)} and {len(val)} rows do not fit the labels")
        tables.append((train, val))
    return [Split([t[i] for t in tables], labels[i]) for i in range(2)], "tables"


def make_synthetic(args):
    """Experts that see the same hidden cloud, one cluster a class, each in its own way."""
    classes, hidden = args.classes or 80, 16
    generator = torch.Generator().manual_seed(args.seed)
    train, val = args.synthetic_rows, math.ceil(args.synthetic_rows / 4)
    label = torch.randint(classes, (train + val,), generator=generator)
    cloud = torch.randn(classes, hidden, generator=generator)[label]
    cloud = cloud + 0.5 * torch.randn(train + val, hidden, generator=generator)
    features = []
    for _ in range(args.n_experts):
        seen = cloud @ torch.randn(hidden, args.expert_dim, generator=generator)
        features.append(seen + torch.randn(seen.shape, generator=generator))
    labels = (label.unsqueeze(1) == torch.arange(classes)).to(torch.uint8)
    parts = (slice(0, train), slice(train, train + val))
    return [Split([x[part] for x in features], labels[part]) for part in parts], "synthetic"


def load_data(args):
    """(training split, validation split), and where they are from."""
    (train, val), kind = load_tables(args) if args.experts else make_synthetic(args)
    if args.classes and args.classes != train.labels.shape[1]:
        raise InputError(f"CLASSES={args.classes}, but the data has {train.labels.shape[1]}")
    return train, val, kind


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


class Constellation(nn.Module):
    """Anchors (A, O), normalised where they are used."""

    def __init__(self, anchors):
        super().__init__()
        self.anchors = nn.Parameter(anchors)

    def forward(self, embedding):
        """Unit rows (B, O) to (B, A): 1 - cos to each anchor."""
        return 1 - embedding @ F.normalize(self.anchors, dim=-1).T


class Compartment(nn.Module):
    """Reads some of the anchors."""

    def __init__(self, inputs, width):
        super().__init__()
        self.up = nn.Linear(inputs, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, tri):
        """(B, A / n) to (B, c)."""
        return self.norm(self.down(F.gelu(self.up(tri))))


class Patchwork(nn.Module):
    """n compartments; compartment k reads anchors k, k + n, k + 2n, ..."""

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


class Readout(nn.Module):
    """Class logits of a unit embedding, through a constellation and a patchwork."""

    def __init__(self, anchors, compartments, width, classes):
        super().__init__()
        inner = compartments * width
        self.constellation = Constellation(anchors)
        self.patchwork = Patchwork(len(anchors), compartments, width)
        self.up = nn.Linear(inner + anchors.shape[1], inner)
        self.norm = nn.LayerNorm(inner)
        self.dropout = nn.Dropout(0.1)
        self.down = nn.Linear(inner, classes)

    def forward(self, embedding):
        """(B, O) to (B, C)."""
        seen = torch.cat((self.patchwork(self.constellation(embedding)), embedding), dim=1)
        return self.down(self.dropout(self.norm(F.gelu(self.up(seen)))))


class Projector(nn.Module):
    """An expert's row on its way to the sphere."""

    def __init__(self, width, output_dim):
        super().__init__()
        self.linear = nn.Linear(width, output_dim)
        self.norm = nn.LayerNorm(output_dim)

    def forward(self, rows):
        """(B, D) to (B, O)."""
        return self.norm(self.linear(rows))


class Soup(nn.Module):
    """Projected experts, averaged and normalised: one embedding, read off by anchors."""

    def __init__(self, widths, output_dim, n_anchors, n_comp, d_comp, classes):
        super().__init__()
        self.projectors = nn.ModuleList(Projector(width, output_dim) for width in widths)
        anchors = F.normalize(torch.randn(n_anchors, output_dim, generator=None), dim=-1)
        self.readout = Readout(anchors, n_comp, d_comp, classes)

    def embed(self, features):
        """[(B, D)] to unit rows (B, O)."""
        parts = [p(x) for p, x in zip(self.projectors, features, strict=True)]
        return F.normalize(torch.stack(parts).mean(dim=0), dim=-1)

    def forward(self, features):
        """[(B, D)] to the embedding (B, O) and logits (B, C)."""
        embedding = self.embed(features)
        return embedding, self.readout(embedding)


def build_model(args, ctx, widths=(), classes=0):
    """A fresh model on its device; widths and classes are the data's."""
    widths = widths or (args.expert_dim,) * args.n_experts
    sizes = (args.output_dim, args.n_anchors, args.n_comp, args.d_comp)
    return Soup(widths, *sizes, args.classes or classes or 80).to(ctx.device)


def loss_of(model, features, labels):
    """Binary cross-entropy over all classes, in nats, mean over rows and classes."""
    _, logits = model(features)
    return F.binary_cross_entropy_with_logits(logits.float(), labels)


# ----------------------------------------------------------------------------------------------
# Evaluation
# ----------------------------------------------------------------------------------------------


def average_precision(scores, positive):
    """Of one class: mean over its positives of the precision at their rank; ties by place."""
    order = np.argsort(-scores, kind="stable")
    hits = positive[order].astype(bool)
    ranks = np.arange(1, len(hits) + 1)
    return float((np.cumsum(hits)[hits] / ranks[hits]).mean())


def mean_average_precision(scores, labels):
    """Mean over the classes that have a positive."""
    have = labels.any(axis=0)
    every = [average_precision(scores[:, c], labels[:, c]) for c in np.flatnonzero(have)]
    return float(np.mean(every))


def macro_f1(scores, labels):
    """Mean over classes of F1 where a score above 0, a probability above 1/2, is a yes."""
    yes, truth = scores > 0, labels.astype(bool)
    both = (yes & truth).sum(axis=0)
    either = yes.sum(axis=0) + truth.sum(axis=0)
    return float(np.where(either > 0, 2 * both / np.maximum(either, 1), 0.0).mean())


def evaluate(args, model, ctx, split):
    """Loss in nats, mAP, F1, how often the top class is right, how many anchors are in use."""
    model.eval()
    total = torch.zeros((), dtype=torch.float64, device=ctx.device)
    scores, nearest = [], []
    with torch.no_grad():
        for rows in torch.arange(len(split)).split(args.soup_batch):
            features, labels = split.batch(rows, ctx.device)
            with ctx.autocast():
                embedding, logits = model(features)
                loss = F.binary_cross_entropy_with_logits(logits.float(), labels)
            total += loss.double() * len(labels)
            scores.append(logits.float().cpu())
            nearest.append(model.readout.constellation(embedding.float()).cpu())
    model.train()
    scores, labels = torch.cat(scores).numpy(), split.labels.numpy()
    active = len(np.unique(torch.cat(nearest).numpy().argmin(axis=1)))
    loss = (total / len(split)).item()
    top = float(labels[np.arange(len(labels)), scores.argmax(axis=1)].mean())
    return loss, mean_average_precision(scores, labels), macro_f1(scores, labels), top, active


# ----------------------------------------------------------------------------------------------
# The run
# ----------------------------------------------------------------------------------------------


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
    train_split, val_split, kind = load_data(args)

    def log(message):
        print(f"[synthetic] {message}" if kind == "synthetic" else message, flush=True)

    for f in fields(args):
        log(f"{f.name}:{getattr(args, f.name)}")
    widths = [x.shape[1] for x in train_split.features]
    log(f"data:{kind} train_rows:{len(train_split)} val_rows:{len(val_split)} widths:{widths}")
    model = build_model(args, ctx, widths, train_split.labels.shape[1])
    log(f"model_params:{sum(p.numel() for p in model.parameters())}")
    optimizer = torch.optim.Adam(model.parameters(), lr=args.soup_lr, fused=True)
    loader = Loader(len(train_split), args.soup_batch, args.seed)
    per_epoch = math.ceil(len(train_split) / args.soup_batch)
    steps = args.soup_epochs * per_epoch

    def validate(step):
        loss, precision, f1, top, active = evaluate(args, model, ctx, val_split)
        log(
            f"step:{step}/{steps} val_loss:{loss:.8f} val_map:{precision:.6f} val_f1:{f1:.6f} "
            f"val_top:{top:.6f} anchors:{active}/{args.n_anchors}"
        )

    model.train()
    ctx.synchronize()
    start = time.perf_counter()
    for step in range(1, steps + 1):
        features, labels = train_split.batch(loader.next_rows(), ctx.device)
        optimizer.zero_grad(set_to_none=True)
        with ctx.autocast():
            loss = loss_of(model, features, labels)
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
    Path("final_model.safetensors").write_bytes(safetensors.torch.save(state, {"data": kind}))


if __name__ == "__main__":
    main()
