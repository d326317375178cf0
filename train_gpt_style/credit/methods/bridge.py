"""State bridge and credit bridge: credit by a learned net (our reconstruction of two ideas).

State bridge: a predictor G(h_l, t_l, s) of h_L; a_l = J_G^T dCE/dh_L, the latter at G. To fit
states is not to fit Jacobians. Credit bridge: a_l = the gradient in h_l of a scalar V(h_l, t_l, s),
which is held to the loss and its gradient at the top, and from layer to layer to a soft minimum
over noisy successors. t_l = l / L; s is the error e, or the gradient at h_L.

Layers of other shapes, those of the CNN, enter the net by a linear map each, which it learns too.

The nets have an AdamW of their own and never move a parameter of the model; they and the running
average of V are parts of the network, so that a checkpoint holds them.

Shape letters: B batch, C classes, D width, K draws.
"""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from goldenseal.errors import UsageError
from train_gpt_style.credit.constants import CREDIT_RMS_FLOOR
from train_gpt_style.credit.methods.base import wide
from train_gpt_style.credit.methods.feedback import DFA, classes_of
from train_gpt_style.credit.methods.local import local_step

STREAM = 805306457  # apart from SEED's own stream
FREQUENCIES = 4


class Trunk(nn.Module):
    """[LN(h), time, s] through two hidden layers of width D, GELU."""

    def __init__(self, dim, signal, outputs):
        super().__init__()
        self.ln = nn.LayerNorm(dim)
        self.first = nn.Linear(dim + 2 * FREQUENCIES + signal, dim)
        self.second = nn.Linear(dim, dim)
        self.last = nn.Linear(dim, outputs)

    def forward(self, h, t, s):
        """(B, D), a number in 0..1 and (B, signal) to (B, outputs)."""
        turns = [math.pi * t * 2.0**k for k in range(FREQUENCIES)]  # powers of two: exact
        angles = torch.tensor(turns, device=h.device)
        time = torch.cat((angles.sin(), angles.cos())).expand(len(h), -1)
        z = F.gelu(self.first(torch.cat((self.ln(h), time, s), dim=1)))
        return self.last(F.gelu(self.second(z)))


class Entered(nn.Module):
    """A trunk behind one linear map a layer, for layers that are not vectors of width D.

    The map of a layer that is one is the identity.
    """

    def __init__(self, shapes, signal, outputs):
        super().__init__()
        (dim,) = shapes[-1]
        self.maps = nn.ModuleList(
            nn.Identity() if tuple(shape) == (dim,) else nn.Linear(math.prod(shape), dim)
            for shape in shapes
        )
        self.trunk = Trunk(dim, signal, outputs)

    def enter(self, layer, h):
        """(B, ...) to (B, D)."""
        return self.maps[layer](h.flatten(1))

    def forward(self, h, t, s):
        """Of what has entered: as the trunk."""
        return self.trunk(h, t, s)


def entered(net, layer, h):
    """What the trunk sees of h_l, (B, D); h_l itself where all layers are vectors of one width."""
    return net.enter(layer, h) if isinstance(net, Entered) else h


class Bridge(DFA):
    """What both bridges share."""

    def net(self, model, outputs=None):
        """A net with `outputs` numbers, D by default.

        Raises UsageError unless the last layer is a vector.
        """
        if len(model.shapes[-1]) > 1:
            raise UsageError(
                f"CREDIT_METHOD={self.settings.credit_method} needs layers that end in a vector: "
                "not CREDIT_MODEL=vit-mini"
            )
        (d,) = model.shapes[-1]
        signal = d if self.settings.credit_bridge_signal == "gradient" else classes_of(model)
        with self.fork():
            if len(set(model.shapes)) > 1:
                return Entered(model.shapes, signal, outputs or d)
            return Trunk(d, signal, outputs or d)

    def fork(self):
        """The nets are drawn beside the global generator, which is put back after."""
        seed = (self.settings.seed ^ STREAM) + self.settings.credit_feedback_seed
        return Seeded(seed % 2**63)

    def optimizers(self, model):
        """AdamW on the nets."""
        rate = self.settings.credit_bridge_lr
        return {"bridge": torch.optim.AdamW(model.bridge.net.parameters(), lr=rate, fused=True)}

    def signal(self, signals):
        """s: the error, or the gradient at h_L, (B, C) or (B, D)."""
        gradient = self.settings.credit_bridge_signal == "gradient"
        return wide(signals.top) if gradient else signals.error

    def step(self, model, x, y, ctx, moment):
        """The local step, and one of the nets on the same states."""

        def credits_of(signals):
            found = self.credits(model, signals)
            with torch.enable_grad():
                self.loss(model, signals).backward()
            return found

        return local_step(model, x, y, ctx, moment, credits_of, self.settings.credit_penalty)


