"""pytest tests/verify/ladder/gates/test_batches.py — batches of any structure."""

import sys

import pytest
import torch

from goldenseal.errors import UsageError
from tests.verify.scripts import ONE_FILE, PROBE, edited, failed, findings, pair

SHAPED = "torch.randn(shape, generator=generator)"
X = SHAPED.replace("shape", "(shape[0], 4)")
DRAWS = {
    "one tensor": (X, "model(batch).square().mean()"),
    "two views": (f"({X}, {X})", "(model(x) - model(y)).square().mean()"),
    "a list of two": (f"[{X}, {X}]", "(model(x) - model(batch[1])).square().mean()"),
    "three inputs": (f"({X}, {X}, {X})", "sum(model(b).square().mean() for b in batch)"),
    "a dict": (f'{{"view": {X}, "weight": 2.0}}', "model(batch['view']).square().mean() * 2"),
    "nested": (
        f'{{"views": [{X}, {X}], "more": ({X},)}}',
        "(model(batch['views'][1]) + model(batch['more'][0])).square().mean()",
    ),
    "numbers and a text": (f'({X}, 3, "a")', "model(batch[0]).square().mean() * batch[1]"),
}


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Makes a pair whose probe draws by a function of a module of the user's own."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(expression, loss, candidate=ONE_FILE):
        name = f"drawing_{len(made)}_{tmp_path.name}"
        made.append(name)
        text = f"import torch\n\n\ndef draw(shape, generator):\n    return {expression}\n"
        (tmp_path / f"{name}.py").write_text(text)
        probe = edited(PROBE, ("model(x[..., :4].float()).square().mean()", loss))
        return pair(tmp_path, candidate, probe=f'{probe}\n[data]\ndraw = "{name}:draw"\n')

    yield make
    for name in made:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("expression", "loss"), DRAWS.values(), ids=DRAWS)
def test_a_batch_of_any_structure_is_drawn_from_the_probes_own_words(drawn, expression, loss):
    gates = drawn(expression, loss).gates("loss and gradients")
    assert not failed(gates), findings(gates)
    louder = edited(ONE_FILE, ("self.inner(x)", "self.inner(x) * 2"))
    assert failed(drawn(expression, loss, louder).gates("loss and gradients"))


@pytest.mark.parametrize(
    ("expression", "loss", "words"),
    [
        ("1 / 0", "model(batch)", "`draw` of the probe fails: ZeroDivisionError"),
        ("shape.no", "model(batch)", "`draw` of the probe fails: AttributeError"),
        (X, "model(x)", "`loss` of the probe does not fit the baseline: NameError"),
        (
            f"({X}, {X}, {X})",
            "model(x)",
            "`loss` of the probe does not fit the baseline: NameError",
        ),
        (X, "batch.shape[0]", "`loss` of the probe gives a int, no tensor"),
    ],
)
def test_a_draw_that_does_not_fit_is_one_line(drawn, expression, loss, words):
    with pytest.raises(UsageError) as caught:
        drawn(expression, loss).gates("loss and gradients")
    assert words in str(caught.value)


INPUTS = {
    "a dataclass": (
        "model(Batch(ids=x, mask=None)).square()",
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Batch:\n"
        "    ids: object\n    mask: object\n\n\ndef ids_of(x):\n    return x.ids\n",
    ),
    "a dict": ("model({'ids': x}).square()", "def ids_of(x):\n    return x['ids']\n"),
    "a nested list": ("model([[x], []]).square()", "def ids_of(x):\n    return x[0][0]\n"),
    "a keyword": ("model(x=x).square()", "def ids_of(x):\n    return x\n"),
}


@pytest.mark.parametrize(("call", "helper"), INPUTS.values(), ids=INPUTS)
def test_what_a_network_is_called_with_is_compared_whatever_its_form(tmp_path, call, helper):
    script = edited(
        ONE_FILE,
        ("class Net(", f"{helper}\n\nclass Net("),
        ("self.inner(x)", "self.inner(x if torch.is_tensor(x) else ids_of(x))"),
        ("model(x).square()", call),
    )
    scripts = pair(tmp_path / "same", script, script)
    assert not failed(scripts.gates("training")), findings(scripts.gates("training"))
    moved = edited(script, ("torch.randn(5, 4)", "torch.randn(5, 4) + 1"))
    first, *_ = findings(pair(tmp_path / "moved", moved, script).gates("training"))
    assert "forward (train) 1 (train.py:" in first
    assert ": input" in first


def test_outputs_of_any_form_are_compared(tmp_path):
    script = edited(
        ONE_FILE,
        (
            "return self.inner(x)",
            'y = self.inner(x)\n        return {"y": y, "all": [y, (y + 1,)]}',
        ),
        ("model(x).square()", 'model(x)["y"].square()'),
        ("model(torch.ones(2, 4)).sum()", 'model(torch.ones(2, 4))["y"].sum()'),
    )
    moved = edited(script, ("(y + 1,)", "(y + 2,)"))
    (found,) = findings(pair(tmp_path, moved, script).gates("training"))
    assert "output.all.1.0 is" in found


def test_without_a_draw_the_batch_is_a_pair_of_token_ids():
    from goldenseal.ladder.inspection import batch_names
    from goldenseal.ladder.probe import Probe, Scenario, Script

    script = Script("x", "x.py", "x", "x")
    probe = Probe("p", script, script, (Scenario("s", {}),), 8)
    names = batch_names(probe, 0, None)
    assert set(names) == {"batch", "x", "y"}
    assert names["x"].shape == (2, 16)
    assert names["x"].dtype == torch.int64
    assert int(names["x"].max()) < 8
