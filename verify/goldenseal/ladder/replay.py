"""Recorded calls once more, on perturbed weights: what `build` and `loss` are for, without either.

The first batches that a run feeds its networks are kept. In the end each network gets its initial
state back, moved off every zero, and each kept call is made again through the script's own forward,
in both modes, and differentiated.
"""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from goldenseal.digest import has_values, short, unwrapped
from goldenseal.ladder.networks import Network
from goldenseal.ladder.numeric import fact
from goldenseal.ladder.optrace import untraced
from goldenseal.ladder.structure import leaves

KEPT = 2  # calls of each module in each mode
SEED = 2584


@dataclass
class Call:
    """A recorded call: of which part of which network, with what."""

    network: Network
    module: torch.nn.Module
    arguments: Any


class Replay:
    """Keeps initial states and calls; `perform` makes them again."""

    def __init__(self) -> None:
        self.calls: dict[str, list[Call]] = {}
        self.initial: dict[int, dict[str, torch.Tensor]] = {}

    def taken_up(self, network: Network) -> None:
        """A network as it was constructed."""
        module = network.module
        tensors = (*module.named_parameters(), *module.named_buffers())
        self.initial[id(module)] = {
            name: unwrapped(value).detach().clone() for name, value in tensors if has_values(value)
        }

    def called(self, network: Network, module: torch.nn.Module, arguments: Any) -> None:
        """A call is about to be made; of each module the first few that train are kept."""
        part = network.prefix + network.parts.get(id(module), "?")
        kept = self.calls.setdefault(f"{part or 'the network'}", [])
        trains = torch.is_grad_enabled() and module.training
        evaluations = [call for call in kept if not call.module.training]
        if len(kept) >= KEPT or (not trains and len(evaluations) > 0):
            return
        try:
            kept.append(Call(network, module, copied(arguments)))
        except Exception:  # of what cannot be copied, nothing is kept
            kept.append(Call(network, module, None))

    def perform(self) -> dict[str, dict[str, str]]:
        """By call and mode: outputs and gradients, or the error of a call that fails."""
        results: dict[str, dict[str, str]] = {}
        with untraced(), torch.enable_grad():
            for name, calls in sorted(self.calls.items()):
                for number, call in enumerate(calls, start=1):
                    if call.arguments is None:
                        continue
                    for mode in ("train", "eval"):
                        results[f"{name}, batch {number}, {mode}"] = self._again(call, mode)
        return results

    def _again(self, call: Call, mode: str) -> dict[str, str]:
        network = call.network.module
        try:
            self._reset(call.network)
            network.train(mode == "train")
            call.module.train(mode == "train")
            network.zero_grad(set_to_none=True)
            torch.manual_seed(SEED)
            args, kwargs = copied(call.arguments)
            output = call.module(*args, **kwargs)
            facts = {f"output{place}": fact(leaf) for place, leaf in leaves(output)}
            loss = _projection(output)
            if loss is not None and loss.requires_grad:
                torch.autograd.backward(loss)
                for name, p in network.named_parameters():
                    text = "none" if p.grad is None else short(p.grad)
                    facts[f"gradient of {call.network.prefix}{name}"] = text
            return facts
        except Exception as error:  # equal on both sides, or a finding
            return {"stopped": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}

    def _reset(self, network: Network) -> None:
        initial: Mapping[str, torch.Tensor] = self.initial.get(id(network.module), {})
        module = network.module
        with torch.no_grad():
            for name, value in (*module.named_parameters(), *module.named_buffers()):
                before = initial.get(name)
                if before is not None and has_values(value) and before.shape == value.shape:
                    value.copy_(before)
        perturb(module, network.prefix)


def copied(value: Any) -> Any:
    """A copy whose tensors are leaves of their own."""
    if isinstance(value, torch.Tensor):
        copy_of = value.detach().clone()
        return copy_of.requires_grad_() if value.requires_grad else copy_of
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(copied(each) for each in value)
    if type(value) is list:
        return [copied(each) for each in value]
    if type(value) is dict:
        return {key: copied(each) for key, each in value.items()}
    return copy.deepcopy(value)


def _projection(output: Any) -> torch.Tensor | None:
    """A sum over all outputs that have gradients, each element with a weight of its own."""
    total: torch.Tensor | None = None
    for number, (_, leaf) in enumerate(leaves(output)):
        if isinstance(leaf, torch.Tensor) and leaf.requires_grad and leaf.is_floating_point():
            generator = torch.Generator().manual_seed(number)
            weights = torch.rand(leaf.shape, generator=generator).to(leaf) + 0.5
            term = (leaf * weights).sum()
            total = term if total is None else total + term
    return total


def perturb(model: torch.nn.Module, prefix: str = "") -> None:
    """Move every parameter off its initial value, so that no zero hides what lies behind it.

    A zero-initialised output projection silences its whole block: compared on fresh weights, any
    two blocks are equal. The noise of a tensor depends only on its name, not on its neighbours.
    """
    with torch.no_grad():
        for name, p in model.named_parameters():
            if not has_values(p):
                continue
            digest = hashlib.sha512((prefix + name).encode()).digest()
            generator = torch.Generator().manual_seed(int.from_bytes(digest[:4], "little"))
            p.add_(0.1 * torch.randn(p.shape, generator=generator).to(p))
