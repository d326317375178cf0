"""pytest tests/train_gpt_style/gpt/test_gpt_finite.py — STOP_NONFINITE: a bad step is not taken."""

import pytest
import torch

from goldenseal.errors import ContradictedError
from tests.train_gpt_style.gpt.worlds import launch
from train_gpt_style.gpt import SYSTEM, run
from train_gpt_style.gpt.features import FINITE
from train_gpt_style.kit import checkpoints, entry
from train_gpt_style.kit.features import finite

ON = {"STOP_NONFINITE": "1"}


@pytest.fixture
def trained(build, batch):
    """A model with gradients, and its loss."""
    model = build()
    loss = model(*batch())
    loss.backward()
    return model, loss.detach()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["tok_emb.weight", "blocks.1.attn.q_gain", "skip_weights"])
def test_one_bad_element_of_one_gradient_stops_and_is_named(trained, context, name, value):
    model, loss = trained
    FINITE.before_update(SYSTEM.read(ON), model, context, 6, loss)
    model.get_parameter(name).grad.view(-1)[-1] = value
    with pytest.raises(ContradictedError) as caught:
        FINITE.before_update(SYSTEM.read(ON), model, context, 6, loss)
    message = str(caught.value)
    assert message.startswith(f"step 7: gradient of {name} is not finite; no weight was moved; ")
    assert message.endswith("last good checkpoint: none, CHECKPOINT_EVERY=0")
    assert "\n" not in message


def test_a_bad_loss_is_named_first(trained, context):
    model, _ = trained
    model.tok_emb.weight.grad[0] = float("nan")
    with pytest.raises(ContradictedError, match="step 1: train loss is not finite"):
        FINITE.before_update(SYSTEM.read(ON), model, context, 0, torch.tensor(float("inf")))


def test_large_values_and_both_signs_are_finite(trained, context):
    model, loss = trained
    model.tok_emb.weight.grad.fill_(3e38)
    model.skip_weights.grad.fill_(-3e38)
    FINITE.before_update(SYSTEM.read(ON), model, context, 0, loss)


def test_a_gradient_without_elements_is_finite(trained, context):
    model, loss = trained
    model.register_parameter("none", torch.nn.Parameter(torch.zeros(0, 4)))
    model.none.grad = torch.zeros(0, 4)
    FINITE.before_update(SYSTEM.read(ON), model, context, 0, loss)


@pytest.mark.parametrize(("ours", "theirs"), [(None, 0), (2, 0), (0, 2), (1, None), (None, None)])
def test_ranks_stop_together_at_the_first_that_any_of_them_finds(
    trained, context, monkeypatch, ours, theirs
):
    """By number of what is watched: the loss, then the gradients; None: all are finite."""
    model, loss = trained
    named = [(n, p.grad) for n, p in model.named_parameters() if p.grad is not None]
    watched = [("train loss", loss), *((f"gradient of {n}", g) for n, g in named)]
    if ours is not None:
        watched[ours][1].view(-1)[0] = float("nan")

    def all_reduce(tensor, op):
        assert op == finite.dist.ReduceOp.MIN
        tensor.clamp_(max=len(watched) if theirs is None else theirs)

    monkeypatch.setattr(finite.dist, "all_reduce", all_reduce)
    context.world_size = 2
    found = [each for each in (ours, theirs) if each is not None]
    if not found:
        FINITE.before_update(SYSTEM.read(ON), model, context, 0, loss)
        return
    with pytest.raises(ContradictedError) as caught:
        FINITE.before_update(SYSTEM.read(ON), model, context, 0, loss)
    assert str(caught.value).startswith(f"step 1: {watched[min(found)][0]} is not finite; ")


def test_a_run_that_stays_finite_is_not_touched(tiny, perform):
    off, on = perform(run.main, tiny), perform(run.main, {**tiny, **ON})
    assert [line for line in on.lines if not line.startswith("feature finite ")] == off.lines
    for name in ("final_model.safetensors", "final_model.int8.safetensors.z"):
        assert on.files[name] == off.files[name]


def test_a_run_stops_before_the_bad_update_and_names_the_last_good_checkpoint(
    tiny, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    environ = {**tiny, **ON, "CHECKPOINT_EVERY": "1", "CHECKPOINT_KEEP": "9", "ITERATIONS": "9"}
    from train_gpt_style.gpt import train

    update, taken = train.update, []

    def poisoned(settings, model, optimizers, step, scale):
        taken.append(step)
        result = update(settings, model, optimizers, step, scale)
        if step == 3:
            with torch.no_grad():
                model.skip_weights[0, 0] = float("inf")  # after the fourth step
        return result

    monkeypatch.setattr(train, "update", poisoned)
    words = "step 5: train loss is not finite; .* checkpoint: checkpoints/train_gpt/step-00000003$"
    with pytest.raises(ContradictedError, match=words):
        run.main(environ)
    assert taken == [0, 1, 2, 3]
    found = checkpoints.listed(tmp_path / "checkpoints/train_gpt")
    assert [path.name for path in found] == ["step-00000003", "step-00000002", "step-00000001"]
    assert not (tmp_path / "final_model.safetensors").exists()


def test_all_ranks_stop_with_the_same_line(tiny, tmp_path):
    environ = {**tiny, **ON, "MATRIX_LR": "1e38"}
    with pytest.raises(AssertionError, match="rank 0 ended with 70"):  # no code of our own
        launch(2, tmp_path / "world", {"run": environ})
    for rank in range(2):
        last = (tmp_path / f"world/rank{rank}.out").read_text().splitlines()[-1]
        assert "ContradictedError: step 2: train loss is not finite; no weight was moved" in last


def test_the_command_says_it_in_one_line_and_exits_with_1(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, value in {**tiny, **ON, "MATRIX_LR": "1e38"}.items():
        monkeypatch.setenv(name, value)
    assert entry.cli(SYSTEM, run.main, []) == 1
    assert capsys.readouterr().err == (
        "error: step 2: train loss is not finite; no weight was moved; "
        "last good checkpoint: none, CHECKPOINT_EVERY=0\n"
    )
