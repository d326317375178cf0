"""Tables of experts as the soup sees them: unit rows, labels, batches by place.

Shape letters: B batch, N rows, D columns of an expert, C classes.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from goldenseal.errors import UsageError
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.kit.tables import LABELS, SPLITS, Table

SYNTHETIC_CLASSES, HIDDEN = 80, 16


class Split:
    """Unit rows of each expert, [(N, D)], and labels (N, C), of one part of the images."""

    def __init__(self, features, labels):
        self.features = [unit(rows) for rows in features]
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def batch(self, rows, device):
        """[(B, D)] and labels (B, C), float."""
        features = [x[rows].to(device) for x in self.features]
        return features, self.labels[rows].float().to(device)


@dataclass
class Data:
    """Both splits, and where they are from.

    images: the digest of the image set, None for synthetic rows. kept: what features work out once.
    """

    train: Split
    val: Split
    kind: str
    images: str | None
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def widths(self):
        """Columns of each expert."""
        return [x.shape[1] for x in self.train.features]

    @property
    def classes(self):
        """Columns of the labels."""
        return self.train.labels.shape[1]


def load_tables(folder, n_experts, names):
    """The tables of a folder. Raises UsageError, one line, where they do not fit.

    names: of those to read, as "a,b"; empty: all.
    """
    if not Path(folder).is_dir():
        raise UsageError(f"EXPERTS={folder} is no folder")
    folder = Path(folder)
    labels = Table(folder / LABELS, torch.uint8)
    val, train = labels.val.numpy(), labels.train.numpy()
    for split, rows in (("train", train), ("val", val)):
        if rows.max() > 1:
            raise UsageError(f"{folder / LABELS}: {split} holds other bytes than 0 and 1")
    if not val.any():
        raise UsageError(f"{folder / LABELS}: val has no positive at all")
    for column, positive in enumerate(train.any(axis=0)):
        if not positive:
            raise UsageError(f"{folder / LABELS}: class {column} has no positive in train")
    paths = sorted(path for path in folder.glob("*.safetensors") if path.name != LABELS)
    if names:
        known = {path.stem: path for path in paths}
        if lacking := [name for name in names.split(",") if name not in known]:
            raise UsageError(f"{folder}: no table {lacking[0]}; there are {', '.join(known)}")
        paths = [known[name] for name in sorted(names.split(","))]
    if len(paths) != n_experts:
        raise UsageError(f"{folder}: {len(paths)} experts, N_EXPERTS={n_experts}")
    tables = [Table(path) for path in paths]
    for table in tables:
        table.check_rows(labels.about.get("images", ""), len(labels.train), len(labels.val))
    parts = [Split([getattr(t, split) for t in tables], getattr(labels, split)) for split in SPLITS]
    return Data(*parts, "tables", labels.about["images"])


def make_synthetic(settings):
    """Experts that see the same hidden cloud, one cluster a class, each in its own way."""
    s = settings
    classes = s.classes or SYNTHETIC_CLASSES
    generator = torch.Generator().manual_seed(s.seed)
    train, val = s.synthetic_rows, math.ceil(s.synthetic_rows / 4)
    label = torch.randint(classes, (train + val,), generator=generator)
    cloud = torch.randn(classes, HIDDEN, generator=generator)[label]
    cloud = cloud + 0.5 * torch.randn(train + val, HIDDEN, generator=generator)
    features = []
    for _ in range(s.n_experts):
        seen = cloud @ torch.randn(HIDDEN, s.expert_dim, generator=generator)
        features.append(seen + torch.randn(seen.shape, generator=generator))
    labels = (label.unsqueeze(1) == torch.arange(classes)).to(torch.uint8)
    parts = (slice(0, train), slice(train, train + val))
    splits = (Split([x[part] for x in features], labels[part]) for part in parts)
    return Data(*splits, "synthetic", None)


def load_data(settings):
    """Both splits. Raises UsageError when they do not fit the knobs."""
    data = (
        load_tables(settings.experts, settings.n_experts, settings.expert_names)
        if settings.experts
        else make_synthetic(settings)
    )
    if settings.classes and settings.classes != data.classes:
        raise UsageError(f"CLASSES={settings.classes}, but the data has {data.classes}")
    return data
