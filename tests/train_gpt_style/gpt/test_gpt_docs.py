"""pytest tests/train_gpt_style/gpt/test_gpt_docs.py — the guide to features holds."""

import re
import types

import pytest

from goldenseal.knobs import check_declarations
from train_gpt_style.gpt import SYSTEM, optim, seams
from train_gpt_style.kit import seams as kit_seams


@pytest.fixture
def feature(root, monkeypatch):
    """The feature of the guide, listed as the guide says."""
    guide = (root / "docs" / "add-a-feature.md").read_text(encoding="utf-8")
    module = types.ModuleType("head_scale")
    exec(re.search(r"```python\n(.*?)```", guide, re.DOTALL)[1], vars(module))
    knobs = (*SYSTEM.knobs, *module.HEAD_SCALE.declaration.all_knobs)
    monkeypatch.setitem(vars(SYSTEM), "features", (*SYSTEM.features, module.HEAD_SCALE))
    monkeypatch.setitem(vars(SYSTEM), "knobs", knobs)
    return module.HEAD_SCALE


def test_the_guides_feature_is_declared_installed_and_trained(feature, build, batch):
    check_declarations(SYSTEM.baseline_knobs, [f.declaration for f in SYSTEM.features])
    off, on = build(), build(**feature.declaration.example)
    assert set(on.state_dict()) - set(off.state_dict()) == {"before_head.head_scale.gain"}
    assert on(*batch()).item() == off(*batch()).item()
    moved = build(HEAD_SCALE="1", HEAD_SCALE_OFFSET="0.1")
    assert moved(*batch()).item() != off(*batch()).item()
    optimizers = optim.build_optimizers(SYSTEM.read(feature.declaration.example), on)
    gain = on.before_head["head_scale"].gain
    assert any(gain is p for p in optimizers["scalars"].param_groups[0]["params"])


def test_the_guide_names_every_seam(root):
    guide = (root / "docs" / "add-a-feature.md").read_text(encoding="utf-8")
    bases = (kit_seams.GatedFeature, seams.GatedFeature)
    names = [name for base in bases for name, seam in vars(base).items() if callable(seam)]
    assert {"install", "observer"} <= set(names)
    assert [name for name in names if f"`{name}(" not in guide] == []
