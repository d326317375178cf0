"""The Psi-Omega coupler: two phases that pull at each other, pushed apart by unaligned gradients.

Reconstructed: the source names drift, flux, coherence and E_ret without defining them; these
definitions are this package's own. Everything here is a pure function of what it is given.

Drift and coherence are no evidence about training: the coupler keeps |drift| within `cap`, and so
coherence at cos(cap / 2) or more, for every stream of gradients, pure noise included.

    psi'   = psi   + push_psi   + K/2 sin(omega - psi)
    omega' = omega + push_omega + K/2 sin(psi - omega)      drift = psi - omega, in radians
"""

import math
from dataclasses import dataclass, replace

from train_gpt_style.vit_rft.constants import COSINE_FLOOR, FLUX_MEMORY


@dataclass(frozen=True)
class Dots:
    """What is observed of a step: inner products over all parameters, in parameter order.

    gm: gradient with Adam's first moment before the step; gg, mm: each with itself.
    """

    gm: float
    gg: float
    mm: float

    @property
    def cosine(self) -> float | None:
        """Of gradient and first moment, in [-1, 1]; 0 without history; None if not finite."""
        if not all(map(math.isfinite, (self.gm, self.gg, self.mm))):
            return None
        a = self.gm / (math.sqrt(self.gg) * math.sqrt(self.mm) + COSINE_FLOOR)
        return min(1.0, max(-1.0, a))


@dataclass(frozen=True)
class Coupling:
    """The coupler's two constants: the coupling K, and the drift that it allows at K = 1, rad."""

    strength: float
    cap: float


def wrap(angle: float) -> float:
    """The same angle in [-pi, pi]."""
    return math.remainder(angle, math.tau)


def push(alignment: float, cap: float) -> float:
    """How far apart a step pushes the phases: 0 when aligned, sin(cap) when opposed."""
    return math.sin(cap) * (1 - alignment) / 2


def next_drift(drift: float, alignment: float, coupling: Coupling) -> float:
    """The drift after a step, rad in [-pi, pi]."""
    pull = coupling.strength * math.sin(drift)
    return wrap(drift + push(alignment, coupling.cap) - pull)


def coherence(drift: float) -> float:
    """|e^(i psi) + e^(i omega)| / 2 = cos(drift / 2), in [0, 1]."""
    return math.cos(drift / 2)


@dataclass(frozen=True)
class Observed:
    """What the observer knows after `step` steps. Advanced by `after`; never changed.

    alignment: the cosine of the last step; None when it was not finite, and then counted.
    mean_square: moving average, without bias correction, of |gradient|^2.
    retained: E_ret, |mean gradient|^2 / mean |gradient|^2, both bias corrected, at most 1.
    """

    step: int = 0
    alignment: float | None = None
    drift: float = 0.0
    flux: float = 0.0
    mean_square: float = 0.0
    retained: float | None = None
    nonfinite: int = 0

    def after(self, dots: Dots, coupling: Coupling, beta1: float) -> "Observed":
        """One step later. A step that is not finite counts as unaligned, and is left out of E."""
        step, a = self.step + 1, dots.cosine
        drift = next_drift(self.drift, a or 0.0, coupling)
        change = abs(wrap(drift - self.drift))
        flux = FLUX_MEMORY * self.flux + (1 - FLUX_MEMORY) * change
        moved = replace(self, step=step, alignment=a, drift=drift, flux=flux)
        if a is None:
            return replace(moved, retained=None, nonfinite=self.nonfinite + 1)
        rest = 1 - beta1
        mean_square = beta1 * self.mean_square + rest * dots.gg
        moment = beta1 * beta1 * dots.mm + 2 * beta1 * rest * dots.gm + rest * rest * dots.gg
        whole = mean_square * (1 - beta1**step)
        retained = min(1.0, max(0.0, moment / whole)) if whole > 0 else None
        return replace(moved, mean_square=mean_square, retained=retained)
