"""DCLR (reconstructed): Adam whose learning rate follows how well gradients agree with the past.

The source names DCLR without an equation; this rule is this package's own.

    a = cosine of the gradient and Adam's first moment before the step; 0 if not finite
    c = memory c + (1 - memory) a                        0 at the start
    h = 1, or with feedback cos(drift / 2)               train_gpt_style/vit_rft/coupler.py
    s = 1 + gain c h, clipped to [scale_min, scale_max]
    rate of the step = lr s, clipped to [lr_min, lr_max] where those are set

Everything else is `torch.optim.Adam`. At gain 0 nothing is hooked in: it is Adam, bit for bit.
"""

from dataclasses import asdict, dataclass

import torch

from goldenseal.errors import UsageError
from train_gpt_style.vit_rft.constants import VIT_KNOB_DCLR_MEMORY
from train_gpt_style.vit_rft.coupler import Coupling, Dots, coherence, next_drift


@dataclass(frozen=True)
class Rule:
    """The constants of DCLR; None: no such bound, or the bound that the gain implies."""

    gain: float = 0.0
    memory: float = VIT_KNOB_DCLR_MEMORY
    scale_min: float | None = None
    scale_max: float | None = None
    lr_min: float | None = None
    lr_max: float | None = None
    feedback: Coupling | None = None

    def __post_init__(self):
        """Raise UsageError for constants outside their ranges."""
        if not 0 <= self.gain < 1:
            raise UsageError(f"gain {self.gain} must be at least 0 and less than 1")
        if not 0 <= self.memory <= 1:
            raise UsageError(f"memory {self.memory} must be in [0, 1]")
        low, high = self.scale_bounds
        if not 0 < low <= 1 <= high:
            raise UsageError(f"scale bounds [{low}, {high}] must be positive and hold 1")
        if (self.lr_min or 0) < 0 or (self.lr_max is not None and self.lr_max < (self.lr_min or 0)):
            raise UsageError(f"rate bounds [{self.lr_min}, {self.lr_max}] must be 0 <= min <= max")

    @property
    def scale_bounds(self):
        """(smallest, largest) factor on the learning rate."""
        low = 1 - self.gain if self.scale_min is None else self.scale_min
        high = 1 + self.gain if self.scale_max is None else self.scale_max
        return low, high

    def scale(self, agreement, drift):
        """The factor s for a smoothed cosine c."""
        h = coherence(drift) if self.feedback is not None else 1.0
        low, high = self.scale_bounds
        return min(high, max(low, 1 + self.gain * agreement * h))

    def rate(self, lr, scale):
        """The rate of a step; `lr` a float or a tensor."""
        rate = lr * scale
        if self.lr_min is None and self.lr_max is None:
            return rate
        if isinstance(rate, torch.Tensor):
            return rate.clamp(self.lr_min, self.lr_max)
        rate = rate if self.lr_min is None else max(self.lr_min, rate)
        return rate if self.lr_max is None else min(self.lr_max, rate)


@dataclass
class Memory:
    """What DCLR keeps beside Adam's state."""

    agreement: float = 0.0
    alignment: float = 0.0
    scale: float = 1.0
    drift: float = 0.0
    nonfinite: int = 0


MEMORY_TYPES = {float: torch.float64, int: torch.int64}


class Watch:
    """Observes an Adam before each of its steps: `dots`. One host read a step, counted."""

    def __init__(self, optimizer):
        self.dots, self.reads = None, 0
        optimizer.register_step_pre_hook(self.before_step)

    def before_step(self, optimizer, args, kwargs):
        """The hook."""
        self.dots = observe(optimizer)
        self.reads += 1


