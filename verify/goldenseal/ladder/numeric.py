"""The numeric state in which every gate works, and where the random generators stand."""

import hashlib
import random

import numpy as np
import torch

from goldenseal.digest import has_values, short

# Where generators stand before a script seeds them: one that no longer does so must show.
UNUSUAL_SEED = 1_836_311_903


def settle() -> None:
    """One thread, deterministic, seeded: a fixed state in which a script finds its process."""
    torch.set_num_threads(1)
    # Deterministic in a way that scripts rarely ask for: one that no longer asks then shows.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Reads of garbage then show up. (The module replaces itself, which mypy cannot see.)
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)  # noqa: B010
    random.seed(UNUSUAL_SEED)
    np.random.seed(UNUSUAL_SEED)
    torch.manual_seed(UNUSUAL_SEED)


def rng_facts() -> dict[str, str]:
    """Where each global random generator stands."""
    state = np.random.get_state(legacy=False)
    numpy_state = repr((state["state"]["key"].tolist(), state["state"]["pos"], state["has_gauss"]))
    facts = {
        "rng torch": short(torch.get_rng_state()),
        "rng python": hashlib.sha512(repr(random.getstate()).encode()).hexdigest()[:16],
        "rng numpy": hashlib.sha512(numpy_state.encode()).hexdigest()[:16],
    }
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        facts["rng cuda"] = short(torch.cuda.get_rng_state())
    return facts


def fact(value: object) -> str:
    """A fact's text: `short`, and of a tensor with one element also its value, for people."""
    if isinstance(value, torch.Tensor) and has_values(value) and value.numel() == 1:
        try:
            return f"{short(value)} = {value.detach().reshape(()).item():.9g}"
        except (RuntimeError, ValueError, TypeError):  # inside torch.func there is no number
            return short(value)
    return short(value)
