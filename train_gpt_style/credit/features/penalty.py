"""CREDIT_PENALTY: a cost on what each block adds, lambda times the mean of ||f_l||^2, over blocks.

Idea: with a fixed credit a, <f, a> has no minimum and blocks grow without end; with the penalty it
has one, f = -a / (2 lambda). Published at 1e-2 and 1e-4. The embedding is not penalised.
Under CREDIT_METHOD it is added to the local losses, under backpropagation to the cross-entropy.
Off (0): nothing is added, not even a zero, since 0 * inf is no number.
"""

from goldenseal.knobs import Feature, Knob
from train_gpt_style.credit.methods.backprop import with_penalty
from train_gpt_style.credit.seams import GatedFeature


class Penalty(GatedFeature):
    """Fills one seam: the gradients, unless a method of its own has them."""

    declaration = Feature(
        name="penalty",
        summary="a cost on what each block adds to the stream",
        master=Knob("CREDIT_PENALTY", float, 0.0, "lambda; 0: none", 0.0, on="0.5"),
        example={"CREDIT_PENALTY": "0.25"},
    )

    def gradients(self, settings):
        """Backpropagation of the penalised loss."""
        return with_penalty(settings.credit_penalty)


PENALTY = Penalty()
