"""How the gates drive this system."""

import torch

from goldenseal.ladder.probe import Scenario
from tests.train_gpt_style.toy import SYSTEM
from train_gpt_style.kit.probing import probe_of

PROBE = probe_of(
    SYSTEM,
    "tests/train_gpt_style/toy/baseline.py",
    [Scenario("small", {"SEED": "8", "STEPS": "5", "LR": "0.5"})],
    model_class="Linear",
    baseline_build="Linear(3, 1)",
    loss="(model(x) - y).square().mean()",
    draw=lambda shape, generator: torch.randn(*shape, 4, generator=generator).split([3, 1], dim=-1),
)
