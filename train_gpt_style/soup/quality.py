"""How well calibration holds on rows that it has not seen, beside what it reaches by chance.

Nothing that judges a row has seen it: consensus, principal columns, means and fits are of one half
of the rows, and are judged on the other. The control is all of that again, from GPA on, after each
expert's rows were put in an order of their own. A consensus is in part each of its experts, so even
unrelated clouds have a cosine above 0 to it, held out or not: what counts is by how much the
control is passed. Of a pair of experts neither holds the other; their control is near 0.
"""

import itertools
from dataclasses import dataclass

import torch

from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.procrustes import HeldOut, held_out, mean_cosine
from train_gpt_style.soup.consensus import NATIVE, calibrate, make, principal, rotation, scales


@dataclass(frozen=True)
class Quality:
    """`HeldOut` by measure, each of the mean cosine of an expert's rows to the consensus.

    back: rows mapped back to the sphere's space, about the mean of the targets, as the projectors
    start. whitened: both clouds whitened; 1 for any linear map. plain: a rotation alone.
    """

    measures: dict[str, HeldOut]

    def __str__(self):
        told = self.measures.items()
        words = [f"{name}_{part}" for name, each in told for part in each.cosines().split()]
        return " ".join([*words, self.measures["back"].size()])


def qualities(features, width, output, gpa=None, whiten=True, floor=0.0, seed=0, solver=NATIVE):
    """A `Quality` for each expert, of unit rows [(N, D)], the halves drawn from `seed`.

    gpa: (rounds, tolerance), or None. Raises UsageError where half of the rows are too few for
    `output` columns.
    """
    generator = torch.Generator().manual_seed(seed)
    count = len(features[0])
    order = torch.randperm(count, generator=generator)
    inside, outside = order[: (count + 1) // 2], order[(count + 1) // 2 :]

    def cosines(clouds):
        """By expert and measure: (on the rows of the fit, on the others)."""
        halves = [[x[half] for x in clouds] for half in (inside, outside)]
        found = make(*halves, width, output, gpa, solver)
        goal = principal(found.train, output, solver)
        ways = [
            ways_of(part, cloud, found.train, goal, whiten, floor, solver)
            for part, cloud in zip(found.parts, found.clouds, strict=True)
        ]
        targets = found.train, found.val
        return [
            {
                name: [
                    mean_cosine(*way(half[i], t)) for half, t in zip(halves, targets, strict=True)
                ]
                for name, way in by_name.items()
            }
            for i, by_name in enumerate(ways)
        ], [part.basis.shape[1] for part in found.parts]

    own, columns = cosines(features)
    shuffled = [x[torch.randperm(count, generator=generator)] for x in features]
    control, _ = cosines(shuffled)
    return [
        Quality({n: HeldOut(*own[i][n], control[i][n][1], len(inside), d) for n in own[i]})
        for i, d in enumerate(columns)
    ]


def ways_of(part, cloud, target, goal, whiten, floor, solver):
    """By measure, a function of rows (N, D) and targets (N, O) to the clouds that it compares."""
    _, inverse = scales(part.values, floor)
    _, forth = scales(goal.values, floor)
    t = goal(target)
    s_white, t_white = cloud * inverse.to(cloud.dtype), t * forth.to(t.dtype)
    turns = rotation(cloud, t, solver), rotation(unit(s_white), unit(t_white), solver)
    affine = calibrate(part, cloud, target, whiten, floor, solver)
    return {
        "back": lambda x, y: (affine(x) - goal.mean, y.double() - goal.mean),
        "whitened": lambda x, y: (part(x).double() * inverse @ turns[1], goal(y).double() * forth),
        "plain": lambda x, y: (part(x).double() @ turns[0], goal(y).double()),
    }


def pairs(clouds, output, floor, seed=0):
    """((i, j), whitened, plain): `HeldOut` of each pair of clouds (N, w) in principal columns.

    Of each the first `output` columns, or as many as both have; n should be far above that.
    """
    for i, j in itertools.combinations(range(len(clouds)), 2):
        width = min(output, clouds[i].shape[1], clouds[j].shape[1])
        both = clouds[i][:, :width], clouds[j][:, :width]
        found = [
            held_out(*both, torch.Generator().manual_seed(seed), whiten, floor)
            for whiten in (True, False)
        ]
        yield (i, j), *found
