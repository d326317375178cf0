"""The local step: each block learns from the credit of its own output, and from nothing later.

Block l is trained on the batch's mean of <f_l(stop(h_l)), stop(a_{l+1})>, the embedding on that of
<h_0, a_0>, the head on its true loss at stop(h_L). Since d<f, a>/df = a, f_l moves against a. No
graph reaches from one block into another.
"""

import torch
import torch.nn.functional as F

from train_gpt_style.credit.methods.base import Signals, error_of, inner, wide


def local_step(model, x, y, ctx, moment, credits_of, penalty=0.0):
    """Fill the gradients; `credits_of(signals)` gives a_0..a_L. Returns (mean loss, correct).

    penalty: lambda of the mean of ||f_l||^2, added to each block's loss; 0 adds nothing.
    """
    with ctx.autocast():
        first = model.start(x)
        hidden, branches = [first.detach()], []
        for index, block in enumerate(model.blocks):
            branches.append(block(hidden[-1]))
            hidden.append(model.after(index, hidden[-1], branches[-1]).detach())
        loss, correct, signals = head_step(model, hidden, y, moment)
        credits = credits_of(signals)
        local = inner(wide(first), credits[0])
        for f, a in zip(branches, credits[1:], strict=True):
            local = local + inner(wide(f), a)
            if penalty:
                local = local + penalty * wide(f).square().sum()
    (local / len(y)).backward()
    return loss, correct


def head_step(model, hidden, y, moment):
    """Fill the head's gradients by its true loss; (mean loss, correct, `Signals`)."""
    top = hidden[-1]
    loss, correct, logits = head_pass(model, top, y)
    with torch.no_grad():
        gradient = len(y) * top.grad
        hidden = [h.detach() for h in hidden]
        error = error_of(logits, y)
    return loss, correct, Signals(hidden, y, error, gradient, moment.step, moment.progress)


def head_pass(model, top, y):
    """(mean loss, correct, logits); the gradients of the head, and that of h_L as `top.grad`."""
    logits = model.head(top.requires_grad_())
    loss = F.cross_entropy(wide(logits), y)
    loss.backward()
    correct = (logits.argmax(dim=1) == y).sum()
    return loss, correct, logits
