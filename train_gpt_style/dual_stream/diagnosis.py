"""The diagnosis of eight scans: the published fields, and a verdict that reads no CV."""

from train_gpt_style.dual_stream.constants import COLLAPSE_SHARE, COLLAPSE_SIMILARITY


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
            "uniform": one["uniform"],
        },
        "1-NN": six["one_nn"],
        "same-diff gap": six["same_diff_gap"],
        "self-similarity": one["self_similarity"],
        "pooled anchors": f"{two['active']}/{two['anchors']}",
        "patch anchors": f"{three['active']}/{three['anchors']}",
        "anchors per image": three["per_image"],
        "entropy": two["entropy"],
        "Gini": two["gini"],
        "CM valid": min(four["valid"]),
        "geo feature variance": four["feature_variance"],
        "verdict": verdict(one, two, seven),
    }


def beside(marked):
    """A CV, never without the uniform values."""
    return {key: marked[key] for key in ("cv", "in_band", "uniform", "uniform_effective", "like")}


def verdict(one, two, seven):
    """`collapsed`, `broken` or `no collapse found`, with every reason.

    Nothing here reads a CV: a cloud in the band may have collapsed, and one outside may be sound.
    """
    reasons = []
    if not one["finite"]:
        reasons.append("a value is not finite")
    broken = bool(reasons)
    if one["self_similarity"] > COLLAPSE_SIMILARITY:
        reasons.append(f"self-similarity {one['self_similarity']:.3f} > {COLLAPSE_SIMILARITY}")
    if two["active"] <= max(1, COLLAPSE_SHARE * two["anchors"]):
        reasons.append(f"{two['active']} of {two['anchors']} anchors in use")
    if two["entropy"] < 100 * COLLAPSE_SHARE:
        reasons.append(f"entropy of anchor use {two['entropy']:.1f} %")
    collapsed = len(reasons) > broken
    reasons += [f"{name} never had a gradient" for name in seven.get("no_gradient", ())]
    reasons += [f"{name} was 0 on every step" for name in seven.get("vacuous", ())]
    state = "broken" if broken else "collapsed" if collapsed else "no collapse found"
    return {"state": state, "reasons": reasons}
