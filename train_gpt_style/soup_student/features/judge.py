"""JUDGE: what the frozen soup makes of each validation, without a loss that would train for it.

Idea: whether a student that never saw a label still lands where the soup classifies it rightly is
the question that BCE_WEIGHT cannot answer. The facts are those of BCE_WEIGHT: mAP, F1, top class.
Off (0): the soup is not called.
"""

from goldenseal.knobs import Feature, Knob
from train_gpt_style.soup_student.frozen import needed, soup_of
from train_gpt_style.soup_student.seams import GatedFeature


class Judge(GatedFeature):
    """Fills three seams: the log's header, a validation's facts, a check."""

    declaration = Feature(
        name="judge",
        summary="classify validations through the frozen soup",
        master=Knob("JUDGE", bool, False, "through the frozen soup, without a loss", on="1"),
        example={"JUDGE": "1"},
    )

    def check(self, settings):
        """A soup to read."""
        needed(settings, "JUDGE=1")

    def install(self, model, settings, data, ctx):
        """Nothing of the model's; the soup must fit."""
        soup_of(settings, data, ctx, len(data.train.names))

    def header(self, data):
        """Which soup."""
        return {"soup": data.soup.digest}

    def judge(self, data, embedding):
        """Through the soup; and that it has not moved."""
        data.soup.check_unchanged()
        return data.soup.judge(embedding, data.val.labels)


JUDGE = Judge()
