"""Optimizers: which parameter is moved by which rule. Every trainable parameter, by exactly one.

    embedding   Adam, TIED_EMBED_LR or EMBED_LR     the token embedding
    head        Adam, HEAD_LR                       the head, when it is not the embedding
    matrices    Muon, MATRIX_LR                     the blocks' matrices
    scalars     Adam, SCALAR_LR                     the blocks' vectors and control tensors, skips

A parameter that a feature adds outside the blocks joins the group that the feature claims for it.
"""

import torch

from goldenseal.errors import UsageError
from train_gpt_style.gpt.model import is_control
from train_gpt_style.gpt.muon import Muon


def group_of(name, p):
    """The group of a baseline parameter; None for any other."""
    if name == "tok_emb.weight":
        return "embedding"
    if name == "lm_head.weight":
        return "head"
    if name.startswith("blocks."):
        return "matrices" if p.ndim == 2 and not is_control(name) else "scalars"
    return "scalars" if name == "skip_weights" else None


def group_parameters(model, features):
    """The model's parameters by group, as the groups claim them: nobody has checked them yet."""
    groups = {"embedding": [], "head": [], "matrices": [], "scalars": []}
    named = {name: p for name, p in model.named_parameters() if p.numel() > 0}
    if "skip_weights" in named:  # last of its group, as in the baseline
        named["skip_weights"] = named.pop("skip_weights")
    for name, p in named.items():
        for group in (group_of(name, p), *(feature.claim(name) for feature in features)):
            if group is None:
                continue
            if group not in groups:
                raise UsageError(f"{name}: {group!r} is no optimizer group of {list(groups)}")
            groups[group].append(p)
    return groups


def build_optimizers(settings, model):
    """One optimizer a group, by group name, in the order in which they step.

    Raises UsageError when they do not own each trainable parameter exactly once.
    """
    features = settings.features
    groups = group_parameters(model, features)
    lrs = {
        "embedding": settings.tied_embed_lr if settings.tie_embeddings else settings.embed_lr,
        "head": settings.head_lr,
        "matrices": settings.matrix_lr,
        "scalars": settings.scalar_lr,
    }
    for feature in features:
        lrs = {group: lr * feature.lr_factor(group, settings) for group, lr in lrs.items()}

    def adam(params, lr):
        group = {"params": params, "lr": lr, "base_lr": lr}
        betas = (settings.beta1, settings.beta2)
        return torch.optim.Adam([group], betas=betas, eps=settings.adam_eps, fused=True)

    def muon(params, lr):
        optimizer = Muon(params, lr, settings.muon_momentum, settings.muon_backend_steps)
        optimizer.param_groups[0]["base_lr"] = lr
        for feature in features:
            feature.tune_muon(optimizer)
        return optimizer

    optimizers = {
        group: (muon if group == "matrices" else adam)(params, lrs[group])
        for group, params in groups.items()
        if params
    }
    check_partition(model, optimizers)
    return optimizers


def check_partition(model, optimizers):
    """Raise UsageError, with names, unless each trainable parameter has exactly one owner."""
    owned = [
        id(p) for o in optimizers.values() for group in o.param_groups for p in group["params"]
    ]
    named = {name: p for name, p in model.named_parameters() if p.requires_grad and p.numel() > 0}
    wrong = [
        f"{name} has {owned.count(id(p))}" for name, p in named.items() if owned.count(id(p)) != 1
    ]
    if wrong:
        raise UsageError(f"each parameter needs exactly one optimizer group: {', '.join(wrong)}")
    if len(owned) != len(named):
        raise UsageError(
            f"the optimizers hold {len(owned) - len(named)} tensors that are not the model's"
        )
