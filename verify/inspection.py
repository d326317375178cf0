"""What a freshly built model is and does, as short texts that two scripts can be compared by."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from verify.digest import published_digest, short
from verify.optrace import traced
from verify.probe import Probe, Script, environment
from verify.recorder import rng_facts, settle

BUILD_SEED = 1597


@dataclass
class Inspection:
    """Rungs 2 to 5 for one model: state, RNG, gradients by batch, operations by batch."""

    state: dict[str, str] = field(default_factory=dict)
    published: str = ""
    rng: dict[str, str] = field(default_factory=dict)
    behaviour: dict[str, dict[str, str]] = field(default_factory=dict)
    operations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    error: str | None = None


def inspect_model(
    probe: Probe, script: Script, variables: Mapping[str, str], trace: bool
) -> Inspection:
    """Build the model once and look at it; an exception of the script becomes `error`."""
    found = Inspection()
    settle()
    with environment(variables):
        try:
            _inspect(probe, script, found, trace)
        except Exception as error:
            found.error = f"{type(error).__name__}: {error}"
    return found


def _inspect(probe: Probe, script: Script, found: Inspection, trace: bool) -> None:
    module = script.load()
    torch.manual_seed(BUILD_SEED)
    model = script.evaluate(module, script.build)
    found.rng = rng_facts()
    state = model.state_dict()
    found.state = {name: short(t) for name, t in state.items()}
    found.published = published_digest(state)
    perturb(model)
    device = next(model.parameters()).device
    for number, shape in enumerate(probe.batches):
        x, y = (t.to(device) for t in draw(probe, shape, number))
        for mode in ("train", "eval"):
            model.train(mode == "train")
            model.zero_grad(set_to_none=True)
            loss = script.evaluate(module, script.loss, model=model, x=x, y=y)
            loss.backward()
            label = f"batch {shape}, {mode}"
            found.behaviour[label] = {"loss": short(loss.detach())} | {
                f"gradient of {name}": "none" if p.grad is None else short(p.grad)
                for name, p in model.named_parameters()
            }
    if trace:
        model.train()
        model.zero_grad(set_to_none=True)
        with traced() as operations:
            script.evaluate(module, script.loss, model=model, x=x, y=y).backward()
        found.operations["forward and backward"] = operations.take()


def draw(probe: Probe, shape: tuple[int, ...], seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The probe's own kind of batch; token ids `x` and `y` when it has none."""
    generator = torch.Generator().manual_seed(seed)
    if probe.draw is not None:
        return probe.draw(shape, generator)
    x, y = (torch.randint(probe.vocab_size, shape, generator=generator) for _ in range(2))
    return x, y


def perturb(model: torch.nn.Module) -> None:
    """Move every parameter off its initial value, so that no zero hides what lies behind it.

    A zero-initialised output projection silences its whole block: compared on fresh weights, any
    two blocks are equal. The noise of a tensor depends only on its name, not on its neighbours.
    """
    with torch.no_grad():
        for name, p in model.named_parameters():
            seed = int.from_bytes(hashlib.sha512(name.encode()).digest()[:4], "little")
            generator = torch.Generator().manual_seed(seed)
            p.add_(0.1 * torch.randn(p.shape, generator=generator).to(p))
