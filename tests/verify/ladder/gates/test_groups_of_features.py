"""pytest tests/verify/ladder/gates/test_groups_of_features.py

Pairs are tried in groups, and named.
"""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.gates.pairs import groups, names
from goldenseal.ladder.probe import Probe, Script
from goldenseal.result import Verdict
from tests.verify.scripts import PROBE, pair

SCRIPT = """
import os

import torch
from torch import nn

ON = {{name for name in "ABCD" if os.environ.get(f"{{name}}_ENABLE", "0") == "1"}}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, x):
        acting = {acting}
        for i, name in enumerate("ABCD", start=1):
            if name in acting:
                x = x * (1 + i / 8)
        return self.inner(x)


def main():
    {first}
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(2):
        loss = model(torch.randn(5, 4)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    main()
"""
FEATURES = "".join(
    f'[[feature]]\nname = "{name}"\nmaster = "{name}_ENABLE"\noff = 0\n'
    f"example = {{ {name}_ENABLE = 1 }}\n"
    for name in "ABCD"
)


def judged(folder, acting="ON", first="pass"):
    """The gate on four features: which act when ON are on, and what a run does first."""
    baseline = SCRIPT.format(acting="set()", first="pass")
    candidate = SCRIPT.format(acting=acting, first=first)
    return pair(folder, candidate, baseline, PROBE + FEATURES).gates("pairs")["pairs"]


def test_features_that_go_together_need_no_run_of_each_pair(tmp_path):
    result = judged(tmp_path)
    assert result.verdict is Verdict.PASS, result.findings
    assert result.summary == "6 pairs: 6 build, train and restore"


@pytest.mark.parametrize(("this", "other"), ["AD", "DA", "BC", "CA"])
def test_a_feature_that_another_silences_is_named_with_it(tmp_path, this, other):
    result = judged(tmp_path, acting=f"ON - {{{this!r}}} if {other!r} in ON else ON")
    name = " + ".join(sorted((this, other)))
    assert result.findings == (f"{name}: {this} changes nothing beside {other}",)


@pytest.mark.parametrize("both", ["AD", "BC"])
def test_a_pair_that_cannot_run_is_named_alone(tmp_path, both):
    result = judged(tmp_path, first=f"assert not set({both!r}) <= ON, 'no way'")
    (finding,) = result.findings
    assert finding.startswith(f"{' + '.join(both)}: the run stops: AssertionError: no way")


@pytest.mark.parametrize("both", ["AC"])
def test_a_pair_that_is_refused_is_listed_and_the_others_are_tried(tmp_path, both):
    refusal = f"from goldenseal.errors import UsageError\n    if set({both!r}) <= ON:\n        "
    result = judged(tmp_path, first=refusal + "raise UsageError('not both')")
    assert result.verdict is Verdict.PASS, result.findings
    words = f"6 pairs: 5 build, train and restore, refused at start: {' + '.join(both)}"
    assert result.summary == words


def test_what_only_three_together_show_is_told_of_the_three(tmp_path):
    result = judged(tmp_path, first="assert not set('ABC') <= ON, 'three'")
    (finding,) = result.findings
    assert finding.startswith("A + B + C: the run stops: AssertionError: three")


def test_a_feature_that_is_dead_alone_is_left_to_liveness(tmp_path):
    result = judged(tmp_path, acting="ON - {'B'}")
    assert result.verdict is Verdict.PASS, result.findings


def test_what_a_pair_leaves_behind_is_told(tmp_path):
    left = "torch.set_float32_matmul_precision('high') if {'A', 'D'} <= ON else None"
    (finding,) = judged(tmp_path, first=left).findings
    assert "A + D" in finding
    assert "off differs from the baseline" in finding


def test_a_pair_that_takes_its_process_with_it_is_told(tmp_path):
    result = judged(tmp_path, first="os._exit(3) if {'A', 'D'} <= ON else None")
    assert result.verdict is Verdict.FAIL
    assert any("A + D" in finding for finding in result.findings), result.findings


@given(st.integers(0, 12))
def test_each_feature_joins_every_other_in_some_group(count):
    features = tuple(Feature(f"f{i}", "x", Knob(f"F{i}", bool, False, "x")) for i in range(count))
    script = Script("x", "x.py", build="x", entry="x")
    tried = groups(Probe("x", script, script, (), features=features))
    assert len(tried) == max(0, 2 * count - 3)
    members = [names(group) for group in tried] + [frozenset({f.name}) for f in features]
    for this, other in permutations((f.name for f in features), 2):
        assert any(
            other in group and group - {this} in members for group in members if this in group
        )
