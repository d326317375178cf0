"""An old torch pickle to safetensors, once, in a process that by then can open nothing.

The child reads the pickle's bytes from its standard input, gives up the right to open a file, a
socket or a process, unpickles weights only, and writes safetensors to its standard output, which is
one file that the parent opened. Training and all tools read that file; none loads a pickle.
"""

import io
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from goldenseal.digest import tensor_digest
from goldenseal.errors import CannotCheckError, ContradictedError
from train_gpt_style.kit.data.experts import fetch
from train_gpt_style.kit.data.experts.pins import Expert

NOBODY = 65_534
REFUSED = ("open", "socket.", "subprocess.", "os.", "shutil.", "ctypes.", "resource.")
MAX_SECONDS = 120
SEARCHED = os.pathsep.join(sys.path)
ROOM = 2**30  # bytes of memory beside what the child has when it begins to read
SAFELY = {"map_location": "cpu", "weights_only": True}


def converted(data: bytes, expert: Expert, out: Path) -> None:
    """Write the weights of a pickle to `out`, whole or not at all.

    `data` must be the pinned bytes, which is asked again here: whoever calls this, no other bytes
    reach a parser. A name is the place in the pickle and the name there. Raises ContradictedError
    when the child fails, or when what it made is not what is pinned; CannotCheckError when it takes
    too long.
    """
    fetch.check(data, expert, expert.member)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".convert-") as folder:
        made = Path(folder) / out.name
        with open(made, "wb") as file:
            try:
                done = subprocess.run(
                    [sys.executable, "-m", __name__],
                    input=data,
                    stdout=file,
                    stderr=subprocess.PIPE,
                    timeout=MAX_SECONDS,
                    check=False,
                    env={"PATH": "", "OMP_NUM_THREADS": "1", "PYTHONPATH": SEARCHED},
                )
            except subprocess.TimeoutExpired:
                words = f"not converted within {MAX_SECONDS} s"
                raise CannotCheckError(f"{expert.member}: {words}: try again") from None
        if done.returncode != 0:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason"]
            raise ContradictedError(f"{expert.member}: cannot be converted: {lines[-1]}")
        check(made, expert)
        os.replace(made, out)


def check(path: Path, expert: Expert) -> None:
    """Raise ContradictedError unless the file holds the pinned tensors, all of them finite."""
    import safetensors
    import safetensors.torch

    try:
        tensors = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise ContradictedError(f"{path}: no safetensors file: {error}") from None
    for name, t in tensors.items():
        if not bool(t.isfinite().all()):
            raise ContradictedError(f"{path}: {name} is not finite")
    found = tensor_digest(tensors)
    if found != expert.digest:
        raise ContradictedError(f"{path}: digest is {found}, pinned is {expert.digest}")


# -- in the child ---------------------------------------------------------------------------------


def confine(size: int = 0) -> None:
    """From here on this process opens no file, no socket and no process; open ones stay.

    Nor does it write a file of more than twice `size` bytes, that of the pickle, and 1 MiB, or take
    more memory than eight times that and `ROOM`.
    """
    pages = int(Path("/proc/self/statm").read_bytes().split()[0]) if size else 0
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)  # else root could lift the limits again
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if size:
        written, memory = 2 * size + 2**20, pages * resource.getpagesize() + 8 * size + ROOM
        resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sys.addaudithook(refuse)


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: what needs no descriptor, such as removing a file, is refused here."""
    if event.startswith(REFUSED):
        raise PermissionError(f"{event} is refused while a pickle is read")


def child() -> None:
    """Standard input to standard output."""
    import safetensors.torch
    import torch

    # Once before the lock, so that all that reading and writing import is there.
    safetensors.torch.save(torch.load(warmed(torch), **SAFELY))
    data = sys.stdin.buffer.read()
    confine(len(data))
    state = torch.load(io.BytesIO(data), **SAFELY)
    named = {f"{i:03d} {name}": t.contiguous() for i, (name, t) in enumerate(state.items())}
    sys.stdout.buffer.write(safetensors.torch.save(named))
    sys.stdout.buffer.flush()


def warmed(torch):
    """A pickle of our own making, in the old format."""
    file = io.BytesIO()
    torch.save({"w": torch.zeros(1)}, file, _use_new_zipfile_serialization=False)
    file.seek(0)
    return file


if __name__ == "__main__":
    child()
