"""Null calibration: the deep cosine that fresh feedback has with the same gradients.

Only feedback can be drawn afresh: of DFA, its shallow variant and FA. For B e the matrix B e need
not be made: <B e, g> = e . (B' g) and ||B e||^2 = e . (B' B) e, of C numbers an example instead of
d, for all draws of a layer in one product.

Shape letters: N examples, C classes, D numbers of a state, R draws.
"""

import torch

from train_gpt_style.credit.methods.feedback import DFA, FA, Feedback, ShallowDFA
from train_gpt_style.credit.metrics import flat, unit


def can_be_drawn(method):
    """Whether the method has feedback, and nothing that is learned."""
    return type(method) in (DFA, ShallowDFA, FA)


def fresh_cosines(seen, method, draws):
    """(R, L + 1): the cosine of each layer under each of `draws` fresh draws of the feedback."""
    matrices = [
        method.matrices(seen.model, method.generator(shift)) for shift in range(1, draws + 1)
    ]
    if isinstance(method, FA):
        units = [unit(g) for g in seen.gradients]
        return torch.stack([chain_cosines(seen, method, each, units) for each in matrices])
    e = seen.signals.error.double()
    layers = [
        direct_cosines(unit(g), e, torch.stack([each[layer] for each in matrices]).to(e))
        for layer, g in enumerate(seen.gradients)
    ]
    return torch.stack(layers, dim=1)


def direct_cosines(u, e, B):
    """(R,): mean cosine of B e with unit gradients u (N, D); e (N, C), B (R, D, C)."""
    R, D, C = B.shape
    seen = (u @ B.permute(1, 0, 2).reshape(D, R * C)).view(-1, R, C)
    products = (seen * e.unsqueeze(1)).sum(dim=2)
    squares = ((e @ (B.transpose(1, 2) @ B)) * e).sum(dim=2).T
    return (products / squares.sqrt()).mean(dim=0)


def chain_cosines(seen, method, matrices, units):
    """(L + 1,): the cosines of one draw of FA with unit gradients (N, D), layer by layer.

    A draw takes one product a layer, (N, D) by (D, D), and there is no way around it: each example
    needs the norm of its own credit, so the credits of all must be made.
    """
    feedback = Feedback([matrix.to(seen.signals.top) for matrix in matrices])
    credits = map(flat, method.from_feedback(feedback, seen.signals))
    pairs = zip(credits, units, strict=True)
    return torch.stack([((a * u).sum(dim=1) / a.norm(dim=1)).mean() for a, u in pairs])
