"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

from goldenseal.ladder.probe import Scenario
from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.probe_data import SCENARIOS, leftovers
from train_gpt_style.kit.probing import probe_of


def draw(shape, generator):
    """A batch of noise for `loss_and_correct`."""
    import torch

    x = torch.randn(*shape, 3, 32, 32, generator=generator)
    return x, torch.randint(10, shape, generator=generator)


PROBE = probe_of(
    SYSTEM,
    "records/track_credit/2026-11-27_ResMLP/train_resmlp.py",
    [Scenario(name, e, leftovers=leftovers(name)) for name, e in SCENARIOS.items()],
    model_class="ResMLP",
    loss="loss_and_correct(model, x, y)[0]",
    draw=draw,
    batches=((2,), (1,), (3,)),
    averages=("*bridge.average.*",),
    brief={"STEPS": "2", "EVAL_EVERY": "0"},
    unreached={
        r"^credit/(methods/|architectures|metrics)": "a method beside other features, and what "
        "only an audit asks of it: tests/train_gpt_style/credit",
        r"^credit/knobs\.py.*return \{\}": "a teacher with checkpoints: test_credit_run.py",
        r"^credit/model\.py.*return_hidden": "asked by who measures: test_credit_metrics.py",
        r"^credit/data\.py.*(folder_splits|image\.size|\bval\b|FolderSplit|\bsplit\b|parts\[0)": ""
        "image files by class, which the frozen baseline does not read: test_credit_data.py",
        r"^kit/(exact_)?images\.py": "image files by class: test_credit_data.py, vit_rft",
    },
)
