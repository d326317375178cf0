"""Which files an image set consists of, and the digest by which tables of its rows name it."""

import hashlib
from pathlib import Path

from goldenseal.errors import UsageError
from train_gpt_style.kit.images import IDX_IMAGES, IDX_LABELS, IDX_PREFIXES


def image_files(root):
    """The files that an image set consists of, by their path below `root`, sorted."""
    root = Path(root)
    idx = {
        f"{prefix}-{kind}{suffix}"
        for prefix in IDX_PREFIXES.values()
        for kind in (IDX_IMAGES, IDX_LABELS)
        for suffix in ("", ".gz")
    }
    found = [path for path in root.iterdir() if path.name in idx]
    if not found:
        folders = [root / name for name in ("train", "val")]
        found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path for path in sorted(found)}


def images_digest(root):
    """SHA-512 over the SHA-512 and the name of each file of the image set, as sha512sum prints it.

    Raises UsageError where there is no image set.
    """
    if not Path(root).is_dir():
        raise UsageError(f"{root}: there is no such folder of images")
    whole = hashlib.sha512()
    files = image_files(root)
    if not files:
        raise UsageError(f"{root}: holds no image set")
    for name, path in files.items():
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha512").hexdigest()
        whole.update(f"{digest}  {name}\n".encode())
    return whole.hexdigest()
