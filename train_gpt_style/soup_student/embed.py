"""`python -m train_gpt_style.soup embed IMAGES... -o table.safetensors`: a student alone, at work.

Images are files, or folders that are searched for them. The table holds `embedding`, a unit row an
image, and in its metadata, as JSON under `about`, the images' names. --html writes a page of each
image and its nearest others by cosine; it needs nothing but a browser.
"""

import argparse
import base64
import io
import json
import math
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from PIL import Image
from rich.console import Console
from rich.progress import track

from goldenseal.digest import tensor_digest
from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError, GoldensealError, UsageError
from train_gpt_style.kit.images import SUFFIXES, check_image, read_image, stack
from train_gpt_style.soup_student.model import Student, seen

BATCH, THUMBNAIL, NEIGHBOURS = 32, 64, 5


def student_in(path):
    """(the student in evaluation mode, its digest, the side of its images in pixels).

    Raises UsageError, one line, for a file that holds none.
    """
    try:
        with safetensors.safe_open(str(path), "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            heads = int(about.get("heads", 0)) if isinstance(about, dict) else 0
            state = {name: file.get_tensor(name) for name in file.keys()}
    except (safetensors.SafetensorError, OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path}: no weights: {str(error).splitlines()[0]}") from None
    # The queue of an alignment is state of training alone.
    state = {name: t for name, t in state.items() if not name.startswith("alignment.")}
    try:
        dim, channels, patch, _ = state["patch.weight"].shape
        size = math.isqrt(state["position"].shape[1] - 1) * patch
        depth = sum(name.endswith("attention.proj.bias") for name in state)
        ffn, output = len(state["layers.0.up.bias"]), len(state["out.bias"])
        student = Student(size, patch, channels, depth, dim, heads, ffn, output)
        student.load_state_dict(state, strict=True)
        if heads < 1 or dim % heads:
            raise KeyError(f"heads={heads} in its metadata")
    except (KeyError, IndexError, TypeError, RuntimeError, ValueError) as error:
        raise UsageError(f"{path}: no student: {str(error).splitlines()[0]}") from None
    return student.eval().requires_grad_(False), tensor_digest(state), size


def image_paths(names):
    """Files, in the order given; of a folder all images below it, sorted.

    Raises UsageError for what is no image, and for none at all.
    """
    found = []
    for name in map(Path, names):
        if name.is_dir():
            inside = sorted(p for p in name.rglob("*") if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise UsageError(f"{name}: no image in it")
            found += inside
        elif name.is_file():
            found.append(name)
        else:
            raise UsageError(f"{name}: there is no such image")
    for path in found:
        check_image(path)
    return found


def embed(student, size, paths):
    """Unit rows (N, O) of image files."""
    console = Console(stderr=True)
    batches = [paths[i : i + BATCH] for i in range(0, len(paths), BATCH)]
    bar = track(batches, "embedding", console=console, disable=not console.is_terminal)
    return torch.cat([seen(student, stack([read_image(p, size) for p in batch])) for batch in bar])


def neighbours(embedding, count=NEIGHBOURS):
    """(places, cosines), (N, count) each, of the nearest other rows, the nearest first."""
    cosines = embedding @ embedding.T
    cosines.fill_diagonal_(-2.0)
    found = cosines.sort(dim=1, descending=True, stable=True)
    count = min(count, len(embedding) - 1)
    return found.indices[:, :count], found.values[:, :count]


def picture(path):
    """A small PNG of an image file, as a data URL."""
    image = Image.fromarray(np.asarray(read_image(path, THUMBNAIL)))
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def page(paths, embedding, digest):
    """The page, as text. Raises CannotCheckError when its template engine is not installed."""
    try:
        import jinja2
    except ImportError:
        raise CannotCheckError("--html needs jinja2: pip install 'goldenseal[report]'") from None
    places, cosines = neighbours(embedding)
    pictures = [picture(path) for path in paths]
    rows = [
        {
            "name": str(path),
            "picture": pictures[i],
            "near": [
                {"name": str(paths[j]), "picture": pictures[j], "cosine": f"{c:.3f}"}
                for j, c in zip(places[i].tolist(), cosines[i].tolist(), strict=True)
            ],
        }
        for i, path in enumerate(paths)
    ]
    text = files(__package__).joinpath("neighbours.html").read_text(encoding="utf-8")
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return template.from_string(text).render(rows=rows, digest=digest, sphere=embedding.shape[1])


def parser():
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m train_gpt_style.soup embed",
        description="Embed images with a trained student; no expert and no soup is needed.",
        epilog="Example: python -m train_gpt_style.soup embed photos/ -o table.safetensors --html "
        "near.html",
    )
    found.add_argument("images", nargs="+", help="image files, or folders of them")
    found.add_argument("-o", "--out", required=True, help="the table to write, .safetensors")
    found.add_argument(
        *("--student",),
        default="final_model.safetensors",
        help="weights of a student (%(default)s)",
    )
    found.add_argument("--html", help="also write a page of nearest neighbours")
    return found


def main(arguments):
    """The exit code."""
    options = parser().parse_args(arguments)
    try:
        if not options.out.endswith(".safetensors"):
            raise UsageError(f"-o {options.out} must end in .safetensors")
        student, digest, size = student_in(options.student)
        paths = image_paths(options.images)
        embedding = embed(student, size, paths)
        told = {"names": [str(path) for path in paths], "student": digest}
        about = {"about": json.dumps(told, sort_keys=True)}
        html = page(paths, embedding, digest) if options.html else None
        data = safetensors.torch.save({"embedding": embedding.contiguous()}, metadata=about)
        atomic_write(Path(options.out), data)
        if html is not None:
            atomic_write(Path(options.html), html.encode("utf-8"))
    except (GoldensealError, OSError) as error:
        print(f"embed: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    print(f"{options.out}: {len(paths)} images, {embedding.shape[1]} columns")
    return 0
