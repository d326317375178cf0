"""What an optimizer keeps besides weights and rates, as it tells itself.

A checkpoint asks these functions, and they ask the optimizer. One that keeps what torch's Adam
keeps tells nothing. Any other has some of these methods:

    kept_for(p)                 tensor by key, of the shape and dtype that its state for p has
    owner_of(i, world_size)     the rank that alone keeps the state of parameter number i
    own_state()                 tensor by name: what it keeps beside the parameters' states
    put_own_state(found)        the inverse
"""

import torch


def kept_for(optimizer, p):
    """Tensors like those that are kept for a parameter once it was updated, by key."""
    if hasattr(optimizer, "kept_for"):
        return optimizer.kept_for(p)
    return {"exp_avg": p, "exp_avg_sq": p, "step": torch.empty(())}


def owner_of(optimizer, i, world_size):
    """The rank that alone keeps the state of parameter number i; None: every rank keeps it."""
    return optimizer.owner_of(i, world_size) if hasattr(optimizer, "owner_of") else None


def own_state(optimizer):
    """What is kept beside the parameters' states, by name."""
    return optimizer.own_state() if hasattr(optimizer, "own_state") else {}


def put_own_state(optimizer, found):
    """Put that back."""
    if hasattr(optimizer, "put_own_state"):
        optimizer.put_own_state(found)
