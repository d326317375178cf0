"""Rules of a plan that no result could ever meet. Plain arithmetic, since every check asks."""

from goldenseal.errors import UsageError
from goldenseal.records.kinds.schema import FEWEST_SEEDS

MOST_BLOCKS = 40  # of an exact test: two halves of 2^20 signs each
SMALLEST_ALPHA = 1e-12


def refuse_dead_rule(test: str, alpha: float, n: int, comparisons: int, where: str) -> None:
    """Raise UsageError when no result of `n` seeds could meet the rule, or too many are listed.

    Holm's correction multiplies the smallest of m p-values by m, so even the clearest result must
    come below alpha / m. A sign-flip test over n pairs has no p below 2 / 2^n.
    """
    if alpha < SMALLEST_ALPHA:
        raise UsageError(
            f"{where}: alpha {alpha} is below what is computed exactly: it never fires"
        )
    if test != "sign-flip":
        return
    if n > MOST_BLOCKS:
        raise UsageError(f"{where}: {n} seeds; an exact sign-flip test takes {MOST_BLOCKS} at most")
    needed = fewest_for_sign_flip(alpha, comparisons)
    if n < needed:
        least = comparisons * 2.0 ** (1 - n)
        raise UsageError(
            f"{where}: the rule can never fire: with {n} seeds and {comparisons} comparisons the "
            f"smallest p of a sign-flip test after Holm is {least:.3g}, not below alpha {alpha}; "
            f"it needs {needed} seeds"
        )


def fewest_for_sign_flip(alpha: float, comparisons: int) -> int:
    """The fewest pairs whose smallest corrected p is below alpha."""
    n = FEWEST_SEEDS
    while comparisons * 2.0 ** (1 - n) >= alpha:
        n += 1
    return n
