"""Backpropagation with a penalty, and with blocks that stay as they are at the start."""

import torch.nn.functional as F

from train_gpt_style.credit.methods.base import Method, wide


def with_penalty(penalty):
    """Backpropagation of the mean loss plus `penalty` times the mean of ||f_l||^2, over blocks."""

    def gradients(model, x, y, ctx, done):
        with ctx.autocast():
            h, added = model.start(x), 0.0
            for index, block in enumerate(model.blocks):
                f = block(h)
                h = model.after(index, h, f)
                if penalty:
                    added = added + wide(f).square().sum() / len(f)
            logits = model.head(h)
            loss = F.cross_entropy(wide(logits), y)
            correct = (logits.argmax(dim=1) == y).sum()
        (loss + penalty * added if penalty else loss).backward()
        return loss, correct

    return gradients


class Frozen(Method):
    """Embedding and head by backpropagation, through blocks that stay as they are."""

    def __init__(self, settings):
        super().__init__(settings)
        self.gradients = with_penalty(settings.credit_penalty)

    def install(self, model):
        """The blocks are not trained."""
        model.blocks.requires_grad_(False)

    def step(self, model, x, y, ctx, moment):
        """Gradients of what is trained."""
        return self.gradients(model, x, y, ctx, moment.step)
