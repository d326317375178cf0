"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

import os

from goldenseal.ladder.probe import Scenario
from train_gpt_style.kit.probing import probe_of
from train_gpt_style.vit_rft import SYSTEM
from train_gpt_style.vit_rft.probe_data import SCENARIOS, idx_files, write


def draw(shape, generator):
    """A batch of noise for `loss_and_correct`, of the sizes that the environment names."""
    import torch

    settings = SYSTEM.read(os.environ)
    size, classes = settings.image_size, settings.classes or 1000
    x = torch.randint(0, 256, (*shape, 3, size, size), generator=generator, dtype=torch.uint8)
    return x, torch.randint(classes, shape, generator=generator)


def scenarios() -> tuple[Scenario, ...]:
    """Small environments which, together, take each path of the script."""
    idx = {f"idx/{name}": data.decode("ascii") for name, data in idx_files().items()}
    return tuple(
        Scenario(name, environment, leftovers=idx if name == "idx" else {})
        for name, environment in SCENARIOS.items()
    )


PROBE = probe_of(
    SYSTEM,
    "records/track_vit_tiny/2026-11-23_Adam_Baseline/train_vit.py",
    scenarios(),
    model_class="ViT",
    loss="loss_and_correct(model, x, y)[0]",
    joules="RUN_LOG=1 or TELEMETRY=1",
    prepare=lambda folder: write(folder / "images"),  # beside them comes what spoils them
    draw=draw,
    batches=((2,), (1,), (3,)),
    unreached={
        r"^vit_rft/(dclr|coupler)\.py": "runs with DCLR on, as far as its example goes",
        r"meter_for\(": "another meter is the energy study's: test_vit_energy_study.py",
        r"^vit_rft/knobs\.py.*return \{\}": "noise with checkpoints: test_killed_runs.py",
    },
)
