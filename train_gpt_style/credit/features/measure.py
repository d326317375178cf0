"""CREDIT_MEASURE: norms, gradients and cosines of each layer, with every test.

Idea: accuracy and one mean cosine pass networks whose deep blocks do harm. What the diagnostics ask
(train_gpt_style/credit/protocol) is measured on the first examples of the test split, by
train_gpt_style/credit/metrics.py, and told to the run log: its validation lines and its end.

    hidden_l, gradient_l     median norms of h_l, and of the gradient of each example's own loss
    cosine_l                 of the method's credit with that gradient; left out where it has none
    gamma, deep_cosine       mean over l = 0..L, over l = 1..L
    stability                of the mean gradient at layer L/2 over disjoint batches
    rho, nudge               with CREDIT_MEASURE_EFFECTS: means over l = 1..L
    ep_residual, ep_settled  of the relaxation that the credit was read off from
    loss_decrease            at the end: mean training loss over the first epoch less that over the
                             last, or, in a run of less than two, over a tenth of its steps at
                             each end: positive where it learns

It moves no weight and draws from generators of its own; a test holds it to that. It counts as a
feature that acts, since it calls a copy of the network. Off (0): nothing is measured.
"""

import torch

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.credit.features.method import method_of
from train_gpt_style.credit.metrics import (
    cosine,
    gradient_norm,
    hidden_norm,
    measured,
    nudged_loss,
    rho,
    stability,
    with_credits,
)
from train_gpt_style.credit.seams import GatedFeature
from train_gpt_style.kit.seams import Observer

BATCHES, SIZE = 8, 128  # of stability: at least so many batches, and examples in each


def facts_of(seen, size, effects=False):
    """Names and numbers of one measurement; `size`: examples a batch of stability."""
    found = {}
    for layer, (h, g) in enumerate(zip(seen.hidden, seen.gradients, strict=True)):
        found[f"hidden_{layer}"] = hidden_norm(h)
        found[f"gradient_{layer}"] = gradient_norm(g)
    middle = seen.gradients[(len(seen.hidden) - 1) // 2]
    if len(middle) >= BATCHES * size:
        found["stability"] = stability(middle, len(middle) // size, size)
    if seen.credits is None:
        return found
    pairs = zip(seen.credits, seen.gradients, strict=True)
    cosines = [cosine(a, g) for a, g in pairs]
    found |= {f"cosine_{layer}": c for layer, c in enumerate(cosines)}
    found["gamma"] = sum(cosines) / len(cosines)
    deep = range(1, len(cosines))
    if effects:
        found["rho"] = mean(rho(seen, seen.credits, layer) for layer in deep)
        found["nudge"] = mean(nudged_loss(seen, seen.credits, layer) for layer in deep)
    return found | {"deep_cosine": mean(cosines[layer] for layer in deep)}


def mean(values):
    """Of any number of numbers; NaN of none."""
    values = list(values)
    return sum(values) / len(values) if values else float("nan")


class LossDecrease(Observer):
    """Sums of training losses at both ends of a run; waits for the device at the end alone."""

    def __init__(self, run):
        steps, epoch = run.settings.steps, run.per_epoch
        self.run = run
        self.window = epoch if steps >= 2 * epoch else max(1, steps // 10)
        kept = run.start.observers["measure"] if run.start is not None else (0.0, 0.0)
        # In double, so that the order in which a resumed run adds does not matter to the digits.
        self.first, self.last = (torch.tensor(v, dtype=torch.float64) for v in kept)

    def position(self):
        """Both sums."""
        return [float(self.first), float(self.last)]

    def after_step(self, step):
        """A step at one of the ends."""
        if step.step <= self.window:
            self.first = self.first + step.loss.detach().double()
        if step.step > self.run.settings.steps - self.window:
            self.last = self.last + step.loss.detach().double()

    def after_training(self, steps):
        """Of a run of no step nothing is said."""
        if steps:
            self.run.results["loss_decrease"] = float(self.first - self.last) / self.window


class Measure(GatedFeature):
    """Fills two seams: what a test says besides loss and accuracy, and an observer."""

    declaration = Feature(
        name="measure",
        summary="measure every layer with each test",
        master=Knob(
            "CREDIT_MEASURE", int, 0, "examples; 0: not measured", 0, unit="examples", on="6"
        ),
        knobs=(
            Knob(
                *("CREDIT_MEASURE_EFFECTS", bool, False, "also what a credit does to the loss"),
                on="1",
            ),
        ),
        example={"CREDIT_MEASURE": "9", "CREDIT_METHOD": "fa"},
    )

    def data(self, settings, train, test):
        """There must be as many test examples."""
        if settings.credit_measure > len(test):
            raise UsageError(
                f"CREDIT_MEASURE={settings.credit_measure} exceeds the {len(test)} test examples"
            )

    def observer(self, run):
        """Of the training loss."""
        return LossDecrease(run)

    def measure(self, settings, model, ctx, split, step):
        """By name, of the first CREDIT_MEASURE examples of the split."""
        count = settings.credit_measure
        x, y = split.inputs(slice(count)).to(ctx.device), split.labels[:count].to(ctx.device)
        seen = measured(model, x, y, step, step / max(1, settings.steps))
        method = method_of(settings)
        if method is not None:
            seen = with_credits(seen, method)
        told = method.facts if method is not None else {}
        return facts_of(seen, SIZE, settings.credit_measure_effects) | told


MEASURE = Measure()
