"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

import os

from goldenseal.ladder.probe import Scenario
from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.probe_data import SCENARIOS, idx_files, write
from train_gpt_style.kit.probing import probe_of


def draw(shape, generator):
    """Two views of noise for `loss_and_facts`, of the sizes that the environment names."""
    import torch

    settings = SYSTEM.read(os.environ)
    size = settings.img_size
    views = torch.randn(2 * shape[0], 3, size, size, generator=generator)
    return views, torch.randint(settings.classes, shape, generator=generator)


def scenarios() -> tuple[Scenario, ...]:
    """Small environments which, together, take each path of the script."""
    idx = {f"idx/{name}": data.decode("ascii") for name, data in idx_files().items()}
    return tuple(
        Scenario(name, environment, leftovers=idx if name == "idx" else {})
        for name, environment in SCENARIOS.items()
    )


PROBE = probe_of(
    SYSTEM,
    "records/track_dual_stream/2026-11-27_DualStream/train_dual_stream.py",
    scenarios(),
    model_class="DualStream",
    loss="loss_and_facts(model, x, y)[0]",
    prepare=lambda folder: write(folder / "images"),
    draw=draw,
    batches=((2,), (3,)),
    unreached={
        r"^dual_stream/(adapt|diagnosis|gal|mastery|scans|watch)\.py": "features on: unit tests",
        r"^geometry/": "geometry that only features read: tests/train_gpt_style/geometry",
        r"fork_rng|make\(\)|return module|own_generator\(settings": "builds a feature's module",
        r"shape_gradient|geo_emb|emb = self\.finish\(emb\)": "embeddings that features add",
        r"facts\[name\]|weight \* value|in feature\.terms|look\(y\)|log\(note\)": "of features",
        r"^kit/images\.py.*(except|size|return (fit|gzip)|path|grey|words)": "scaling, and "
        "bad images: kit/test_images.py",
        r"^dual_stream/knobs\.py.*return \{\}": "noise with checkpoints: test_killed_runs.py",
    },
)
