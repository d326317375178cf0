"""pytest tests/verify/ladder/gates/test_pairs.py — rung 10 on a small script with two features."""

import pytest

from goldenseal.ladder.probe_file import probe_from_toml
from goldenseal.ladder.suite import run_ladder
from goldenseal.result import Verdict

SECOND = """
BIAS_ENABLE = int(os.environ.get("BIAS_ENABLE", 0))
"""
BIAS = """        if self.adapter is not None:
            h = self.adapter(h)
        if BIAS_ENABLE:
            h = h + 0.5
"""
TABLE = """
[[feature]]
name = "bias"
master = "BIAS_ENABLE"
off = 0
example = { BIAS_ENABLE = 1 }
"""


def judge(example, folder, changes=(), only=("pairs",)):
    """The worked example with a second feature, and then with a planted defect."""
    source = (example / "candidate.py").read_text()
    for old, new in [
        ('\nTEXT = "', SECOND + 'TEXT = "'),
        ("        if self.adapter is not None:\n            h = self.adapter(h)\n", BIAS),
        *changes,
    ]:
        assert old in source
        source = source.replace(old, new, 1)
    (folder / "candidate.py").write_text(source)
    description = folder / "probe.toml"
    description.write_text((example / "probe.toml").read_text() + TABLE)
    probe = probe_from_toml(description, str(example / "baseline.py"), str(folder / "candidate.py"))
    return {r.gate: r for r in run_ladder(probe, only, lambda done, total: None, workers=1)}


def test_two_features_that_live_together_pass(example, tmp_path):
    result = judge(example, tmp_path)["pairs"]
    assert result.verdict is Verdict.PASS, result.findings
    assert result.summary == "1 pairs: 1 build, train and restore"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "if BIAS_ENABLE:",
            "if BIAS_ENABLE and self.adapter is None:",
            "adapter + bias: bias changes nothing beside adapter",
        ),
        (
            "            h = h + 0.5\n",
            "            h = h + (0.5 if self.adapter is None else [])\n",
            "adapter + bias: the run stops: TypeError",
        ),
        (
            "AdamW(model.parameters()",
            "AdamW([p for n, p in model.named_parameters() if not BIAS_ENABLE or n != 'adapter.B']",
            "adapter + bias: together: parameter adapter.B is in no optimizer group",
        ),
        (
            "def main():\n",
            "def main():\n    if ADAPTER_ENABLE and BIAS_ENABLE:\n        torch.both = True\n"
            "    torch.manual_seed(1) if hasattr(torch, 'both') else None\n"
            "    global LEARNING_RATE\n    LEARNING_RATE *= 1 + hasattr(torch, 'both')\n",
            "after adapter + bias, off differs from the baseline",
        ),
    ],
    ids=["silenced", "crash", "owner lost", "something is left behind"],
)
def test_a_pair_that_fails_is_named(example, tmp_path, old, new, words):
    import torch

    try:
        result = judge(example, tmp_path, [(old, new)])["pairs"]
    finally:
        vars(torch).pop("both", None)
    assert result.verdict is Verdict.FAIL
    assert any(words in finding for finding in result.findings), result.findings


def test_an_impossible_pair_that_is_refused_at_start_passes_and_is_listed(example, tmp_path):
    refusal = (
        "def main():\n"
        "    from goldenseal.errors import UsageError\n"
        "    if ADAPTER_ENABLE and BIAS_ENABLE:\n"
        "        raise UsageError('BIAS_ENABLE does not go with ADAPTER_ENABLE')\n"
    )
    result = judge(example, tmp_path, [("def main():\n", refusal)])["pairs"]
    assert result.verdict is Verdict.PASS, result.findings
    assert "refused at start: adapter + bias" in result.summary


def test_a_fork_with_a_dead_knob_and_unowned_matrices_fails_with_exactly_these(example, tmp_path):
    changes = [
        ("ADAPTER_SCALE * (h @ self.A)", "(h @ self.A)"),
        (
            "AdamW(model.parameters()",
            "AdamW([p for n, p in model.named_parameters() if not n.startswith('adapter.')]",
        ),
        # With B at zero and never moved the adapter would be silent: start it at something.
        ("nn.Parameter(torch.zeros(rank, width))", "nn.Parameter(torch.ones(rank, width))"),
    ]
    results = judge(example, tmp_path, changes, only=())
    results.pop("published figures")
    failed = {name: r.findings for name, r in results.items() if r.verdict is not Verdict.PASS}
    assert failed == {
        "liveness": (
            "ADAPTER_ENABLE=1: parameter adapter.A is in no optimizer group",
            "ADAPTER_ENABLE=1: parameter adapter.B is in no optimizer group",
            "ADAPTER_SCALE=0.5 changes nothing while ADAPTER_ENABLE=1: dead knob",
        )
    }
