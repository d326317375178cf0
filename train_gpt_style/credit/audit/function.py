"""Any network that a function describes, as the protocol asks: states, gradients, losses."""

import copy
import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F

from goldenseal.errors import UsageError
from train_gpt_style.credit.audit.subject import Subject
from train_gpt_style.credit.protocol.diagnostics import Setting

PARTS = ("model", "x", "y", "layers")


def of_function(reference, examples):
    """What `module:function` describes: a mapping with

    model, x, y   a network, inputs (N, ...) and labels (N,); model(x) gives logits (N, C)
    layers        names of its modules whose outputs are h_0..h_L, as they are called
    credits       a_0..a_L, each of the shape of h_l: optional
    method        what it was trained by; bp makes it a --reference: optional
    accuracy, baseline            on the same test data, the latter with the blocks frozen: optional
    setting, baseline_setting     mappings with width, depth, data, epochs and seeds, without which
                                  two accuracies are not compared: optional

    Raises UsageError, one line, for what does not fit.
    """
    described = called(reference)
    for part in PARTS:
        if part not in described:
            raise UsageError(f"{reference}: it returns no {part}; needed: {', '.join(PARTS)}")
    x, y = (described[part][:examples] for part in ("x", "y"))
    seen, chance = hooked(described["model"], x, y, described["layers"], reference)
    missing = "the function gives no credits"
    if described.get("credits") is not None:
        credits = [torch.as_tensor(a)[:examples].double() for a in described["credits"]]
        if [a.shape for a in credits] != [h.shape for h in seen.hidden]:
            raise UsageError(f"{reference}: credits must have the shapes of the layers' outputs")
        seen.credits, missing = credits, ""
    setting, other = (
        stated(described.get(name), f"{reference}: {name}")
        for name in ("setting", "baseline_setting")
    )
    facts = {
        "baseline": described.get("baseline"),
        "method": described.get("method", "of its own"),
    }
    subject = Subject(reference, seen, described.get("accuracy"), chance, setting)
    subject.missing, subject.facts = missing, facts
    subject.inputs, subject.baseline_setting = x, other
    return subject


def called(reference):
    """What the function returns, which must be a mapping."""
    module, _, name = reference.partition(":")
    sys.path.insert(0, "")
    try:
        function = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise UsageError(
            f"{reference}: it must name a function of a module: {line_of(error)}"
        ) from error
    finally:
        sys.path.remove("")
    try:
        described = function()
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{reference}: the function failed: {line_of(error)}") from error
    if not isinstance(described, Mapping):
        raise UsageError(
            f"{reference}: it returns {type(described).__name__}, not a mapping with "
            f"{', '.join(PARTS)}"
        )
    return described


def line_of(error):
    """A stranger's error in one line."""
    words = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def stated(described, where):
    """The `Setting` of a mapping; None of None."""
    if described is None:
        return None
    names = {field.name for field in fields(Setting)}
    found = set(described) if isinstance(described, Mapping) else set()
    if not found <= names or not names - {"schedule"} <= found:
        raise UsageError(f"{where}: it must be a mapping with {', '.join(sorted(names))}")
    return Setting(**{**described, "seeds": tuple(described["seeds"])})


@dataclass
class Seen:
    """Of `metrics.Measured`, what a network without a chain of layers can give."""

    hidden: list[torch.Tensor]
    gradients: list[torch.Tensor]
    losses: torch.Tensor
    correct: torch.Tensor
    credits: list[torch.Tensor] | None = None


def hooked(model, x, y, layers, reference):
    """(Seen, chance): a copy in float64 whose named modules are listened to.

    Gradients are those of states, so it does not matter which parameters are trained.
    """
    model = copy.deepcopy(model).double().eval()
    modules, hidden, order = dict(model.named_modules()), [], []
    for name in layers:
        if name not in modules:
            raise UsageError(f"{reference}: the network has no module {name!r}")

    def keeper(name):
        def keep(module, inputs, output):
            if not isinstance(output, torch.Tensor) or output.shape[:1] != x.shape[:1]:
                raise UsageError(
                    f"{reference}: the output of module {name!r} is no tensor ({len(x)}, ...): "
                    "name one whose output is a state of each example"
                )
            if not output.requires_grad:  # nothing before it is trained
                output = output.detach().requires_grad_()
            hidden.append(output)
            order.append(name)
            return output.clone()  # what comes next may write into it

        return keep

    handles = [modules[name].register_forward_hook(keeper(name)) for name in layers]
    try:
        with torch.enable_grad():
            logits = model(x.double() if x.is_floating_point() else x)
            losses = F.cross_entropy(logits, y, reduction="none")
            check_order(order, list(layers), reference)
            gradients = torch.autograd.grad(losses.sum(), hidden)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{reference}: the network failed: {line_of(error)}") from error
    finally:
        for handle in handles:
            handle.remove()
    correct = logits.argmax(dim=1) == y
    hidden = [h.detach() for h in hidden]
    return Seen(hidden, list(gradients), losses.detach(), correct), 1 / logits.size(1)


def check_order(called, layers, reference):
    """Each layer once, and as they are listed: credits are matched by their place."""
    if sorted(called) != sorted(layers):
        raise UsageError(f"{reference}: each module of layers must be called once")
    if called != layers:
        raise UsageError(
            f"{reference}: layers are called in the order {', '.join(called)}: list them so"
        )
