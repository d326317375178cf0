"""The first images of an IDX set, as a set of its own: tables are rows of whole sets."""

from pathlib import Path

import numpy as np

from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from train_gpt_style.kit.images import IDX_IMAGES, IDX_LABELS, IDX_PREFIXES, idx_file, read_idx


def sample(source: Path, out: Path, counts: dict[str, int]) -> None:
    """Write the first `counts` images and labels of each split into `out`, as plain IDX files.

    Raises UsageError where there are fewer.
    """
    out.mkdir(parents=True, exist_ok=True)
    for split, prefix in IDX_PREFIXES.items():
        for kind, rank in ((IDX_IMAGES, 3), (IDX_LABELS, 1)):
            name = f"{prefix}-{kind}"
            values = read_idx(idx_file(source, name), rank)
            if len(values) < counts[split]:
                raise UsageError(f"{source}: {len(values)} {split} images, {counts[split]} wanted")
            chosen = np.ascontiguousarray(values[: counts[split]])
            header = bytes([0, 0, 8, rank]) + np.array(chosen.shape, ">u4").tobytes()
            data = header + chosen.tobytes()
            path = out / name
            if not path.is_file() or path.read_bytes() != data:
                atomic_write(path, data)
