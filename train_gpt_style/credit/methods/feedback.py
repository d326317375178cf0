"""Fixed random feedback: DFA, its shallow variant, and FA.

DFA (Nokland 2016): a_l = B_l e, one fixed matrix a layer. FA (Lillicrap and others 2016) in its
layer-wise form: a_l = B_l a_{l+1} from the exact gradient at h_L, or from a random a_L = B_L e; the
latter is DFA with products of matrices. The derivative of a block itself is autograd's; those of
later blocks are skipped.

The matrices are buffers of the network: a checkpoint holds them, digests cover them, and a network
without them has no credit that could be measured.
"""

import math

import torch
from torch import nn

from goldenseal.errors import UsageError
from train_gpt_style.credit.methods.base import Method, wide
from train_gpt_style.credit.methods.fast import (
    Chained,
    Direct,
    DirectFromRandom,
    fast_step,
    fits,
)
from train_gpt_style.credit.methods.local import local_step

STREAM = 1610612741  # apart from SEED's own stream


class Feedback(nn.Module):
    """Matrices by layer, B0..BL, as buffers: fixed, and part of the network's state."""

    def __init__(self, matrices):
        super().__init__()
        for layer, matrix in enumerate(matrices):
            if matrix is not None:
                self.register_buffer(f"B{layer}", matrix)

    def __getitem__(self, layer):
        return getattr(self, f"B{layer}")


def drawn(shapes, scale, generator):
    """A normal matrix of each shape with that standard deviation, in order; None stays None."""
    return [
        None if shape is None else scale * torch.randn(shape, generator=generator)
        for shape in shapes
    ]


def classes_of(model):
    """Outputs of the head."""
    return model.out_head.out_features


def direct_matrices(model, scale, generator):
    """B_l of shape (numbers of h_l, C), entries N(0, scale^2 / C), l = 0..L."""
    shapes = [(math.prod(shape), classes_of(model)) for shape in model.shapes]
    return drawn(shapes, scale / math.sqrt(classes_of(model)), generator)


def direct(feedback, signals, layer):
    """a_l = B_l e, in the shape of h_l."""
    return (signals.error @ feedback[layer].T).view_as(signals.hidden[layer])


class DFA(Method):
    """a_l = B_l e."""

    def generator(self, shift=0):
        """Draws by SEED and CREDIT_FEEDBACK_SEED."""
        seed = self.settings.seed ^ (STREAM + self.settings.credit_feedback_seed + shift)
        return torch.Generator().manual_seed(seed)

    def matrices(self, model, generator):
        """All that is drawn; what null calibration draws afresh."""
        return direct_matrices(model, self.settings.credit_feedback_scale, generator)

    def install(self, model):
        """The matrices."""
        model.feedback = Feedback(self.matrices(model, self.generator()))

    def step(self, model, x, y, ctx, moment):
        """The local step, written out where that is known to be the same."""
        penalty = self.settings.credit_penalty
        if self.settings.credit_fast and fits(model, ctx):
            return fast_step(model, x, y, self.walk(), penalty)

        def credits_of(signals):
            return self.credits(model, signals)

        return local_step(model, x, y, ctx, moment, credits_of, penalty)

    def walk(self):
        """How the step that is written out goes from layer to layer."""
        return Direct

    def credits(self, model, signals):
        """From the matrices of the network."""
        return self.from_feedback(model.feedback, signals)

    def from_feedback(self, feedback, signals):
        """From any matrices of the same shapes."""
        return [direct(feedback, signals, layer) for layer in range(len(signals.hidden))]


class ShallowDFA(DFA):
    """The blocks stay as they are; the embedding learns from a_0 = B_0 e."""

    def install(self, model):
        """The matrices, and blocks that are not trained."""
        super().install(model)
        model.blocks.requires_grad_(False)

    def step(self, model, x, y, ctx, moment):
        """The local step, whose block losses have no parameter to train."""

        def credits_of(signals):
            return self.credits(model, signals)

        return local_step(model, x, y, ctx, moment, credits_of)


class FA(DFA):
    """a_l = B_l a_{l+1}, B_l of shape (d, d) with entries N(0, scale^2 / d)."""

    def check_model(self, model):
        """All layers must have one shape."""
        if len(set(model.shapes)) > 1:
            raise UsageError(
                "CREDIT_METHOD=fa needs layers of one shape: not CREDIT_MODEL=small-cnn"
            )

    def matrices(self, model, generator):
        """B_0..B_{L-1}, and with a random top B_L for it."""
        self.check_model(model)
        d, layers = model.shapes[0][-1], len(model.shapes) - 1
        scale = self.settings.credit_feedback_scale
        found = drawn([(d, d)] * layers, scale / math.sqrt(d), generator)
        # By columns in memory: credits are rows, and a @ B.T is faster so.
        found = [matrix.T.contiguous().T for matrix in found]
        if self.settings.credit_fa_top == "random":
            return [*found, direct_matrices(model, scale, generator)[-1]]
        return found

    def walk(self):
        """From the exact gradient, or from random feedback."""
        return DirectFromRandom if self.settings.credit_fa_top == "random" else Chained

    def from_feedback(self, feedback, signals):
        """Down from the top."""
        last = len(signals.hidden) - 1
        random_top = self.settings.credit_fa_top == "random"
        found = [direct(feedback, signals, last) if random_top else wide(signals.top)]
        for layer in reversed(range(last)):
            found.append(found[-1] @ feedback[layer].T)
        return found[::-1]
