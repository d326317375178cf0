"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

import os

from goldenseal.ladder.probe import Scenario
from train_gpt_style.kit.probing import probe_of
from train_gpt_style.soup_student import SYSTEM
from train_gpt_style.soup_student.probe_data import SCENARIOS, write


def draw(shape, generator):
    """A batch of noise for `loss_of`, of the sizes that the environment names."""
    import torch

    s = SYSTEM.read(os.environ)
    size = (*shape, 3, s.img_size, s.img_size)
    images = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
    targets = torch.randn(*shape, s.output_dim, generator=generator)
    return images, torch.nn.functional.normalize(targets, dim=-1)


PROBE = probe_of(
    SYSTEM,
    "records/track_soup/2026-11-27_Student/train_student.py",
    [Scenario(name, environment) for name, environment in SCENARIOS.items()],
    model_class="Student",
    loss="loss_of(model, x, y)",
    prepare=write,
    draw=draw,
    batches=((2,), (1,), (3,)),
    unreached={
        r"^kit/batches\.py.*\b(epoch|position|whole|shuffle|self\.at = at)\b": "goes on within an "
        "epoch: test_killed_runs.py",
        r"^kit/images\.py": "folders, and files that are none: the ladder of vit_rft",
        r"^kit/image_sets\.py": "folders: test_soup_experts.py",
        r"^soup_student/model\.py.*\b(shaped|term)\b": "of features",
        r"^soup_student/frozen\.py": "of features: test_soup_student.py",
        r"^soup_student/run\.py.*judge": "of features",
        r"^soup_student/knobs\.py.*return \{\}": "noise with checkpoints: test_killed_runs.py",
        r"^kit/metrics\.py": "the soup's: its own ladder",
        r"^kit/data/": "before a run: test_soup_experts.py",
        r"^geometry/": "of features, and of other systems: tests/train_gpt_style/geometry",
        r"^(dual_stream|soup)/": "of other systems: their own ladders",
    },
)
