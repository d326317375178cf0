"""pytest tests/verify/ladder/gates/test_networks_of_a_run.py — every network is watched."""

import pytest

from tests.verify.networks_toys import AUXILIARY, AVERAGE, TEACHER, WITH_FEATURE
from tests.verify.scripts import PROBE, edited, failed, findings, pair

GATES = ("operations", "training", "evaluation and export")


@pytest.mark.parametrize("script", [TEACHER, AUXILIARY, AVERAGE], ids=["teacher", "aux", "average"])
def test_a_system_of_several_networks_is_equal_to_itself(tmp_path, script):
    gates = pair(tmp_path, script, script).gates(*GATES, "liveness")
    assert not failed(gates), findings(gates)


TEACHER_EDITS = {
    "another teacher": ("teacher.eval()", "teacher.eval()\n    teacher.inner.bias += 1"),
    "a student of another seed": (
        "student, teacher = Net(), Net()",
        "teacher, student = Net(), Net()",
    ),
    "a teacher in training mode": ("teacher.eval()", "teacher.train()"),
    "another order of calls": (
        "        target = teacher(x)  # the first that is called\n"
        "        return step((student(x) - target)",
        "        return step((student(x) - teacher(x))",
    ),
}


@pytest.mark.parametrize("edit", TEACHER_EDITS.values(), ids=TEACHER_EDITS)
def test_a_change_of_either_network_of_one_class_is_seen(tmp_path, edit):
    assert failed(pair(tmp_path, edited(TEACHER, edit), TEACHER).gates("training")) == {"training"}


AUXILIARY_EDITS = {
    "the second network starts otherwise": (
        "optimizers = [",
        "bridge.inner.bias.data += 1\n    optimizers = [",
    ),
    "the third network learns faster": ("lr=0.2", "lr=0.3"),
    "the second is not stepped": (
        "for optimizer in optimizers:\n        optimizer.step()",
        "for optimizer in optimizers[:1] + optimizers[2:]:\n        optimizer.step()",
    ),
    "a part of the third is frozen": (
        "optimizers = [",
        "head.bias.requires_grad_(False)\n    optimizers = [",
    ),
}


@pytest.mark.parametrize("edit", AUXILIARY_EDITS.values(), ids=AUXILIARY_EDITS)
def test_a_change_of_an_auxiliary_network_is_seen(tmp_path, edit):
    gates = pair(tmp_path, edited(AUXILIARY, edit), AUXILIARY).gates("training")
    assert failed(gates) == {"training"}


# ---- who owns a parameter, and is it trained --------------------------------------------------

NEW = {
    "nobody owns the second network": (
        "    optimizers += [torch.optim.AdamW(bridge.parameters(), lr=0.01)]\n",
        "",
        "parameter {}inner.weight is in no optimizer group",
    ),
    "a parameter of the second in no group": (
        "AdamW(bridge.parameters()",
        "AdamW([bridge.inner.weight]",
        "parameter {}inner.bias is in no optimizer group",
    ),
    "a parameter of the second in two optimizers": (
        "SGD(body.parameters()",
        "SGD([*body.parameters(), bridge.inner.bias]",
        "parameter {}inner.bias is in 2 optimizer groups",
    ),
    "a parameter of the second never gets a gradient": (
        "head(bridge(body(x)))",
        "head(body(x) + bridge.inner.weight.sum())",
        "parameter {}inner.bias never receives a gradient",
    ),
    "a parameter of the second never moves": (
        "lr=0.01)",
        "lr=0.0, weight_decay=0.0)",
        "parameter {}inner.bias never moves",
    ),
}


def only_body(source):
    """The same system without its auxiliary networks: the baseline of one that adds them."""
    return edited(
        source,
        ("    optimizers += [torch.optim.AdamW(bridge.parameters(), lr=0.01)]\n", ""),
        (
            '    optimizers += [torch.optim.SGD([{"params": head.weight}, '
            '{"params": head.bias}], lr=0.2)]\n',
            "",
        ),
        ("head(bridge(body(x)))", "body(x)"),
    )


def switched(source):
    """Both: the auxiliary networks are there when the feature is on."""
    body = only_body(source)
    begin, end = (text.index("def main") for text in (source, body))
    inner, outer = (
        source[begin:].replace("def main", "def full"),
        body[end:].replace("def main", "def plain"),
    )
    return (
        source[:begin]
        + inner
        + "\n\n"
        + outer
        + "\n\ndef main():\n    return full() if ON else plain()\n"
    )


@pytest.mark.parametrize(("old", "new", "words"), NEW.values(), ids=NEW)
def test_a_parameter_of_a_second_network_that_is_not_trained_is_named(tmp_path, old, new, words):
    scripts = pair(tmp_path, switched(AUXILIARY), only_body(AUXILIARY), WITH_FEATURE)
    clean = scripts.gates("liveness")
    assert not failed(clean), findings(clean)
    broken = edited(switched(AUXILIARY), (old, new)) if "SGD(body" not in old else None
    if broken is None:  # the plain run has that line too
        head, full, plain = switched(AUXILIARY).partition("def plain")
        broken = edited(head, (old, new)) + full + plain
    found = findings(pair(tmp_path, broken, only_body(AUXILIARY), WITH_FEATURE).gates("liveness"))
    assert any(words.format("Net 2/") in text for text in found), found


