"""What a freshly built model is and does, as short texts that two scripts can be compared by."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils import _pytree as pytree

from goldenseal.digest import has_values, published_digest, short
from goldenseal.ladder.executed import Executed, Extent, Seen
from goldenseal.ladder.numeric import fact, rng_facts, settle
from goldenseal.ladder.optrace import traced
from goldenseal.ladder.probe import Probe, environment
from goldenseal.ladder.replay import perturb
from goldenseal.ladder.script import FAULTS, ProbeError, Script, followed, in_words
from goldenseal.ladder.structure import modules

BUILD_SEED = 1597


@dataclass
class Inspection:
    """Rungs 2 to 5 for one model: state, RNG, gradients by batch, operations by batch.

    error: of a script that stopped; fault: when it says that nothing can be checked.
    """

    state: dict[str, str] = field(default_factory=dict)
    published: str = ""
    rng: dict[str, str] = field(default_factory=dict)
    behaviour: dict[str, dict[str, str]] = field(default_factory=dict)
    operations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    executed: dict[str, set[Extent]] = field(default_factory=dict)
    error: str | None = None
    fault: Exception | None = None


def inspect_model(
    probe: Probe,
    script: Script,
    variables: Mapping[str, str],
    trace: bool,
    follow: Seen | None = None,
) -> Inspection:
    """Build the model once and look at it; an exception of the script becomes `error`.

    With `follow`, the executed code is noted, but for what it says was seen before.
    """
    inspection = Inspection()
    settle()
    executed = Executed(followed(script), follow)
    with environment(variables), nullcontext() if follow is None else executed.tracing():
        try:
            _inspect(probe, script, inspection, trace)
        except FAULTS as error:
            inspection.error, inspection.fault = in_words(error), error
        except (Exception, SystemExit) as error:
            inspection.error = in_words(error)
    inspection.executed = executed.extents()
    return inspection


def _inspect(probe: Probe, script: Script, inspection: Inspection, trace: bool) -> None:
    with script.opened() as module:
        torch.manual_seed(BUILD_SEED)
        model = script.evaluate(module, "build")
        inspection.rng = rng_facts()
        networks = modules(model)
        if not networks:
            raise ProbeError(f"`build` of the probe makes no module but a {type(model).__name__}")
        state = {prefix + k: t for prefix, net in networks for k, t in net.state_dict().items()}
        inspection.state = {name: short(t) for name, t in state.items()}
        inspection.published = published_digest({k: t for k, t in state.items() if has_values(t)})
        for prefix, network in networks:
            perturb(network, prefix)
        device = next((p.device for _, net in networks for p in net.parameters()), None)

        def loss_of(names: dict[str, Any], mode: str) -> torch.Tensor:
            for _, network in networks:
                network.train(mode == "train")
                network.zero_grad(set_to_none=True)
            loss = script.evaluate(module, "loss", model=model, **names)
            if not isinstance(loss, torch.Tensor):
                raise ProbeError(f"`loss` of the probe gives a {type(loss).__name__}, no tensor")
            return loss

        for number, shape in enumerate(probe.batches):
            names = batch_names(probe, number, device)
            for mode in ("train", "eval"):
                loss = loss_of(names, mode)
                torch.autograd.backward(loss)
                inspection.behaviour[f"batch {shape}, {mode}"] = {"loss": fact(loss.detach())} | {
                    f"gradient of {prefix}{name}": "none" if p.grad is None else short(p.grad)
                    for prefix, network in networks
                    for name, p in network.named_parameters()
                }
        if trace:
            with traced() as operations:
                torch.autograd.backward(loss_of(names, "train"))
            inspection.operations["forward and backward"] = operations.take()


def batch_names(probe: Probe, number: int, device: torch.device | None) -> dict[str, Any]:
    """The names under which a drawn batch is known to the loss: `batch`, and of a pair `x`, `y`.

    Raises ProbeError when the probe's own `draw` fails.
    """
    try:
        batch = draw(probe, probe.batches[number], number)
    except (Exception, SystemExit) as error:
        raise ProbeError(f"`draw` of the probe fails: {in_words(error)}") from error
    batch = pytree.tree_map_only(torch.Tensor, lambda tensor: tensor.to(device), batch)
    pair = isinstance(batch, tuple | list) and len(batch) == 2
    return {"batch": batch} | ({"x": batch[0], "y": batch[1]} if pair else {})


def draw(probe: Probe, shape: tuple[int, ...], seed: int) -> Any:
    """The probe's own kind of batch; token ids `x` and `y` when it has none."""
    generator = torch.Generator().manual_seed(seed)
    if probe.draw is not None:
        return probe.draw(shape, generator)
    x, y = (torch.randint(probe.vocab_size, shape, generator=generator) for _ in range(2))
    return x, y
