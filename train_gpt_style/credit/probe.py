"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.probe_data import SCENARIOS, leftovers
from train_gpt_style.kit.probing import probe_of
from verify.probe import Scenario


def draw(shape, generator):
    """A batch of noise for `loss_and_correct`."""
    import torch

    x = torch.randn(*shape, 3, 32, 32, generator=generator)
    return x, torch.randint(10, shape, generator=generator)


PROBE = probe_of(
    SYSTEM,
    "records/track_credit/2026-11-27_ResMLP/train_resmlp.py",
    [Scenario(name, e, leftovers=leftovers(name)) for name, e in SCENARIOS.items()],
    model_class="ResMLP",
    loss="loss_and_correct(model, x, y)[0]",
    draw=draw,
    batches=((2,), (1,), (3,)),
)
