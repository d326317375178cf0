"""What a step of each arm launches and reads: the explanation that an effect needs.

On a CPU dispatched operations are counted, on a GPU kernels too, as torch.profiler sees them.
"""

from torch.utils._python_dispatch import TorchDispatchMode

from train_gpt_style.vit_rft.energy_study.window import Trainer

COUNTED = 100  # steps, so that work of each 50th is in it


class Count(TorchDispatchMode):
    """Counts dispatched operations."""

    def __init__(self):
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.operations += 1
        return func(*args, **(kwargs or {}))


def profile(study):
    """By arm: operations, host reads and kernels of COUNTED steps; kernels are null on a CPU."""
    found = {}
    for name, arm in study.arms.items():
        trainer = Trainer(arm, study.plan.seeds[0], study.train, study.ctx)
        trainer.steps(1)  # the first step makes Adam's state
        reads = trainer.reads()
        with Count() as count:
            trainer.steps(COUNTED)
        found[name] = {
            "steps": COUNTED,
            "operations": count.operations,
            "reads": trainer.reads() - reads,
            "kernels": kernels(trainer) if study.ctx.cuda else None,
        }
    return found


def kernels(trainer):
    """Kernels that COUNTED steps run on the device."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as watch

    with watch(activities=[ProfilerActivity.CUDA]) as seen:
        trainer.steps(COUNTED)
        trainer.ctx.synchronize()
    return sum(event.count for event in seen.key_averages())
