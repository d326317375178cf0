"""pytest tests/verify/ladder/gates/test_two_file_scripts.py

Each script runs with its own modules.
"""

import pytest

from goldenseal.errors import CannotCheckError
from tests.verify.scripts import ONE_FILE, TWO_FILES, edited, failed, findings, pair

GATES = ("initial state", "operations", "loss and gradients", "training", "evaluation and export")
OTHER_NET = edited(TWO_FILES["net.py"], ("self.inner(x)", "self.inner(x) * 2"))

PACKAGE = {
    "train.py": edited(TWO_FILES["train.py"], ("from net import", "from parts.net import")),
    "parts/__init__.py": "",
    "parts/net.py": "from .shapes import WIDTH\n"
    + edited(TWO_FILES["net.py"], ("width=4", "width=WIDTH")),
    "parts/shapes.py": "WIDTH = 4\n",
}
NAMESPACE = {name: text for name, text in PACKAGE.items() if not name.endswith("__init__.py")}
LAZY = {
    **TWO_FILES,
    "train.py": edited(
        ONE_FILE,
        ("class Net(nn.Module):\n    def __init__(self, width=4):\n        super().__init__()\n"
         "        self.inner = nn.Linear(width, width)\n\n"
         "    def forward(self, x):\n        return self.inner(x)\n",
         "def Net():\n    from net import Net\n\n    return Net()\n"),
    ),
}  # fmt: skip
BY_NAME = {
    **TWO_FILES,
    "train.py": edited(
        TWO_FILES["train.py"],
        ("from net import Net\n", "import importlib\n\nNet = importlib.import_module('net').Net\n"),
    ),
}
FORMS = {
    "a module beside it": (TWO_FILES, "net.py", "self.inner(x)"),
    "a package": (PACKAGE, "parts/net.py", "self.inner(x)"),
    "a folder without __init__": (NAMESPACE, "parts/net.py", "self.inner(x)"),
    "imported inside a function": (LAZY, "net.py", "self.inner(x)"),
    "imported by its name": (BY_NAME, "net.py", "self.inner(x)"),
}
forms = pytest.mark.parametrize(("files", "name", "old"), FORMS.values(), ids=FORMS)


@forms
def test_a_candidate_gets_its_own_modules_and_not_the_baselines(tmp_path, files, name, old):
    changed = {**files, name: edited(files[name], (old, f"{old} * 2"))}
    gates = pair(tmp_path, changed, files).gates(*GATES)
    assert failed(gates) == set(GATES) - {"initial state"}


@forms
def test_equal_scripts_of_several_files_pass(tmp_path, files, name, old):
    gates = pair(tmp_path, files, files).gates(*GATES)
    assert not failed(gates), findings(gates)


def test_a_constant_of_a_nested_module_is_each_scripts_own(tmp_path):
    changed = {**PACKAGE, "parts/shapes.py": "WIDTH = 4\nWIDTH += 0\nLR = 1\n"}
    louder = {
        **changed,
        "parts/net.py": edited(
            PACKAGE["parts/net.py"],
            ("WIDTH\n", "WIDTH, LR\n"),
            ("self.inner(x)", "self.inner(x) + LR"),
        ),
    }
    assert failed(pair(tmp_path, louder, PACKAGE).gates("training")) == {"training"}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_verdict_does_not_depend_on_how_many_jobs_run_at_a_time(tmp_path, jobs):
    scripts = pair(tmp_path, {**TWO_FILES, "net.py": OTHER_NET}, TWO_FILES)
    only = [word for gate in GATES for word in ("--only", gate)]
    code, document = scripts.document("--jobs", jobs, *only)
    verdicts = {gate["gate"]: gate["verdict"] for gate in document["gates"]}
    assert code == 1
    assert {name for name, verdict in verdicts.items() if verdict == "fail"} == {*GATES[1:]}


def test_two_scripts_of_one_folder_share_its_modules(tmp_path):
    scripts = pair(tmp_path, TWO_FILES, TWO_FILES)
    folder = tmp_path / "candidate"
    (folder / "other.py").write_text(edited(TWO_FILES["train.py"], ('"LR", 0.1', '"LR", 0.2')))
    beside = type(scripts)(scripts.candidate, str(folder / "other.py"), scripts.probe)
    gates = beside.gates("initial state", "loss and gradients", "training")
    assert failed(gates) == {"training"}
    assert "lr" in findings(gates)[0]


@pytest.mark.parametrize(("outer", "inner"), [("candidate", "baseline"), ("baseline", "candidate")])
def test_one_folder_may_lie_inside_the_other(tmp_path, outer, inner):
    scripts = pair(tmp_path / "p", {**TWO_FILES, "net.py": OTHER_NET}, TWO_FILES)
    (tmp_path / "p" / inner).rename(tmp_path / "p" / outer / "old")
    places = {outer: f"{tmp_path}/p/{outer}/train.py", inner: f"{tmp_path}/p/{outer}/old/train.py"}
    nested = type(scripts)(places["baseline"], places["candidate"], scripts.probe)
    gates = nested.gates(*GATES)
    assert failed(gates) == set(GATES) - {"initial state"}, findings(gates)


@pytest.mark.parametrize("at", ["sys.path.insert(0, OTHER)\n", "sys.path.append(OTHER)\n"])
def test_a_module_of_the_other_side_that_is_loaded_in_the_end_is_refused(tmp_path, at):
    plant = f"OTHER = {str(tmp_path / 'baseline')!r}\n{at}import helper\n"
    mixed = {
        **TWO_FILES,
        "train.py": edited(
            TWO_FILES["train.py"], ("from net import Net\n", f"{plant}from net import Net\n")
        ),
    }
    helped = {**TWO_FILES, "helper.py": ""}
    with pytest.raises(CannotCheckError, match="the candidate ran with helper of the other"):
        pair(tmp_path, mixed, helped).gates("training")


def test_a_module_that_is_imported_after_training_counts_too(tmp_path):
    late = f"    sys.path.append({str(tmp_path / 'baseline')!r})\n    import helper\n"
    mixed = {
        **TWO_FILES,
        "train.py": edited(
            TWO_FILES["train.py"], ("    model.eval()\n", f"{late}    model.eval()\n")
        ),
    }
    with pytest.raises(CannotCheckError, match="helper of the other script's folder"):
        pair(tmp_path, mixed, {**TWO_FILES, "helper.py": ""}).gates("training")


def test_a_script_may_end_with_sys_exit_and_still_be_refused_for_the_others_module(tmp_path):
    late = (
        f"    sys.path.append({str(tmp_path / 'baseline')!r})\n    import helper\n    sys.exit(0)\n"
    )
    mixed = {
        **TWO_FILES,
        "train.py": edited(
            TWO_FILES["train.py"], ("    model.eval()\n", f"{late}    model.eval()\n")
        ),
    }
    with pytest.raises(CannotCheckError, match="helper of the other script's folder"):
        pair(tmp_path, mixed, {**TWO_FILES, "helper.py": ""}).gates("training")


def test_the_command_line_says_so_in_one_line(tmp_path):
    plant = f"sys.path.insert(0, {str(tmp_path / 'baseline')!r})\nimport helper\n"
    mixed = {
        **TWO_FILES,
        "train.py": edited(
            TWO_FILES["train.py"], ("from net import Net\n", f"{plant}from net import Net\n")
        ),
    }
    done = pair(tmp_path, mixed, {**TWO_FILES, "helper.py": ""}).command("--only", "training")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert "the candidate ran with helper of the other script's folder" in done.stderr
