"""ANCHOR_FREEZE: anchors stay where they are after so many epochs; all else goes on training.

Idea: the source wishes for anchoring after training, instead of anchors that drift.
Off (0): anchors train to the end.
"""

from goldenseal.knobs import Feature, Knob
from train_gpt_style.soup.seams import GatedFeature


class AnchorFreeze(GatedFeature):
    """Fills one seam: before a step."""

    declaration = Feature(
        name="anchor_freeze",
        summary="freeze the anchors after some epochs",
        master=Knob(
            *("ANCHOR_FREEZE", int, 0, "freeze anchors after this epoch; 0: never", 0),
            unit="epochs",
            on="1",
        ),
        example={"ANCHOR_FREEZE": "1"},
    )

    def before_step(self, model, settings, step, epoch):
        """Whether anchors get a gradient in this step; Adam passes over what has none."""
        anchors = model.readout.constellation.anchors
        anchors.requires_grad_(epoch <= settings.anchor_freeze)


ANCHOR_FREEZE = AnchorFreeze()
