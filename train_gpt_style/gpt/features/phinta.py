"""PHINTA_ENABLE: a frozen random map whose rows have norm 1/phi, with a trained low-rank branch.

    module(x) = x W^T + (x A) B        x <- x + module(x)

Idea: the PhiNTA adapter of the golden-sunflowers proposal. W (D, D) is drawn, each row is scaled to
norm PHINTA_INIT_SCALE = 1/phi (a theorem) and never moves; A (D, R) is drawn small and B (R, D) is
zero, so the low-rank branch starts silent. Nothing is orthogonalised, in spite of the name.

Site: once before the head, after the final norm, so that the head's test-time adapter sees its
output; or, with PHINTA_PER_BLOCK, once after the output of every block instead. A block's module
belongs to the block: when UT_LOOPS repeats the block, it is repeated inside.

Start: with PHINTA_START=frozen, the default, W acts from the first step, as in the published code
(its text calls that an identity; it is none: the output moves by about 0.6 |x|). The default keeps
the published meaning of PHINTA_ENABLE=1. With PHINTA_START=identity a trained gain of zero stands
before x W^T, so that the model starts as the one without PhiNTA, and the gain may open.

Draws: from generators of their own, seeded by SEED and site, so that runs with and without start
from the same baseline weights. W is therefore not stored: neither the state dict nor the artifact
holds it, and who loads the weights builds the model with the same SEED first. Stored, it would add
some 0.22 MB to a 16 MB artifact and lose most of its precision to the quantiser.

Trained: A and B are claimed for Muon, the gain for Adam with the scalars.
Off: no module, no parameter, no draw.
"""

import hashlib

import torch
from torch import nn

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.constants import INV_PHI, PHINTA_A_STD, PHINTA_NORM_FLOOR, PHINTA_SPREAD
from train_gpt_style.gpt.seams import GatedFeature


def site_generator(seed, site):
    """A CPU generator that depends on nothing but the run's seed and the module's place."""
    digest = hashlib.sha256(f"phinta {site} {seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


class PhiNTA(nn.Module):
    """x W^T + (x A) B. W is a buffer outside the state dict; without a generator, the global one.

    D model width, R rank.
    """

    def __init__(self, dim, rank, init_scale=INV_PHI, generator=None, gated=False):
        super().__init__()
        W = (torch.rand(dim, dim, generator=generator) - 0.5) * PHINTA_SPREAD
        W = W / W.norm(dim=1, keepdim=True).clamp_min(PHINTA_NORM_FLOOR) * init_scale
        self.register_buffer("W", W, persistent=False)  # (D, D)
        A = torch.randn(dim, rank, generator=generator) * PHINTA_A_STD
        self.A = nn.Parameter(A)  # (D, R)
        self.B = nn.Parameter(torch.zeros(rank, dim))  # (R, D)
        self.gain = nn.Parameter(torch.zeros(1)) if gated else None

    def forward(self, x):
        """(..., D) to (..., D): what is to be added to x."""
        frozen = x @ self.W.to(x.dtype).T
        if self.gain is not None:
            frozen = self.gain.to(x.dtype) * frozen
        return frozen + (x @ self.A.to(x.dtype)) @ self.B.to(x.dtype)


class BeforeHead(PhiNTA):
    """The pre-head site."""

    def forward(self, x_BTD):
        """x + module(x)."""
        return x_BTD + super().forward(x_BTD)


class AfterEachBlock(nn.ModuleList):
    """One module a block, after its output."""

    def forward(self, apply, index, x_BTD):
        """Block `index`, then its module."""
        x = apply(x_BTD)
        return x + self[index](x)


def default_rank(dim):
    """The integer nearest to D / phi, at least 1."""
    return max(1, round(dim * INV_PHI))


class Phinta(GatedFeature):
    """Fills two seams: before the head or around each block, and the claim of its parameters."""

    declaration = Feature(
        name="phinta",
        summary="add a frozen golden-ratio map with a trained low-rank branch",
        master=Knob("PHINTA_ENABLE", bool, False, "add the adapter", on="1"),
        knobs=(
            Knob(
                "PHINTA_PER_BLOCK", bool, False, "one adapter a block, none before the head", on="1"
            ),
            Knob("PHINTA_RANK", int, 0, "rank of the trained branch; 0: D/phi", 0, 65536, on="3"),
            Knob("PHINTA_INIT_SCALE", float, INV_PHI, "row norm of the frozen map", 0.0, on="0.5"),
            Knob(
                "PHINTA_START",
                str,
                "frozen",
                "what acts at step 0: the frozen map, or nothing",
                choices=("frozen", "identity"),
                on="identity",
            ),
        ),
        example={"PHINTA_ENABLE": "1"},
    )

    def check(self, settings):
        """Refuse a gain that could never get a gradient."""
        if settings.phinta_start == "identity" and settings.phinta_init_scale == 0:
            raise UsageError("PHINTA_START=identity needs PHINTA_INIT_SCALE above 0")

    def install(self, model, settings):
        """One module before the head, or one a block."""
        dim = settings.model_dim
        rank = settings.phinta_rank or default_rank(dim)
        gated = settings.phinta_start == "identity"

        def build(kind, site):
            generator = site_generator(settings.seed, site)
            return kind(dim, rank, settings.phinta_init_scale, generator, gated)

        if settings.phinta_per_block:
            model.around_block["phinta"] = AfterEachBlock(
                build(PhiNTA, f"block {i}") for i in range(settings.num_layers)
            )
        else:
            model.before_head["phinta"] = build(BeforeHead, "head")

    def claim(self, parameter_name):
        """Muon for the matrices, Adam for the gain."""
        if not parameter_name.startswith(("around_block.phinta.", "before_head.phinta.")):
            return None
        return "scalars" if parameter_name.endswith(".gain") else "matrices"


PHINTA = Phinta()
