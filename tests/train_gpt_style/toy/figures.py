"""What was published: the number of parameters."""

from torch.nn import Linear


def figures():
    return [("parameters", "4", str(sum(p.numel() for p in Linear(3, 1).parameters())))]
