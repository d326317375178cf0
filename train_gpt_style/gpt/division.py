"""How a run's work is divided among the ranks: the baseline's way, or a feature's."""

from torch.nn.parallel import DistributedDataParallel

from train_gpt_style.gpt.train import accumulate_gradients
from train_gpt_style.gpt.ttt import evaluate_ttt
from train_gpt_style.gpt.validate import validate


class Division:
    """The baseline's: gradients are averaged by torch; each rank evaluates one contiguous part."""

    accumulate_gradients = staticmethod(accumulate_gradients)
    validate = staticmethod(validate)
    evaluate_ttt = staticmethod(evaluate_ttt)

    @staticmethod
    def wrap(model, ctx):
        """The model that trains on one of several ranks."""
        device_ids = [ctx.device.index] if ctx.cuda else None
        return DistributedDataParallel(model, device_ids=device_ids, broadcast_buffers=False)


def division_of(settings):
    """Of the features that are on, the first that divides the work itself; else the baseline's."""
    return next(filter(None, (f.division() for f in settings.features)), Division())
