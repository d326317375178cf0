"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

import os

from goldenseal.ladder.probe import Scenario
from train_gpt_style.kit.probing import probe_of
from train_gpt_style.soup import SYSTEM
from train_gpt_style.soup.probe_data import SCENARIOS, write


def draw(shape, generator):
    """A batch for `loss_of`: features and labels of the sizes that the environment names."""
    import torch

    s = SYSTEM.read(os.environ)
    features = [torch.randn(*shape, s.expert_dim, generator=generator) for _ in range(s.n_experts)]
    labels = torch.randint(2, (*shape, s.classes or 80), generator=generator).float()
    return features, labels


PROBE = probe_of(
    SYSTEM,
    "records/track_soup/2026-11-27_Soup/train_soup.py",
    [Scenario(name, environment) for name, environment in SCENARIOS.items()],
    model_class="Soup",
    loss="loss_of(model, x, y)",
    prepare=lambda folder: write(folder / "tables"),  # beside them comes what spoils them
    draw=draw,
    batches=((2,), (1,), (3,)),
    unreached={
        r"^soup/data\.py.*\bknown\b": "some of the tables: test_soup_alone.py",
        r"^soup/(consensus|quality)\.py": "of features: test_soup_consensus.py",
        r"^kit/batches\.py.*\b(epoch|position|whole|shuffle|self\.at = at)\b": "goes on within an "
        "epoch: test_killed_runs.py",
        r"^soup/model\.py.*\b(shaped|term)\b": "of features",
        r"^soup/knobs\.py.*return \{\}": "synthetic data with checkpoints: test_killed_runs.py",
        r"^kit/metrics\.py.*(cosines|nan)": "the student's: its own ladder",
        r"^kit/(image_sets\.py|data/)": "before a run: test_soup_experts.py",
        r"^geometry/": "of features, and of other systems: tests/train_gpt_style/geometry",
        r"^(dual_stream|soup_student)/": "of other systems: their own ladders",
    },
)
