"""Image files that must have one size: nothing is scaled or cut, so a published count stays one."""

from PIL import Image

from goldenseal.errors import UsageError
from train_gpt_style.kit.images import FolderSplit


class ExactFolder(FolderSplit):
    """Images that have the size already. Raises UsageError, one line, for another."""

    def __init__(self, root, split, size):
        super().__init__(root, split, size)
        for path in self.files:
            with Image.open(path) as image:
                width, height = image.size
            if (width, height) != (size, size):
                raise UsageError(f"{path}: {width} x {height} pixels, not {size} x {size}")
