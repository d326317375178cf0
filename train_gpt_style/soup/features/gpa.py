"""GPA: the consensus of the experts by generalised Procrustes (Gower 1975), geometry.gpa.

Idea: turn each expert's cloud to their common mean, again and again, until they agree as well as
rotations let them; what they agree on is the consensus that other features read.
Off (0): the consensus is the mean of the experts' own principal columns, and is worked out only
where another feature asks for it.
"""

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.soup.constants import SOUP_KNOB_GPA_TOL
from train_gpt_style.soup.seams import GatedFeature

READERS = "CALIBRATE, CONSENSUS_NCE, ANCHOR_INIT=fps or kmeans, CV_WEIGHT with CV_TARGET=0"


def reads_consensus(settings):
    """Whether anything that is on asks for the consensus."""
    s = settings
    measured = s.cv_weight > 0 and s.cv_target == 0
    return bool(s.calibrate or s.consensus_nce or s.anchor_init != "random" or measured)


class Gpa(GatedFeature):
    """Fills no seam: `consensus.consensus_of` reads its knobs."""

    declaration = Feature(
        name="gpa",
        summary="the experts' consensus by generalised Procrustes",
        master=Knob("GPA", bool, False, "turn the experts to their mean", on="1"),
        knobs=(
            Knob("GPA_ROUNDS", int, 20, "at most so many rounds", 1, on="1"),
            Knob(
                *("GPA_TOL", float, SOUP_KNOB_GPA_TOL),
                "relative change of the objective at which they end",
                *(0.0, 1.0),
                on="0.5",
            ),
        ),
        example={"GPA": "1", "CONSENSUS_NCE": "0.25"},
    )

    def check(self, settings):
        """Something must read the consensus, and it must be of several experts."""
        if not reads_consensus(settings):
            raise UsageError(f"GPA=1, but nothing reads the consensus: set {READERS}")
        if settings.n_experts < 2:
            raise UsageError("GPA=1 needs N_EXPERTS of at least 2: one cloud has no consensus")


GPA = Gpa()
