"""The command behind `make data-images`.

    python -m train_gpt_style.kit.fashion
    python -m train_gpt_style.kit.fashion --source ~/fashion --out data/fashion

Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747; MIT licence) comes from Debian's
package `dataset-fashion-mnist`. Its four files are compared with the committed SHA-512 and copied
into the folder that DATA_DIR then names; `kit.images` reads them as they are.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from train_gpt_style.kit.corpus.pins import read_lock
from verify.errors import CannotCheckError, ContradictedError, GoldensealError
from verify.files import atomic_write, hash_file

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("/usr/share/datasets/fashion-mnist")
OUT = Path("data/fashion-mnist")
LOCK = Path(__file__).with_name("digests.lock")
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


def main(arguments):
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m train_gpt_style.kit.fashion",
        description="Put Fashion-MNIST, checked, where DATA_DIR can name it.",
        epilog="Example: DATA_DIR=data/fashion-mnist IMAGE_SIZE=32 PATCH_SIZE=8 "
        "python -m train_gpt_style.vit_rft --steps 20 --batch 32",
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"the folder to make ({OUT})")
    parser.add_argument("--source", type=Path, default=INSTALLED, help="where the files lie")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        if not options.source.is_dir():
            install(options.source)
        check(options.source)
        place(options.source, options.out)
        digests = check(options.out)
    except (GoldensealError, OSError) as error:
        print(f"make data-images: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    for name, digest in digests.items():
        print(f"{digest}  {name}")
    print(f"{options.out}: digests hold")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
