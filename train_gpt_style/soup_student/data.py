"""Images and, for each, a target: the row that the student is to give. kit.tables reads targets.

Shape letters: B batch, N images, S image side, O sphere.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch

from goldenseal.errors import UsageError
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.kit.image_sets import images_digest
from train_gpt_style.kit.images import SyntheticSplit, load_splits
from train_gpt_style.kit.tables import SPLITS, Table
from train_gpt_style.soup_student.frozen import Frozen

SYNTHETIC_CLASSES = 2


@dataclass
class Data:
    """Splits of `kit.images` and unit targets (N, O), training and validation.

    about: what the table of targets says of itself. soup: the frozen soup that made them, if it is
    known. seen: the embedding of the validation images, as of the last validation. alignment: the
    queue of this run, where it has one.
    """

    train: Any
    val: Any
    train_targets: Any
    val_targets: Any
    about: dict[str, str] = field(default_factory=dict)
    soup: Any = None  # `frozen.Frozen`
    seen: Any = None
    alignment: Any = None  # `features.align.Queue`

    @property
    def kind(self):
        """Where the images are from."""
        return self.train.kind


def load_data(settings):
    """Images and targets. Raises UsageError when they do not fit each other or the knobs."""
    s = settings
    if not s.data_dir:
        generator = torch.Generator().manual_seed(s.seed)
        counts = (s.synthetic_images, math.ceil(s.synthetic_images / 4))
        seeds = (s.seed, (s.seed + 1) % 2**63)
        splits = [
            SyntheticSplit(n, SYNTHETIC_CLASSES, s.img_size, seed)
            for n, seed in zip(counts, seeds, strict=True)
        ]
        rows = [torch.randn(n, s.output_dim, generator=generator) for n in counts]
        return Data(*splits, *(unit(r) for r in rows))
    train, val = load_splits(s.data_dir, s.img_size)
    table = Table(s.targets)
    table.check_rows(images_digest(s.data_dir), len(train), len(val))
    if table.train.shape[1] != s.output_dim:
        raise UsageError(f"{s.targets}: {table.train.shape[1]} columns, OUTPUT_DIM={s.output_dim}")
    soup = Frozen(s.soup) if s.soup else None
    if soup is not None and table.about.get("soup") != soup.digest:
        raise UsageError(f"{s.targets}: they are another soup's than SOUP={s.soup}")
    targets = [unit(getattr(table, name)) for name in SPLITS]
    return Data(train, val, *targets, table.about, soup)
