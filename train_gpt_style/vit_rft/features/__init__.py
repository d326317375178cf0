"""The one list of features. To add one: a file beside this one, an import and a name below."""

from train_gpt_style.vit_rft.features.dclr import DCLR_RATE
from train_gpt_style.vit_rft.features.runlog import RUN_LOG
from train_gpt_style.vit_rft.features.telemetry import TELEMETRY

FEATURES = (DCLR_RATE, TELEMETRY, RUN_LOG)


def switched_on(settings):
    """The features whose master differs from its default, in order of installation."""
    return [feature for feature in FEATURES if settings.is_on(feature.declaration)]
