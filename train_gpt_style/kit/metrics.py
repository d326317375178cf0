"""How good scores and embeddings are; numpy, float64, ties by a stated rule.

Shape letters: N rows, C classes, D sphere.
"""

import numpy as np


def average_precision(scores, positive):
    """Of one class: mean over its positives of the precision at their rank; ties by place."""
    order = np.lexsort((np.arange(len(scores)), -scores))  # the last key first
    hits = positive[order].astype(bool)
    ranks = np.arange(1, len(hits) + 1)
    return float((np.cumsum(hits)[hits] / ranks[hits]).mean())


def mean_average_precision(scores, labels):
    """Mean of `average_precision` over the classes of (N, C) that have a positive; nan for none."""
    have = labels.any(axis=0)
    every = [average_precision(scores[:, c], labels[:, c]) for c in np.flatnonzero(have)]
    return float(np.mean(every)) if every else float("nan")


def macro_f1(scores, labels):
    """Mean over classes of F1 where a score above 0, a probability above 1/2, is a yes.

    A class with neither a yes nor a positive counts 0, as does one without positives.
    """
    yes, truth = scores > 0, labels.astype(bool)
    both = (yes & truth).sum(axis=0)
    either = yes.sum(axis=0) + truth.sum(axis=0)
    return float((2 * both / np.maximum(either, 1)).mean())


def micro_f1(scores, labels):
    """F1 of all classes' answers together, a yes as in `macro_f1`; 0 where nothing is positive."""
    yes, truth = scores > 0, labels.astype(bool)
    either = yes.sum() + truth.sum()
    return float(2 * (yes & truth).sum() / max(either, 1))


def with_positives(labels):
    """How many classes of (N, C) have a positive: those that `mean_average_precision` is over."""
    return int(labels.any(axis=0).sum())


def top_rate(scores, labels):
    """How often the class of highest score is a positive; ties to the first."""
    return float(labels[np.arange(len(labels)), scores.argmax(axis=1)].mean())


def rank_one(cosines):
    """How often a row of (N, N) is highest at its own place; a tie counts against it."""
    return float(((cosines >= cosines.diagonal()[:, None]).sum(axis=1) == 1).mean())