# ---- frozen stays frozen ----------------------------------------------------------------------


def frozen(*edits, source=AVERAGE, probe=WITH_FEATURE):
    """Findings of liveness on the script with a teacher that only the feature has."""
    still = (
        "            for ours, theirs in zip(average.parameters(), student.parameters()):\n"
        "                ours.lerp_(theirs.detach(), 0.5)\n",
        "            pass\n",
    )

    def judge(folder):
        candidate = edited(source, still, *edits)
        return findings(pair(folder, candidate, source, probe).gates("liveness"))

    return judge


def test_a_frozen_copy_that_stays_as_it_was_is_no_finding(tmp_path):
    assert frozen()(tmp_path) == []


MOVES = {
    "it trains by mistake, by hand": (
        ("            pass\n", "            average.inner.weight -= 0.1\n"),
        "Net 2/inner.weight is frozen",
    ),
    "by a buffer that drifts": (
        ("student = Net()", "student = Net(norm=True)"),
        "Net 2/norm.running_mean is frozen",
    ),
    "by a state that is loaded": (
        ("            pass\n", "            average.load_state_dict(student.state_dict())\n"),
        "Net 2/inner.bias is frozen",
    ),
    "through its data": (
        ("            pass\n", "            average.inner.bias.data += 1\n"),
        "Net 2/inner.bias is frozen",
    ),
}


@pytest.mark.parametrize(("edit", "words"), MOVES.values(), ids=MOVES)
def test_a_frozen_network_that_changes_is_named(tmp_path, edit, words):
    found = frozen(edit)(tmp_path)
    assert any(f"FEATURE=1: {words}, and yet the run changes it" in text for text in found), found


def test_an_average_that_moves_is_named_unless_the_probe_declares_it(tmp_path):
    found = findings(pair(tmp_path, AVERAGE, AVERAGE, WITH_FEATURE).gates("liveness"))
    assert [text for text in found if "Net 2/inner.weight is frozen, and yet" in text]
    declared = WITH_FEATURE.replace("[script]\n", '[script]\naverages = ["Net 2/*"]\n')
    gates = pair(tmp_path, AVERAGE, AVERAGE, declared).gates("liveness")
    assert not failed(gates), findings(gates)


def test_averages_cover_no_more_than_they_name(tmp_path):
    declared = WITH_FEATURE.replace("[script]\n", '[script]\naverages = ["Net 2/inner.bias"]\n')
    found = findings(pair(tmp_path, AVERAGE, AVERAGE, declared).gates("liveness"))
    assert len(found) == 1
    assert "Net 2/inner.weight" in found[0]


# ---- however a network is called --------------------------------------------------------------

CALLS = {
    "by a method of its own": ("student(x) - target", "student.encode(x) - target"),
    "by forward itself": ("student(x) - target", "student.forward(x) - target"),
    "as two of its parts": ("student(x) - target", "student.norm(student.inner(x)) - target"),
    "by keyword": ("student(x) - target", "student(x=x) - target"),
    "as a function of its state": (
        "student(x) - target",
        "torch.func.functional_call(student, {}, x) - target",
    ),
    "in a container": ("student(x) - target", "nn.Sequential(student)(x) - target"),
}


@pytest.mark.parametrize("edit", CALLS.values(), ids=CALLS)
def test_a_network_is_watched_however_it_is_called(tmp_path, edit):
    script = edited(TEACHER, edit)
    gates = pair(tmp_path, script, script).gates(*GATES)
    assert not failed(gates), findings(gates)
    faster = edited(
        script,
        (
            "student, teacher = Net(), Net()\n",
            "student, teacher = Net(), Net()\n    student.inner.bias.data += 1\n",
        ),
    )
    found = findings(pair(tmp_path, faster, script).gates("training"))
    assert any("inner.bias" in text for text in found), found


def test_a_build_of_several_networks_is_compared_whole(tmp_path):
    probe = edited(
        PROBE,
        ('"Net()"', "\"{'student': Net(), 'teacher': Net()}\""),
        ("model(x[..., :4].float())", "model['student'](x[..., :4].float())"),
    )
    gates = pair(tmp_path, TEACHER, TEACHER, probe).gates("initial state", "loss and gradients")
    assert not failed(gates), findings(gates)
    moved = edited(probe, ("'teacher': Net()}", "'teacher': Net().requires_grad_(False)}"))
    assert not failed(pair(tmp_path, TEACHER, TEACHER, moved).gates("initial state"))
    other = probe + "\n[candidate]\nbuild = \"{'student': Net(), 'teacher': Net(norm=True)}\"\n"
    found = findings(pair(tmp_path, TEACHER, TEACHER, other).gates("initial state"))
    assert any("teacher.norm.weight is extra" in text for text in found), found
