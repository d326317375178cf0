"""Which mutants are tried: drawn by a seed, each area in proportion to its mutants."""

import random
from collections.abc import Sequence

from goldenseal.mutate.operators import Mutant


def draw(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """`count` mutants (all, when there are fewer), ordered by area, file and place.

    Within an area each mutant is as likely as any other. The areas' shares are rounded so that
    they add up: the largest remainders are rounded up, ties by name.
    """
    areas: dict[str, list[Mutant]] = {}
    for mutant in sorted(mutants, key=lambda m: m.identity):
        areas.setdefault(mutant.area, []).append(mutant)
    count = min(count, len(mutants))
    chosen: list[Mutant] = []
    for area, size in shares({a: len(ms) for a, ms in areas.items()}, count).items():
        shuffled = random.Random(f"{seed} {area}").sample(areas[area], len(areas[area]))
        chosen += shuffled[:size]  # so that a larger sample holds the smaller one's results
    return sorted(chosen, key=lambda m: (m.area, m.file, m.start, m.operator, m.new))


def shares(sizes: dict[str, int], count: int) -> dict[str, int]:
    """`count` shared out in proportion to `sizes`, by largest remainder."""
    total = sum(sizes.values())
    if total == 0:
        return dict.fromkeys(sorted(sizes), 0)
    whole = {area: count * size // total for area, size in sorted(sizes.items())}
    rest = sorted(sizes, key=lambda area: (-(count * sizes[area] % total), area))
    for area in rest[: count - sum(whole.values())]:
        whole[area] += 1
    return whole
