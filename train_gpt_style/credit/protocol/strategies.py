"""What each way of reporting would have walked back: accuracy, the field's standard, diagnostics.

S0 accuracy; S1 accuracy and Gamma, the field's standard; S2..S5 S1 with one of (a), (b), (c), (d);
S_full all. S0 walks back what is at chance, S1 also a Gamma of 0 or less: both are our reading.
"""

from dataclasses import dataclass

STRATEGIES = {
    "S0": ("accuracy",),
    "S1": ("accuracy", "gamma"),
    "S2": ("accuracy", "gamma", "a"),
    "S3": ("accuracy", "gamma", "b"),
    "S4": ("accuracy", "gamma", "c"),
    "S5": ("accuracy", "gamma", "d"),
    "S_full": ("accuracy", "gamma", "a", "b", "c", "d"),
}


@dataclass(frozen=True)
class Reported:
    """One network as a report sees it; None: not known.

    letters: fired and missing, as of `verdict.Verdict`.
    """

    accuracy: float | None
    chance: float
    gamma: float | None
    fired: str = ""
    missing: str = ""


def signs(reported):
    """By name of a sign, whether it speaks against the network; None: not evaluated."""
    r = reported
    found = {
        "accuracy": None if r.accuracy is None else r.accuracy <= r.chance,
        "gamma": None if r.gamma is None else r.gamma <= 0,
    }
    return found | {letter: None if letter in r.missing else letter in r.fired for letter in "abcd"}


def walks_back(strategy, reported):
    """True: walked back. False: passed. None: no sign speaks against it, and one is missing."""
    found = [signs(reported)[name] for name in STRATEGIES[strategy]]
    if any(found):
        return True
    return None if None in found else False


def table(networks):
    """By strategy, the names that it walks back; `networks`: `Reported` by name."""
    return {
        strategy: [name for name, each in networks.items() if walks_back(strategy, each)]
        for strategy in STRATEGIES
    }