def observe(optimizer):
    """The inner products of gradients and Adam's first moments, over all parameters with one.

    Each tensor's product in its own type, their sum in float64. Draws nothing, changes nothing.
    """
    rows, zero = [], None
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is None:
                continue
            g = p.grad.reshape(-1)
            m = optimizer.state.get(p, {}).get("exp_avg")
            if m is None:
                zero = g.new_zeros(()) if zero is None else zero
                rows += [zero, torch.dot(g, g), zero]
            else:
                m = m.reshape(-1)
                rows += [torch.dot(g, m), torch.dot(g, g), torch.dot(m, m)]
    if not rows:
        return Dots(0.0, 0.0, 0.0)
    return Dots(*torch.stack(rows).double().view(-1, 3).sum(dim=0).tolist())


class DCLR(torch.optim.Adam):
    """Adam with the rule above. `step` is Adam's own, so that each hook fires once a step.

    With a gain a closure is refused: it would compute other gradients than those observed.
    """

    def __init__(self, params, rule=None, **adam):
        super().__init__(params, **adam)
        self._arm(rule or Rule(), Memory())

    def _arm(self, rule, memory):
        self.rule, self.memory, self.watch = rule, memory, None
        self._scaled = []  # (group, rate before, rate of the step) while a step is under way
        if rule.gain > 0:
            self.watch = Watch(self)
            self.register_step_pre_hook(_scale_rates)
            self.register_step_post_hook(_restore_rates)

    def restore_rates(self):
        """Put the groups' rates back, unless a scheduler has set others meanwhile."""
        for group, before, scaled in self._scaled:
            if group["lr"] is scaled:
                group["lr"] = before
        self._scaled = []

    def scale_rates(self):
        """Advance the memory by the observed step, and set the rates of the step."""
        self.restore_rates()  # an earlier step may have raised before its end
        rule, memory = self.rule, self.memory
        a = self.watch.dots.cosine
        memory.nonfinite += a is None
        memory.alignment = a or 0.0
        kept = rule.memory * memory.agreement
        memory.agreement = kept + (1 - rule.memory) * memory.alignment
        if rule.feedback is not None:
            memory.drift = next_drift(memory.drift, memory.alignment, rule.feedback)
        memory.scale = rule.scale(memory.agreement, memory.drift)
        for group in self.param_groups:
            before = group["lr"]
            group["lr"] = rule.rate(before, memory.scale)
            self._scaled.append((group, before, group["lr"]))

    # -- state: DCLR's own is there only with a gain, so that without it the keys are Adam's -----

    def state_dict(self):
        """Adam's, and with a gain the memory under `dclr`."""
        found = super().state_dict()
        return {**found, "dclr": asdict(self.memory)} if self.rule.gain > 0 else found

    def load_state_dict(self, state_dict):
        """Adam's own state, from an Adam or a DCLR; the memory too, or a fresh one."""
        known = dict(state_dict)
        memory = Memory(**known.pop("dclr", {}))
        super().load_state_dict(known)
        self.memory, self._scaled = memory, []

    def own_state(self):
        """The memory as numbers of a checkpoint; see `kit/optimizers.py`."""
        if not self.rule.gain > 0:
            return {}
        found = asdict(self.memory).items()
        return {k: torch.tensor(v, dtype=MEMORY_TYPES[type(v)]) for k, v in found}

    def put_own_state(self, found):
        """The inverse."""
        if found:
            self.memory, self._scaled = Memory(**{k: t.item() for k, t in found.items()}), []

    def __getstate__(self):
        return {**super().__getstate__(), "_rule_and_memory": (self.rule, self.memory)}

    def __setstate__(self, state):
        state = dict(state)
        own = state.pop("_rule_and_memory", None)  # absent when Adam loads a state dict
        super().__setstate__(state)
        if own is not None:
            self._arm(*own)


def _scale_rates(optimizer, args, kwargs):
    """Before a step, after the watch."""
    if (args[1] if len(args) > 1 else kwargs.get("closure")) is not None:
        raise UsageError("DCLR takes no closure: it would compute other gradients than observed")
    optimizer.scale_rates()


def _restore_rates(optimizer, args, kwargs):
    """After a step."""
    optimizer.restore_rates()
