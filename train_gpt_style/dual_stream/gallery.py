"""What a model computed of some images of a split, kept for the scans.

Shape letters: M images, O sphere, C classes, P tokens, A anchors.
"""

import torch
import torch.nn.functional as F

from train_gpt_style.geometry.anchors import unit


def evenly(most, total):
    """At most `most` places of `total`, in order and evenly apart, int64."""
    count = min(most, total)
    return torch.arange(count) * total // max(count, 1)


class Gallery:
    """What a model computed of some images, batch by batch: tensors on the CPU, in fp32.

    emb (M, O), logits (M, C), patch (M, P, O), raw (M, blocks, P, 11): each token's squared
    distances and squared volume; geo and std (M, O) where the model has them; labels (M,).
    Of `total` images it keeps `most` at even distances: a folder's images lie class by class.
    """

    def __init__(self, most, total):
        self.parts, self.passed = {}, 0
        self.wanted = torch.zeros(total, dtype=torch.bool)
        self.wanted[evenly(most, total)] = True

    def __len__(self):
        return sum(map(len, self.parts.get("labels", ())))

    @torch.no_grad()
    def add(self, model, labels):
        """What it wants of the batch that `model.seen` is of, the next images. Calls no module."""
        kept = self.wanted[self.passed : self.passed + len(labels)].nonzero().squeeze(1)
        self.passed += len(labels)
        if not len(kept):
            return
        out, kept = model.seen, kept.to(labels.device)
        linear, norm = model.joint.output_proj
        patch = F.linear(out.tokens.float(), linear.weight, linear.bias)
        patch = unit(F.layer_norm(patch, norm.normalized_shape, norm.weight, norm.bias, norm.eps))
        found = {"emb": out.emb, "logits": out.logits, "geo": out.geo, "std": out.std}
        raw = [torch.cat((s.distances, s.volume2.unsqueeze(0))) for s in out.simplices]
        found |= {"patch": patch, "raw": torch.stack(raw).permute(2, 0, 3, 1)}
        for name, t in found.items():
            if t is not None:
                self.parts.setdefault(name, []).append(t[kept].float().cpu())
        self.parts.setdefault("labels", []).append(labels[kept].cpu())

    def whole(self, model):
        """All batches together, the unit anchors as `directions` (A, O), and the nearest of each
        image, `nearest` (M,), and token, `patch_nearest` (M, P).
        """
        whole = {name: torch.cat(each) for name, each in self.parts.items()}
        directions = model.constellation.directions().detach().float().cpu()
        whole["directions"] = directions
        whole["nearest"] = (whole["emb"] @ directions.T).argmax(dim=1)
        whole["patch_nearest"] = (whole["patch"] @ directions.T).argmax(dim=2)
        return whole
