"""What did nothing: parameters without a gradient over a window, terms that were always 0.

By the maximum, never by the mean: a small gradient is one.
"""

import torch


class Watched:
    """Which parameters had a gradient since `begin`, and which loss terms were ever not 0.

    kept: what `position` gave in an earlier part of the run.
    """

    def __init__(self, model, kept=None):
        self.named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        self.alive = set(kept["alive"]) if kept else set()
        self.terms = dict(kept["terms"]) if kept else {}
        self.steps = kept["steps"] if kept else 0
        self.window = kept["window"] if kept else 0

    def begin(self):
        """Another window, of no step yet."""
        self.alive, self.window = set(), 0

    @torch.no_grad()
    def after_step(self, terms):
        """Look at the gradients of the step, and at its terms by name."""
        waiting = [(n, p.grad) for n, p in self.named if n not in self.alive and p.grad is not None]
        if waiting:
            # One wait for the device for all: NaN counts as a gradient, and is another's finding.
            largest = torch.stack([g.abs().max().float() for _, g in waiting]).tolist()
            self.alive |= {n for (n, _), size in zip(waiting, largest, strict=True) if size != 0}
        for name, value in terms.items():
            self.terms[name] = self.terms.get(name, False) or float(value) != 0
        self.steps += 1
        self.window += 1

    def position(self):
        """All of it, as JSON."""
        counted = {"steps": self.steps, "window": self.window}
        return {"alive": sorted(self.alive), "terms": self.terms, **counted}

    def found(self):
        """no_gradient, vacuous: names, in the model's order and in the order of appearance.

        no_gradient is of the `window` last steps, vacuous of all `steps`.
        """
        if not self.steps:
            return {}
        return {
            "steps": self.steps,
            "window": self.window,
            "no_gradient": [n for n, _ in self.named if self.window and n not in self.alive],
            "vacuous": [name for name, acted in self.terms.items() if not acted],
        }
