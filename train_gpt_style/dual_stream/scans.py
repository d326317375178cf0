"""The eight scans of a model on some images, and a diagnosis: plain numbers, JSON as they are.

Scans 1 and 8 and the fields of the diagnosis are published; 2 to 7 are this package's own cut. A
CV never stands alone: beside it is the CV of uniform points in the embedding's dimension and at its
effective dimension, since the band of 0.20 to 0.23 is what 14 to 16 dimensions give. A collapsed
cloud is never healthy, whatever its CV.

What is not finite is said first, and nothing else then.

Reads only: no draw of torch's own generator, no gradient, no call of a module.
"""

import torch

from train_gpt_style.dual_stream.constants import BAND_HIGH, BAND_LOW
from train_gpt_style.dual_stream.data import own_generator
from train_gpt_style.dual_stream.diagnosis import broken, diagnosis
from train_gpt_style.dual_stream.mastery import hardest
from train_gpt_style.geometry import clouds
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.sphere import (
    LARGEST_DIMENSION,
    LEAST_DIMENSION,
    uniform_cv,
    uniform_dimension,
)
from train_gpt_style.geometry.spread import counted_cv

GLOBAL_SAMPLES, CLASS_SAMPLES = 500, 200


def marked_cv(rows, samples, place, seed):
    """CV and mean volume of rows (M, O), with what a uniform cloud would have.

    uniform: at the width O. uniform_effective: at the effective dimension, which fewer `rows` than
    some times O make too small, and so this value too large. like: the dimension in which a uniform
    cloud has this CV. in_band: within [0.20, 0.23]. positive: simplices with a volume, of samples.
    """
    generator = own_generator(seed, 0, 16 + place)
    cv, mean, count = counted_cv(rows, generator, samples)
    effective = clouds.effective_dimension(rows)
    return {
        "cv": cv,
        "rows": len(rows),
        "positive": f"{count}/{samples}",
        "mean_volume": mean,
        "effective_dimension": effective,
        "uniform": uniform(rows.shape[1]),
        "uniform_effective": uniform(effective),
        "like": like(cv),
        "in_band": BAND_LOW <= cv <= BAND_HIGH,
    }


def like(cv):
    """The dimension in which uniform points have that CV; in words beyond both ends; None for 0."""
    if cv <= 0:
        return None
    if cv > uniform_cv(LEAST_DIMENSION):
        return f"below {LEAST_DIMENSION:.0f}"
    if cv < uniform_cv(LARGEST_DIMENSION):
        return f"above {LARGEST_DIMENSION:.0f}"
    return uniform_dimension(cv)


def uniform(dimension):
    """CV of uniform points on the sphere of that dimension; None below 4, where there is none."""
    return uniform_cv(dimension) if dimension >= LEAST_DIMENSION else None


def usage(nearest, anchors):
    """Use of the anchors as JSON."""
    found = clouds.anchor_usage(nearest, anchors)
    return {
        "active": found.active,
        "anchors": found.anchors,
        "entropy": found.entropy,
        "gini": found.gini,
        "counts": torch.bincount(nearest.reshape(-1), minlength=anchors).tolist(),
    }


def health(seen, seed):
    """SCAN 1: the cloud of embeddings."""
    rows = seen["emb"]
    mean, sd = clouds.self_similarity(rows)
    shares = clouds.energy_shares(rows)
    return {
        **marked_cv(rows, GLOBAL_SAMPLES, 0, seed),
        "self_similarity": mean,
        "self_similarity_sd": sd,
        "energy_top": {str(k): share for k, share in shares.items()},
        "spectrum": clouds.spectrum(rows).tolist(),
        "norm_error": float((rows.norm(dim=1) - 1).abs().max()),
        "finite": True,  # or there is no such scan
    }


