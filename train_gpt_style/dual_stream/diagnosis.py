"""The diagnosis of the scans: the published fields, and a verdict.

No CV stands here without the uniform values beside it, and the verdict reads none.
"""

from train_gpt_style.dual_stream.constants import COLLAPSE_SHARE, COLLAPSE_SIMILARITY

BESIDE = ("cv", "in_band", "uniform", "uniform_effective", "like", "rows")


def diagnosis(found):
    """The published fields, each with what it needs beside it, and a verdict."""
    one, two, three, four, five, six, seven = (
        found[name] for name in sorted(found) if name[0] != "8"
    )
    return {
        "validation accuracy": seven["accuracy"],
        "effective dimension": one["effective_dimension"],
        "pentachoron CV": beside(one),
        "anchor CV": beside(five),
        "patch CV": beside({k.removeprefix("cv_"): v for k, v in three.items()}),
        "class CV": {
            **{key: six[f"cv_{key}"] for key in ("mean", "sd", "range")},
            "in_band": f"{six['in_band']}/{len(six['classes'])}",
            **{key: six[key] for key in ("uniform", "uniform_effective", "rows")},
        },
        "1-NN": six["one_nn"],
        "same-diff gap": six["same_diff_gap"],
        "nearest centroids": six["nearest_centroids"],
        "hard negative": six["hard_neg"],
        "hard positive": six["hard_pos"],
        "self-similarity": one["self_similarity"],
        "self-similarity sd": one["self_similarity_sd"],
        "pooled anchors": f"{two['active']}/{two['anchors']}",
        "patch anchors": f"{three['active']}/{three['anchors']}",
        "anchors per image": three["per_image"],
        "entropy": two["entropy"],
        "Gini": two["gini"],
        "simplices positive": one["positive"],
        "CM valid": four["valid"],
        "geo feature variance": four["feature_variance"],
        "verdict": verdict(one, two, seven),
    }


def beside(marked):
    """A CV, never without the uniform values."""
    return {key: marked[key] for key in BESIDE}


def broken(names):
    """The diagnosis where these tensors hold a value that is not finite."""
    reasons = [f"{name} is not finite" for name in names]
    return {"verdict": {"state": "broken", "reasons": reasons}}


def verdict(one, two, seven):
    """`collapsed` or `no collapse found`, with every reason.

    Nothing here reads a CV: a cloud in the band may have collapsed, and one outside may be sound.
    That few anchors are in use is no reason where there are no more images than that.
    """
    reasons = []
    if one["self_similarity"] > COLLAPSE_SIMILARITY:
        reasons.append(f"self-similarity {one['self_similarity']:.3f} > {COLLAPSE_SIMILARITY}")
    if two["active"] <= max(1, COLLAPSE_SHARE * two["anchors"]) < sum(two["counts"]):
        reasons.append(f"{two['active']} of {two['anchors']} anchors in use")
    if two["entropy"] < 100 * COLLAPSE_SHARE:
        reasons.append(f"entropy of anchor use {two['entropy']:.1f} %")
    state = "collapsed" if reasons else "no collapse found"
    window = f"in the last {seven.get('window')} steps"
    reasons += [f"{name} had no gradient {window}" for name in seven.get("no_gradient", ())]
    reasons += [f"{name} was 0 on every step" for name in seven.get("vacuous", ())]
    return {"state": state, "reasons": reasons}
