"""The features that every system has; a system lists them among its own, in `features/`."""

from train_gpt_style.kit.features.autocast import Autocast
from train_gpt_style.kit.features.checkpoint import Checkpoint
from train_gpt_style.kit.features.finite import Finite
from train_gpt_style.kit.features.runlog import RunLogFeature
from train_gpt_style.kit.seams import GatedFeature


def of_every_system(trips, base=GatedFeature):
    """(AUTOCAST, FINITE, RUN_LOG, CHECKPOINT), made for one system.

    trips: an environment of the probe in which the loss or a gradient becomes infinite. base: the
    system's own GatedFeature, so that these too have the seams which only that system asks for.
    """

    def made(kind, *arguments):
        own = kind if issubclass(kind, base) else type(kind.__name__, (kind, base), {})
        return own(*arguments)

    return made(Autocast), made(Finite, trips), made(RunLogFeature), made(Checkpoint)
