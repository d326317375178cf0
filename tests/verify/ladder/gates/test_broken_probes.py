"""pytest tests/verify/ladder/gates/test_broken_probes.py — what cannot be checked is said once."""

import json

import pytest

from goldenseal.errors import CannotCheckError, GoldensealError, UsageError
from tests.verify.scripts import ONE_FILE, PROBE, edited, failed, findings, pair

PROBES = {
    "build is no expression": ('"Net()"', '"Net("', "`build` of the probe is no expression"),
    "build names nothing": ('"Net()"', '"Nett()"', "`build` of the probe does not fit"),
    "build makes no network": ('"Net()"', '"[1, 2]"', "makes no module but a list"),
    "build makes None": ('"Net()"', '"None"', "makes no module but a NoneType"),
    "build is empty": ('"Net()"', '""', "`build` of the probe is no expression"),
    "entry names nothing": ('"main()"', '"start()"', "`entry` of the probe does not fit"),
    "entry is a statement": ('"main()"', '"x = main()"', "`entry` of the probe is no expression"),
    "entry takes no argument": ('"main()"', '"main(3)"', "`entry` of the probe does not fit"),
    "loss names nothing": ("model(x", "model(inputs", "`loss` of the probe does not fit"),
    "loss is no expression": ("model(x", "model((x", "`loss` of the probe is no expression"),
    "loss is a number": (".mean()", ".mean().item()", "`loss` of the probe gives a float"),
}


@pytest.mark.parametrize(("old", "new", "words"), PROBES.values(), ids=PROBES)
def test_a_broken_probe_is_one_error_and_no_verdict(tmp_path, old, new, words):
    broken = pair(tmp_path, ONE_FILE, probe=edited(PROBE, (old, new)))
    with pytest.raises(UsageError) as caught:
        broken.gates()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


IMPORTS = {
    "a package that is missing": ("import torch\n", "import torch\nimport no_such_package\n"),
    "a syntax error": ("def main():", "def main(:"),
    "an error at import": ("STEPS = ", "STEPS = 1 / 0 or "),
    "a variable that is missing": ('os.environ.get("STEPS", 3)', 'os.environ["STEPS"]'),
    "an exit": ("def main():", "sys.exit(1)\n\n\ndef main():"),
}


@pytest.mark.parametrize("side", ["baseline", "candidate"])
@pytest.mark.parametrize("edit", IMPORTS.values(), ids=IMPORTS)
def test_a_script_that_cannot_be_imported_is_one_error_and_no_verdict(tmp_path, edit, side):
    sides = {"baseline": ONE_FILE, "candidate": ONE_FILE, side: edited(ONE_FILE, edit)}
    with pytest.raises(CannotCheckError, match=f"the {side} ") as caught:
        pair(tmp_path, sides["candidate"], sides["baseline"]).gates()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("probe", 2, "`entry` of the probe does not fit the"),
        ("toml", 2, "probe.toml"),
        ("import", 3, "cannot be imported: ModuleNotFoundError: No module named 'no_such_package'"),
        ("prepare", 2, "`prepare` of the probe fails"),
        ("draw", 2, "cannot load 'nowhere:draw'"),
    ],
)
def test_the_command_line_ends_once_with_one_line(tmp_path, case, code, words):
    probe = {
        "probe": edited(PROBE, ('"main()"', '"start()"')),
        "toml": PROBE + "colour = 'red'\n",
        "prepare": PROBE + '[data]\nprepare = "os:readlink"\n',
        "draw": PROBE + '[data]\ndraw = "nowhere:draw"\n',
    }.get(case, PROBE)
    candidate = edited(ONE_FILE, IMPORTS["a package that is missing"])
    broken = pair(tmp_path, candidate if case == "import" else ONE_FILE, probe=probe)
    done = broken.command("--json")
    told = json.loads(done.stdout)
    assert done.returncode == told["exit_code"] == code
    assert words in told["error"]
    assert done.stderr.startswith("goldenseal: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert words in done.stderr


def test_an_error_of_the_run_itself_is_a_finding_of_the_gates_that_need_it(tmp_path):
    crash = edited(ONE_FILE, ("        loss.backward()\n", "        loss.backwards()\n"))
    gates = pair(tmp_path, crash).gates("initial state", "training")
    assert failed(gates) == {"training"}
    assert "AttributeError: 'Tensor' object has no attribute 'backwards'" in findings(gates)[0]
    assert "(_tensor.py:" in findings(gates)[0] or "(train.py:" in findings(gates)[0]


def test_a_second_scenario_that_breaks_the_script_is_a_finding_and_not_the_end(tmp_path):
    scenarios = '[[scenario]]\nname = "good"\n\n[[scenario]]\nname = "bad"\nSTEPS = "many"\n'
    gates = pair(tmp_path, ONE_FILE, probe=PROBE + scenarios).gates("training")
    assert failed(gates) == {"training"}
    assert all(text.startswith("training: bad: ") for text in findings(gates))


def test_a_fault_never_looks_like_a_verdict():
    assert issubclass(CannotCheckError, GoldensealError)
    assert CannotCheckError.exit_code == 3
    assert UsageError.exit_code == 2