class Seeded:
    """Within, torch's global generator draws from a seed; after, it stands where it stood."""

    def __init__(self, seed):
        self.seed = seed

    def __enter__(self):
        self.before = torch.get_rng_state()
        torch.manual_seed(self.seed)

    def __exit__(self, *error):
        torch.set_rng_state(self.before)


class StateBridge(Bridge):
    """a_l = J_G^T dCE/dh_L at G(h_l, t_l, s), the predicted h_L."""

    def install(self, model):
        """The predictor."""
        model.bridge = nn.ModuleDict({"net": self.net(model)})

    def predicted(self, model, signals, layer, h):
        """G(h_l, t_l, s), (B, D)."""
        t = layer / max(1, len(signals.hidden) - 1)
        h = entered(model.bridge.net, layer, h)
        return h + model.bridge.net(h, t, self.signal(signals))

    def loss(self, model, signals):
        """Mean squared error of all layers' predictions, over the mean square of h_L."""
        target = signals.hidden[-1]
        errors = [
            (self.predicted(model, signals, layer, h) - target).square().mean()
            for layer, h in enumerate(signals.hidden)
        ]
        return sum(errors) / (len(errors) * target.square().mean())

    def credits(self, model, signals):
        """One vector-Jacobian product a layer."""
        found = []
        for layer, h in enumerate(signals.hidden):
            with torch.enable_grad():
                h = wide(h.detach()).requires_grad_()
                logits = model.head(self.predicted(model, signals, layer, h))
                losses = F.cross_entropy(wide(logits), signals.y, reduction="sum")
            found += torch.autograd.grad(losses, h)
        return found


class CreditBridge(Bridge):
    """a_l = the gradient of V(h_l, t_l, s), each example's divided by its root mean square."""

    def install(self, model):
        """V, its running average, and DFA's matrices for the beginning."""
        super().install(model)
        net = self.net(model, 1)
        model.bridge = nn.ModuleDict({"net": net, "average": copy.deepcopy(net)})
        model.bridge.average.requires_grad_(False)

    def value(self, net, signals, layer, h):
        """V(h_l, t_l, s), (B,)."""
        t = layer / max(1, len(signals.hidden) - 1)
        return net(entered(net, layer, h), t, self.signal(signals)).squeeze(1)

    def loss(self, model, signals):
        """Terminal value, terminal gradient, consistency; then the average follows V."""
        s, net, top = self.settings, model.bridge.net, len(signals.hidden) - 1
        h = wide(signals.hidden[-1]).detach().requires_grad_()
        value = self.value(net, signals, top, h)
        (gradient,) = torch.autograd.grad(value.sum(), h, create_graph=True)
        with torch.no_grad():
            losses = F.cross_entropy(wide(model.head(h)), signals.y, reduction="none")
        total = (value - losses).square().mean()
        if s.credit_bridge_match:
            off = (gradient - signals.top).square().sum(dim=1).mean()
            total = total + s.credit_bridge_match * off
        generator = torch.Generator().manual_seed((s.seed ^ STREAM) % 2**62 + signals.step)
        for layer in range(top):
            target = self.soft_minimum(model, signals, layer + 1, generator)
            value = self.value(net, signals, layer, signals.hidden[layer])
            total = total + (value - target).square().mean()
        self.follow(model)
        return total

    @torch.no_grad()
    def soft_minimum(self, model, signals, layer, generator):
        """-tau log mean_k exp(-V_average(h + sigma xi_k) / tau), (B,)."""
        s, h = self.settings, signals.hidden[layer]
        values = []
        for _ in range(s.credit_bridge_draws):
            noise = torch.randn(h.shape, generator=generator).to(h)
            near = h + s.credit_bridge_sigma * noise
            values.append(self.value(model.bridge.average, signals, layer, near))
        tau, count = s.credit_bridge_tau, len(values)
        return tau * (math.log(count) - torch.logsumexp(-torch.stack(values) / tau, dim=0))

    @torch.no_grad()
    def follow(self, model):
        """The average moves towards V."""
        decay = self.settings.credit_bridge_decay
        pairs = zip(model.bridge.average.parameters(), model.bridge.net.parameters(), strict=True)
        for average, p in pairs:
            average.mul_(decay).add_(p, alpha=1.0 - decay)

    def credits(self, model, signals):
        """DFA's in the first part of training, then V's gradients."""
        if signals.progress < self.settings.credit_bridge_warmup:
            return super().credits(model, signals)
        found = []
        for layer, h in enumerate(signals.hidden):
            with torch.enable_grad():
                h = wide(h.detach()).requires_grad_()
                total = self.value(model.bridge.net, signals, layer, h).sum()
            (a,) = torch.autograd.grad(total, h)
            rows = a.flatten(1)
            rms = rows.norm(dim=1, keepdim=True) / math.sqrt(rows.size(1))
            found.append((rows / (rms + CREDIT_RMS_FLOOR)).view_as(a))
        return found
