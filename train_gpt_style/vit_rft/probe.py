"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

import os
from collections.abc import Mapping
from pathlib import Path

from train_gpt_style.kit.system import KIT_KNOBS
from train_gpt_style.kit.unreached import UNREACHED
from train_gpt_style.vit_rft import SYSTEM
from verify.probe import Probe, Scenario, Script

ROOT = Path(__file__).parents[2]
BASELINE = ROOT / "records/track_vit_tiny/2026-11-23_Adam_Baseline/train_vit.py"


def prepare(folder: Path) -> dict[str, str]:
    """Write the probe's images; imported late, so that listing the knobs stays quick."""
    from train_gpt_style.vit_rft.probe_data import write

    return write(folder / "images")


def draw(shape, generator):
    """A batch of noise for `loss_and_correct`, of the sizes that the environment names."""
    import torch

    settings = SYSTEM.read(os.environ)
    size, classes = settings.image_size, settings.classes or 1000
    x = torch.randint(0, 256, (*shape, 3, size, size), generator=generator, dtype=torch.uint8)
    return x, torch.randint(classes, shape, generator=generator)


def smoke() -> list[tuple[str, str, str]]:
    """(name, published, computed) of each published figure."""
    from train_gpt_style.vit_rft.figures import figures

    return figures()


def scenarios() -> tuple[Scenario, ...]:
    """Small environments which, together, take each path of the script."""
    from train_gpt_style.vit_rft.probe_data import SCENARIOS, idx_files

    idx = {f"idx/{name}": data.decode("ascii") for name, data in idx_files().items()}
    return tuple(
        Scenario(name, environment, leftovers=idx if name == "idx" else {})
        for name, environment in SCENARIOS.items()
    )


def refusals() -> dict[str, str]:
    """Kinds of bad input, each with words that its error must hold."""
    from train_gpt_style.vit_rft.probe_refusals import REFUSALS

    return REFUSALS


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """Make the bad input of that kind; returns the variables that lead to it."""
    from train_gpt_style.vit_rft.probe_refusals import spoil

    return spoil(kind, folder, data)


PROBE = Probe(
    name="vit_rft",
    baseline=Script(
        "baseline",
        str(BASELINE),
        build="build_model(Hyperparameters.from_env(os.environ), Context(os.environ))",
        loss="loss_and_correct(model, x, y)[0]",
        entry="main()",
        model_class="ViT",
    ),
    candidate=Script(
        "candidate",
        "train_gpt_style.vit_rft.run",
        build="build_model(SYSTEM.read(os.environ), Context(os.environ))",
        loss="loss_and_correct(model, x, y)[0]",
        entry="main()",
        model_class="ViT",
    ),
    scenarios=scenarios(),
    draw=draw,
    batches=((2,), (1,), (3,)),
    features=tuple(feature.declaration for feature in SYSTEM.features),
    baseline_knobs=SYSTEM.baseline_knobs,
    kit_knobs=KIT_KNOBS,
    prepare=prepare,
    smoke=smoke,
    refusals=refusals(),
    spoil=spoil,
    unreached=UNREACHED
    | {
        r"^vit_rft/(dclr|coupler)\.py": "runs with DCLR on, as far as its example goes",
        r"meter_for\(": "another meter is the energy study's: test_vit_energy_study.py",
    },
)
