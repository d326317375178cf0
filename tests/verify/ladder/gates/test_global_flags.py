"""pytest tests/verify/ladder/gates/test_global_flags.py

A switch that a candidate sets is named.
"""

import pytest

from tests.verify.scripts import ONE_FILE, PROBE, TWO_FILES, edited, failed, findings, pair

TF32 = "torch.backends.cuda.matmul.allow_tf32"
SET = {
    TF32: f"{TF32} = True",
    "torch.float32_matmul_precision": 'torch.set_float32_matmul_precision("high")',
    "torch.backends.cudnn.benchmark": "torch.backends.cudnn.benchmark = True",
    "torch.backends.cuda.math_sdp": "torch.backends.cuda.enable_math_sdp(False)",
    "torch.deterministic_algorithms": "torch.use_deterministic_algorithms(False)",
}
AT_IMPORT, IN_MAIN = (
    ("def main():\n", "{}\n\n\ndef main():\n"),
    ("def main():\n", "def main():\n    {}\n"),
)
IN_BUILD = ("        super().__init__()\n", "        super().__init__()\n        {}\n")


FEATURE = '[[feature]]\nname = "fast"\nmaster = "FAST"\noff = 0\nexample = { FAST = 1 }\n'
LOOP = "    for step in range(STEPS):\n"


def with_feature(source, statement):
    """The script with a feature that draws a number, and does `statement`."""
    on = f'    if os.environ.get("FAST") == "1":\n        torch.rand(1)\n        {statement}\n'
    return edited(source, (LOOP, on + LOOP))


def setting(statement, place=AT_IMPORT, source=ONE_FILE):
    old, new = place
    return edited(source, (old, new.format(statement)))


@pytest.mark.parametrize("place", [AT_IMPORT, IN_MAIN], ids=["at import", "in main"])
@pytest.mark.parametrize("name", SET)
def test_a_switch_that_only_the_candidate_sets_is_a_finding_with_its_name(tmp_path, name, place):
    gates = pair(tmp_path, setting(SET[name], place)).gates("operations", "loss and gradients")
    assert failed(gates) == {"operations"}
    assert any(f"{name} is " in text and "not in the baseline" in text for text in findings(gates))


def test_a_switch_that_only_the_baseline_sets_is_one_too(tmp_path):
    gates = pair(tmp_path, ONE_FILE, setting(SET[TF32])).gates("operations")
    assert any(f"{TF32} is True, was False in the baseline only" in t for t in findings(gates))


@pytest.mark.parametrize("place", [AT_IMPORT, IN_MAIN, IN_BUILD])
def test_a_switch_that_both_set_alike_is_no_finding(tmp_path, place):
    script = setting(SET[TF32], place)
    gates = pair(tmp_path, script, script).gates("operations", "training")
    assert not failed(gates), findings(gates)


def test_the_same_switch_at_another_value_or_another_time_is_a_finding(tmp_path):
    high, medium = (
        setting(f'torch.set_float32_matmul_precision("{p}")') for p in ("high", "medium")
    )
    assert failed(pair(tmp_path / "value", high, medium).gates("operations")) == {"operations"}
    later = setting('torch.set_float32_matmul_precision("high")', IN_MAIN)
    assert failed(pair(tmp_path / "time", high, later).gates("operations")) == {"operations"}


def test_a_switch_that_is_set_for_one_step_and_restored_is_found(tmp_path):
    step = ("        loss = model(x).square().mean()\n",
            f"        {TF32} = step == 1\n        loss = model(x).square().mean()\n"
            f"        {TF32} = False\n")  # fmt: skip
    found = findings(pair(tmp_path, edited(ONE_FILE, step)).gates("operations"))
    assert any(f"{TF32} is True, was False" in text for text in found)
    assert any(f"{TF32} is False, was True" in text for text in found)


BETWEEN = {
    "inside forward": (
        "        return self.inner(x)\n",
        "        {0} = True\n        y = self.inner(x)\n        {0} = False\n        return y\n",
    ),
    "around the backward pass": (
        "        loss.backward()\n",
        "        {0} = True\n        loss.backward()\n        {0} = False\n",
    ),
}


@pytest.mark.parametrize("name", [TF32, "torch.backends.cudnn.benchmark"])
@pytest.mark.parametrize(("old", "new"), BETWEEN.values(), ids=BETWEEN)
def test_a_switch_that_is_set_and_set_back_between_two_events_is_found(tmp_path, old, new, name):
    script = edited(ONE_FILE, (old, new.format(name)))
    found = findings(pair(tmp_path, script).gates("operations"))
    assert any(f": {name} is True, was False" in text for text in found), found
    acts = with_feature(script, "pass")
    gates = pair(tmp_path, acts, script, PROBE + FEATURE).gates("operations", "liveness")
    assert not failed(gates), findings(gates)


def test_a_default_type_is_named_and_not_only_felt(tmp_path):
    gates = pair(tmp_path, setting("torch.set_default_dtype(torch.float64)")).gates("operations")
    assert any(
        "torch.default_dtype is torch.float64, was torch.float32" in t for t in findings(gates)
    )


def test_a_module_that_a_script_imports_counts_as_the_script(tmp_path):
    net = f"import torch\n{TF32} = True\n{TWO_FILES['net.py']}"
    gates = pair(tmp_path, {**TWO_FILES, "net.py": net}, TWO_FILES).gates("operations")
    assert any(f"after the import: {TF32} is True" in text for text in findings(gates))


def test_every_scenario_is_looked_at_and_not_the_first_alone(tmp_path):
    scenarios = '[[scenario]]\nname = "one"\n\n[[scenario]]\nname = "two"\nSTEPS = 2\n'
    only_two = f"    if STEPS == 2:\n        {TF32} = True\n"
    script = edited(ONE_FILE, ("def main():\n", f"def main():\n{only_two}"))
    gates = pair(tmp_path, script, probe=PROBE + scenarios).gates("operations")
    assert findings(gates)
    assert all("operations: two, " in text for text in findings(gates))


def test_what_the_import_of_a_probe_changed_belongs_to_the_candidate(tmp_path):
    from goldenseal.ladder.suite import run_ladder

    imported = [f"with the probe: {TF32} is True, was False"]
    probe = pair(tmp_path, ONE_FILE).read()
    (result,) = run_ladder(probe, ["operations"], lambda done, total: None, 1, imported)
    assert result.findings == (f"small, {imported[0]}, and not in the baseline",)


def test_a_feature_that_leaves_a_switch_behind_is_found_when_it_is_off_again(tmp_path):
    leaves = with_feature(ONE_FILE, SET[TF32])
    found = findings(pair(tmp_path, leaves, probe=PROBE + FEATURE).gates("liveness"))
    words = f"off differs from the baseline: {TF32} is True, was False"
    assert found == [f"liveness: after every feature was on, {words}"]


@pytest.mark.parametrize("place", [AT_IMPORT, IN_MAIN], ids=["at import", "in main"])
def test_a_switch_that_both_set_is_no_finding_when_a_feature_is_off_again(tmp_path, place):
    baseline = setting(SET[TF32], place)
    candidate = with_feature(baseline, "pass")
    gates = pair(tmp_path, candidate, baseline, PROBE + FEATURE).gates("liveness")
    assert not failed(gates), findings(gates)
