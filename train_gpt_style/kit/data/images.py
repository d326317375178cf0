"""`data images`: Fashion-MNIST, real images of ten kinds of clothing.

Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747; MIT licence) comes from Debian's
package `dataset-fashion-mnist`. Its four files are compared with the committed SHA-512 and copied
into the folder that DATA_DIR then names; `kit.images` reads them as they are.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from goldenseal.disk.files import atomic_write, hash_file
from goldenseal.errors import CannotCheckError, ContradictedError
from train_gpt_style.kit.data.corpus.pins import read_lock

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("/usr/share/datasets/fashion-mnist")
OUT = Path("data/fashion-mnist")
LOCK = Path(__file__).with_name("fashion-mnist.lock")
INSTALL = ["apt-get", "install", "-y", "-q", PACKAGE]


def install(source):
    """Have the package installed, where that is permitted. Raises CannotCheckError otherwise."""
    line = " ".join(["sudo", *INSTALL])
    if source != INSTALLED:
        raise CannotCheckError(f"{source}: no such folder")
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise CannotCheckError(f"{source} is not there; on Debian or Ubuntu type: {line}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(INSTALL, capture_output=True, text=True, check=False, env=environ)
    if done.returncode != 0 or not source.is_dir():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotCheckError(f"apt-get could not install {PACKAGE} ({reason}); type: {line}")


def check(folder):
    """SHA-512 by name of the four files.

    Raises CannotCheckError for one that is missing, ContradictedError for other bytes than pinned.
    """
    found = {}
    for name, pinned in sorted(read_lock(LOCK).items()):
        if not (folder / name).is_file():
            raise CannotCheckError(f"{folder / name}: missing; run `make data-images`")
        found[name] = hash_file(folder / name)
        if found[name] != pinned:
            raise ContradictedError(
                f"{folder / name}: SHA-512 is {found[name]}, in {LOCK.name} it is {pinned}"
            )
    return found


def place(source, out):
    """Copy the checked files of `source` into `out`, which is made; other files stay there."""
    out.mkdir(parents=True, exist_ok=True)
    for name in sorted(read_lock(LOCK)):
        atomic_write(out / name, (source / name).read_bytes())


def images(
    out: Annotated[Path, typer.Option(help="The folder to make.")] = OUT,
    source: Annotated[Path, typer.Option(help="Where the files lie.")] = INSTALLED,
) -> None:
    """Put Fashion-MNIST, checked, where DATA_DIR can name it.

    Where its files are not there, Debian's package is installed, if that is permitted.
    """
    if not source.is_dir():
        install(source)
    check(source)
    place(source, out)
    for name, digest in check(out).items():
        print(f"{digest}  {name}")
    print(f"{out}: digests hold")