def patch_usage(seen, anchors, seed):
    """SCAN 3: each token through the projection."""
    nearest = seen["patch_nearest"]
    rows = seen["patch"].flatten(0, 1)
    step = max(1, len(rows) // 512)  # tokens of many images, not the first few images' all
    distinct = [len(each.unique()) for each in nearest]
    return {
        **usage(nearest, anchors),
        "per_image": sum(distinct) / len(distinct),
        **{f"cv_{k}": v for k, v in marked_cv(rows[::step], GLOBAL_SAMPLES, 1, seed).items()},
    }


def simplices(seen):
    """SCAN 4: volumes and features of the simplex channels, by block, before their norm.

    valid: share of tokens with vol2 >= 0. Points of R^n have no other, so it shows rounding alone.
    """
    volume2, features = seen["raw"][..., -1], seen["raw"]
    blocks = range(volume2.shape[1])
    return {
        "valid": [float((volume2[:, b] >= 0).double().mean()) for b in blocks],
        "mean_volume2": [float(volume2[:, b].double().mean()) for b in blocks],
        "feature_variance": [
            float(features[:, b].double().flatten(0, 1).var(dim=0, correction=0).mean())
            for b in blocks
        ],
    }


def anchor_geometry(seen, seed):
    """SCAN 5: the anchors as a cloud."""
    rows = seen["directions"]
    mean, sd = clouds.self_similarity(rows)
    return {
        **marked_cv(rows, CLASS_SAMPLES, 2, seed),
        "self_similarity": mean,
        "self_similarity_sd": sd,
    }


def class_structure(seen, labels, seed):
    """SCAN 6: classes as clouds; neighbours; the gap of cosines within and across.

    centroid_cosines: between the mean directions of classes, in their order; nearest_centroids:
    the two classes of the highest, and it. hard_neg, hard_pos: means of each image's highest cosine
    to another class, and of its lowest to its own. uniform: CV of uniform points at the width;
    uniform_effective: least and most at the classes' effective dimensions, None where below 4.
    """
    rows, classes = seen["emb"].double(), labels.unique().tolist()
    cosines = rows @ rows.T
    same = labels.unsqueeze(1) == labels
    itself = torch.eye(len(rows), dtype=torch.bool)
    neighbour = cosines.masked_fill(itself, -2).argmax(dim=1)
    middles = unit(torch.stack([rows[labels == c].mean(dim=0) for c in classes]))
    marked = {
        str(c): marked_cv(seen["emb"][labels == c], CLASS_SAMPLES, 64 + c, seed) for c in classes
    }
    cvs = torch.tensor([each["cv"] for each in marked.values()], dtype=torch.float64)
    own = [each["uniform_effective"] for each in marked.values()]
    own = [value for value in own if value is not None]
    centroids = middles @ middles.T
    return {
        "classes": marked,
        "cv_mean": float(cvs.mean()),
        "cv_sd": float(cvs.std(correction=1)) if len(cvs) > 1 else 0.0,
        "cv_range": [float(cvs.min()), float(cvs.max())],
        "in_band": sum(each["in_band"] for each in marked.values()),
        "uniform": uniform(rows.shape[1]),
        "uniform_effective": [min(own), max(own)] if own else None,
        "rows": [min(e["rows"] for e in marked.values()), max(e["rows"] for e in marked.values())],
        "one_nn": float((labels[neighbour] == labels).double().mean()),
        "same_diff_gap": mean_where(cosines, same & ~itself) - mean_where(cosines, ~same),
        **hard(rows, labels),
        "nearest_centroids": nearest_pair(centroids, classes),
        "centroid_cosines": centroids.tolist(),
    }


def hard(rows, labels):
    """Means over images (M, O) of what mastery looks at, with the other images as the queue."""
    negative, positive, both = hardest(rows, labels, rows, labels)
    both &= (labels.unsqueeze(1) == labels).sum(dim=1) > 1  # an image is no positive of its own
    return {"hard_neg": mean_where(negative, both), "hard_pos": mean_where(positive, both)}


def nearest_pair(cosines, classes):
    """The two classes whose centroids have the highest cosine, and it; None for one class."""
    if len(classes) < 2:
        return None
    found = cosines.masked_fill(torch.eye(len(classes), dtype=torch.bool), -2)
    a, b = divmod(int(found.argmax()), len(classes))
    return {"classes": [classes[a], classes[b]], "cosine": float(found[a, b])}


def mean_where(values, mask):
    """The mean of the values under a mask; 0 where there is none."""
    return float(values[mask].mean()) if bool(mask.any()) else 0.0


def classification(seen, labels):
    """SCAN 7: what the classifier says."""
    said = seen["logits"].argmax(dim=1)
    size = seen["logits"].shape[1]
    places = labels * size + said
    return {
        "accuracy": float((said == labels).double().mean()),
        "confusion": torch.bincount(places, minlength=size * size).view(size, size).tolist(),
    }


def architecture(model):
    """SCAN 8: parameters by the first part of their name."""
    counted = {}
    for name, p in model.named_parameters():
        part = name.partition(".")[0]
        counted[part] = counted.get(part, 0) + p.numel()
    return {"parameters": sum(counted.values()), "parts": counted}


def scan(model, gallery, watched=None):
    """All eight scans of a Gallery, and the diagnosis, as JSON.

    cosine, of the pooled usage: mean over images of that to the nearest anchor.

    watched: `watch.Watched.found()` of the run so far, where there is one: what had no gradient,
    and which terms did nothing.
    """
    seed, anchors = model.settings.seed, len(model.constellation.anchors)
    seen = gallery.whole(model)
    labels = seen.pop("labels")
    bad = [name for name, t in seen.items() if not bool(t.isfinite().all())]
    if bad:  # nothing else can be said of it: decompositions refuse such a cloud
        found = {"1 embedding health": {"finite": False, "not_finite": bad}}
        found["8 architecture summary"] = architecture(model)
        return {"images": len(labels), "scans": found, "diagnosis": broken(bad)}
    found = {
        "1 embedding health": health(seen, seed),
        "2 pooled anchor usage": {
            **usage(seen["nearest"], anchors),
            "cosine": float((seen["emb"] @ seen["directions"].T).amax(dim=1).mean()),
        },
        "3 patch anchor usage": patch_usage(seen, anchors, seed),
        "4 simplex volumes": simplices(seen),
        "5 anchor geometry": anchor_geometry(seen, seed),
        "6 class structure": class_structure(seen, labels, seed),
        "7 classifier and gradients": {**classification(seen, labels), **(watched or {})},
        "8 architecture summary": architecture(model),
    }
    return {"images": len(labels), "scans": found, "diagnosis": diagnosis(found)}
