"""Run 12: two towers, and a third that reads simplices only and arbitrates between them.

Only a plan is published, so this is this package's own reconstruction. Tower A is the model itself,
with its BCE. Tower B is a plain transformer with cross-entropy. The arbiter embeds what the simplex
channels of the dual blocks say, and nothing else. It is trained by GAL, from a queue of batches
that starts empty:

    (CV(queue) - target)^2 + (1 - cos(R_a geo, A)) / 2 + (1 - cos(R_b geo, B)) / 2

R_a, R_b: Procrustes on the queue, without gradient. Exactly 0 until the queue holds max(5 classes,
8 O) rows: with few rows Procrustes fits any two clouds. The batch is not in the fit, so its cosines
are of rows that the fit has not seen; of whitened clouds where the fit is of such. Until the queue
is full once the arbiter learns from the towers, and GAL reaches neither; from then on its gradient
reaches both, tower A also by the simplices.

No anchor exists at first: the first centroids of classes become the anchors.

Shape letters: B rows of a batch, Q queue, O sphere, A anchors, P tokens.
"""

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.dual_stream.blocks import FusedBlock, Simplices, projection
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.ksimplex import FEATURES
from train_gpt_style.geometry.procrustes import orthogonal_procrustes, whitened_procrustes

APART = 0.5  # a centroid of lower cosine to every anchor becomes one, while there is room


class Tower(nn.Module):
    """Patches to a unit embedding and logits, by plain blocks."""

    def __init__(self, embed_dim, dim, blocks, heads, output_dim, classes):
        super().__init__()
        self.enter = nn.Linear(embed_dim, dim)
        self.blocks = nn.ModuleList(FusedBlock(dim, heads) for _ in range(blocks))
        self.output_proj = projection(dim, output_dim)
        self.head = nn.Linear(output_dim, classes)

    def forward(self, patches):
        """(B, P, embed) to (unit rows (B, O), logits (B, C))."""
        x = self.enter(patches)
        for block in self.blocks:
            x = block(x)
        embedding = unit(self.output_proj(x.mean(dim=1)))
        return embedding, self.head(embedding)


class Arbiter(nn.Module):
    """Simplex features to a unit embedding, which reads the anchors once there are any."""

    def __init__(self, blocks, dim, output_dim, temperature):
        super().__init__()
        self.read = nn.Linear(FEATURES * blocks, dim)
        self.output_proj = projection(dim, output_dim)
        self.gate = nn.Parameter(torch.tensor(1 / (2 * blocks)))
        self.temperature = temperature

    def forward(self, simplices, anchors):
        """A list of blocks.Simplices, and anchors (A, O), to unit rows (B, O)."""
        features = torch.cat([each.features for each in simplices], dim=2)
        h = F.gelu(self.read(features)).mean(dim=1)
        geo = unit(self.output_proj(h))
        if len(anchors):
            weights = F.softmax(geo @ anchors.T / self.temperature, dim=1)
            geo = unit(geo + self.gate * (weights @ anchors))
        return geo


class Arbitration(nn.Module):
    """Tower B, the arbiter, and in buffers the queue, the anchors and both rotations.

    seen: rows that ever came in. steps: batches. kept, known: rows and anchors that there are.
    """

    def __init__(self, tower, arbiter, capacity, anchors, dim, classes):
        super().__init__()
        self.tower, self.arbiter = tower, arbiter
        self.classes, self.least = classes, max(5 * classes, 8 * dim)
        for name in ("geo", "a", "b"):
            self.register_buffer(name, torch.zeros(capacity, dim))
            self.register_buffer(f"mean_{name}", torch.zeros(dim))
            self.register_buffer(f"turn_{name}", torch.eye(dim))
            self.register_buffer(f"root_{name}", torch.eye(dim))
        self.register_buffer("labels", torch.full((capacity,), -1))
        self.register_buffer("anchors", torch.zeros(anchors, dim))
        for name in ("kept", "known", "seen", "steps"):
            self.register_buffer(name, torch.tensor(0))

    @property
    def fitted(self):
        """Whether rotations and anchors stand for anything yet."""
        return int(self.known) > 0

    @property
    def guides(self):
        """Whether the queue was full once, so that the gradient reaches the towers too."""
        return int(self.seen) >= len(self.labels)

    def embed(self, out):
        """(arbiter's rows, tower B's rows, tower B's logits) of a model.Output."""
        simplices = out.simplices
        if not self.guides:
            simplices = [Simplices(*(t.detach() for t in each)) for each in simplices]
        geo = self.arbiter(simplices, self.anchors[: int(self.known)])
        return (geo, *self.tower(out.patches))

    def agreement(self, geo, a, b):
        """Mean cosines of the turned rows with each tower's: on a batch, rows outside the fit.

        As the fit compared them: after whitening on both sides, where it whitened.
        """
        if not self.guides:
            a, b = a.detach(), b.detach()
        white = unit((geo - self.mean_geo) @ self.root_geo)
        turned = white @ self.turn_a, white @ self.turn_b
        other = unit((a - self.mean_a) @ self.root_a), unit((b - self.mean_b) @ self.root_b)
        return [(t * o).sum(dim=1).mean() for t, o in zip(turned, other, strict=True)]

    @torch.no_grad()
    def push(self, geo, a, b, labels):
        """Append a batch; the oldest leave."""
        count, capacity = int(self.kept), len(self.labels)
        new = {"geo": geo, "a": a, "b": b, "labels": labels}
        for name, rows in new.items():
            buffer = getattr(self, name)
            joined = torch.cat((buffer[:count], rows.detach().to(buffer.dtype)))[-capacity:]
            buffer[: len(joined)] = joined.clone()
        self.kept.fill_(min(capacity, count + len(labels)))
        self.seen += len(labels)
        self.steps += 1

    @torch.no_grad()
    def refit(self, rate, whiten):
        """Fit both rotations to the queue and move the anchors; nothing while it is too short."""
        count = int(self.kept)
        if count < self.least:
            return
        geo = self.geo[:count]
        for name in ("a", "b"):
            target = getattr(self, name)[:count]
            if whiten:
                fit = whitened_procrustes(geo, target)
                turn = fit.rotation
                self.mean_geo.copy_(fit.source_mean)
                self.root_geo.copy_(fit.source_root)
                getattr(self, f"mean_{name}").copy_(fit.target_mean)
                getattr(self, f"root_{name}").copy_(fit.target_root)
            else:
                turn = orthogonal_procrustes(geo, target)
            getattr(self, f"turn_{name}").copy_(turn)
        found = moved(self.anchors[: int(self.known)], centroids(geo, self.labels[:count]), rate)
        found = found[: len(self.anchors)]
        self.anchors[: len(found)] = found
        self.known.fill_(len(found))


def centroids(rows, labels):
    """Unit means (n, O) of the rows of each class that is there, in the order of the classes."""
    return unit(torch.stack([rows[labels == c].mean(dim=0) for c in labels.unique().tolist()]))


def moved(anchors, targets, rate):
    """Anchors a small step along the rotation that takes them to the centroids that they are of.

    Each centroid takes its nearest anchor; one proper rotation of the matched pairs moves all.
    A centroid far from every anchor joins them; where there is none, all centroids do.
    """
    if not len(anchors):
        return targets
    cosines, nearest = (targets @ anchors.T).max(dim=1)
    turn = orthogonal_procrustes(anchors[nearest], targets, proper=True).to(anchors.dtype)
    stepped = unit((1 - rate) * anchors + rate * (anchors @ turn))
    return torch.cat((stepped, targets[cosines < APART]))
