"""The portable CV kernel on a fixed cloud, for benchmarks/portable.py: its numbers as a file.

Cloud and corners come from integers, so that every CPU starts from the same bits.
"""

import numpy as np
import safetensors.numpy

from train_gpt_style.geometry.portable import portable_cv, portable_volume2


def main():
    """Write volumes, CV and mean volume as geometry.safetensors."""
    rng = np.random.Generator(np.random.PCG64(7))
    points = rng.integers(-1000, 1000, (256, 48)) / 1024
    corners = np.stack([rng.permutation(256)[:5] for _ in range(4096)])
    cv, mean, count = portable_cv(points, corners)
    found = {
        "volume2": portable_volume2(points, corners),
        "cv": np.array([cv, mean, float(count)]),
    }
    safetensors.numpy.save_file(found, "geometry.safetensors")


main()
