"""CREDIT_METHOD: another way to assign credit than backpropagation; one file each in methods/.

    fa, dfa                      fixed random feedback, layer by layer or direct
    state-bridge, credit-bridge  credit by a learned net
    ep                           equilibrium propagation
    frozen, dfa-shallow          controls: blocks that stay as they are at the start

Idea: replace the gradient at h_l by a credit a_l that needs no pass back through later blocks. What
a method draws or learns is part of the network, so that a checkpoint holds it. The published
accounts leave shapes and details open; what was chosen here is said in each file.
A sub-knob acts under the methods that it names. Off (bp): the baseline's own step.
"""

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.credit.constants import (
    CREDIT_KNOB_BRIDGE_DECAY,
    CREDIT_KNOB_BRIDGE_LR,
    CREDIT_KNOB_BRIDGE_SIGMA,
    CREDIT_KNOB_BRIDGE_TAU,
    CREDIT_KNOB_BRIDGE_WARMUP,
    CREDIT_KNOB_EP_BETA,
    CREDIT_KNOB_EP_RATE,
    CREDIT_KNOB_EP_TOLERANCE,
)
from train_gpt_style.credit.methods.backprop import Frozen
from train_gpt_style.credit.methods.base import Moment
from train_gpt_style.credit.methods.bridge import CreditBridge, StateBridge
from train_gpt_style.credit.methods.ep import EP
from train_gpt_style.credit.methods.feedback import DFA, FA, ShallowDFA
from train_gpt_style.credit.seams import GatedFeature

METHODS = {
    "fa": FA,
    "dfa": DFA,
    "state-bridge": StateBridge,
    "credit-bridge": CreditBridge,
    "ep": EP,
    "frozen": Frozen,
    "dfa-shallow": ShallowDFA,
}
STATE, CREDIT = "state-bridge", "credit-bridge"


def method_of(settings):
    """The method that the settings name, made afresh; None for backpropagation."""
    made = METHODS.get(settings.credit_method)
    return None if made is None else made(settings)


class CreditMethod(GatedFeature):
    """Fills four seams: what is installed, its optimizers, the gradients, and facts of a step."""

    declaration = Feature(
        name="method",
        summary="another way to assign credit than backpropagation",
        master=Knob(
            *("CREDIT_METHOD", str, "bp", "how credit is assigned"),
            choices=("bp", *METHODS),
            on="dfa",
        ),
        knobs=(
            Knob(
                *("CREDIT_FEEDBACK_SCALE", float, 1.0, "fa, dfa: factor of the feedback's spread"),
                low=0.0,
                on="2",
            ),
            Knob("CREDIT_FEEDBACK_SEED", int, 0, "another draw of the feedback", 0, 2**20, on="1"),
            Knob(
                *("CREDIT_FAST", bool, True, "fa, dfa: the step written out, on the residual MLP"),
                on="0",
            ),
            Knob(
                *("CREDIT_FA_TOP", str, "exact", "fa: the gradient at h_L, or random feedback"),
                choices=("exact", "random"),
                on="random",
                under="fa",
            ),
            Knob(
                *("CREDIT_BRIDGE_SIGNAL", str, "error", "bridges: what the nets are told"),
                choices=("error", "gradient"),
                on="gradient",
                under=STATE,
            ),
            Knob(
                *("CREDIT_BRIDGE_LR", float, CREDIT_KNOB_BRIDGE_LR, "bridges: AdamW's rate", 0.0),
                on="0.25",
                under=STATE,
            ),
            Knob(
                *("CREDIT_BRIDGE_MATCH", float, 1.0, "credit-bridge: weight of the gradient", 0.0),
                on="0",
                under=CREDIT,
            ),
            Knob(
                *("CREDIT_BRIDGE_SIGMA", float, CREDIT_KNOB_BRIDGE_SIGMA),
                *("credit-bridge: spread of the noise", 0.0),
                on="2",
                under=CREDIT,
            ),
            Knob(
                *("CREDIT_BRIDGE_TAU", float, CREDIT_KNOB_BRIDGE_TAU),
                *("credit-bridge: temperature of the soft minimum", 0.0),
                on="2",
                under=CREDIT,
            ),
            Knob(
                *("CREDIT_BRIDGE_DRAWS", int, 8, "credit-bridge: draws of the noise", 1),
                on="2",
                under=CREDIT,
            ),
            Knob(
                *("CREDIT_BRIDGE_DECAY", float, CREDIT_KNOB_BRIDGE_DECAY),
                *("credit-bridge: memory of the average", 0.0, 1.0),
                on="0.5",
                under=CREDIT,
            ),
            Knob(
                *("CREDIT_BRIDGE_WARMUP", float, CREDIT_KNOB_BRIDGE_WARMUP),
                *("credit-bridge: part of training under dfa's credit", 0.0, 1.0),
                on="0.75",
                under=CREDIT,
            ),
            Knob(
                *("CREDIT_EP_BETA", float, CREDIT_KNOB_EP_BETA, "ep: strength of the nudge", 0.0),
                on="0.5",
                under="ep",
            ),
            Knob(
                *("CREDIT_EP_RATE", float, CREDIT_KNOB_EP_RATE, "ep: step of the relaxation", 0.0),
                on="0.25",
                under="ep",
            ),
            Knob(
                *("CREDIT_EP_STEPS", int, 20, "ep: most steps of the relaxation", 1),
                unit="steps",
                on="2",
                under="ep",
            ),
            Knob(
                *("CREDIT_EP_TOLERANCE", float, CREDIT_KNOB_EP_TOLERANCE),
                *("ep: gradient over displacement at which it has settled", 0.0),
                on="1",
                under="ep",
            ),
            Knob(
                *("CREDIT_EP_SIDES", str, "one", "ep: nudge by +beta, or by +beta and -beta"),
                choices=("one", "two"),
                on="two",
                under="ep",
            ),
        ),
        example={"CREDIT_METHOD": "dfa"},
    )

    def check(self, settings):
        """Nothing may be divided by zero."""
        zero = {"ep": ("CREDIT_EP_BETA", "CREDIT_EP_RATE"), CREDIT: ("CREDIT_BRIDGE_TAU",)}
        for name in zero.get(settings.credit_method, ()):
            if settings[name] == 0.0:
                raise UsageError(f"{name}=0 must be above 0 under {settings.credit_method}")

    def install(self, model, settings):
        """What the method draws or learns, and the blocks that it freezes."""
        method_of(settings).install(model)

    def optimizers(self, model, settings):
        """Of what the method learns."""
        return method_of(settings).optimizers(model)

    def gradients(self, settings):
        """The method's step, with what it has to say of it."""
        method = method_of(settings)

        def gradients(model, x, y, ctx, done):
            moment = Moment(done, done / settings.steps)
            found = method.step(model, x, y, ctx, moment)
            gradients.facts = method.facts
            return found

        return gradients


METHOD = CreditMethod()
