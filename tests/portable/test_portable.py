"""pytest tests/portable — the trial of the portable lane; the whole of it is `make portable`."""

import importlib.util
import shutil

import pytest


@pytest.fixture(scope="module")
def trial(root):
    """benchmarks/portable.py as a module."""
    spec = importlib.util.spec_from_file_location("portable", root / "benchmarks" / "portable.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SMALL_PROGRAM = """
import torch
import torch.nn.functional as F
torch.manual_seed(5)
w = torch.nn.Parameter(torch.randn(48, 40))
adam = torch.optim.Adam([w], fused=True)
for _ in range(2):
    x = torch.randn(24, 48)
    F.cross_entropy(30 * torch.tanh(F.rms_norm(x @ w, (40,)) / 30), torch.arange(24)).backward()
    adam.step()
w.bfloat16() @ w.bfloat16().T
w.detach().abs().sqrt()
"""


@pytest.mark.skipif(
    shutil.which("qemu-x86_64") is None, reason="emulation needs qemu-user (qemu-x86_64)"
)
def test_a_cpu_without_fused_multiply_add_gives_the_same_bytes_up_to_the_forbidden_root(
    trial, tmp_path
):
    program = tmp_path / "program.py"
    program.write_text(SMALL_PROGRAM)
    system = trial.System("small", (str(program),))
    here = trial.run_all([system], trial.HOST, "portable", {}, tmp_path / "here")[system]
    there = trial.run_all([system], "SandyBridge", "portable", {}, tmp_path / "there")[system]
    assert len(trial.operations(here)) > 15
    place = trial.first_difference(here, there)
    assert place is None or place.partition(": ")[2].startswith("aten.sqrt.default"), place


def test_the_first_difference_names_operation_and_line(trial, tmp_path):
    left, right = tmp_path / "left", tmp_path / "right"
    left.write_text("aten.mm | [2,2] -> aa\naten.cos | [2] -> bb\n")
    right.write_text("aten.mm | [2,2] -> aa\naten.cos | [2] -> bc\n")
    assert trial.first_difference(left, left) is None
    assert trial.first_difference(left, right) == "2: aten.cos | [2]"


def test_a_trace_that_ends_early_is_different(trial, tmp_path):
    left, right = tmp_path / "left", tmp_path / "right"
    left.write_text("aten.mm | [2,2] -> aa\naten.cos | [2] -> bb\n")
    right.write_text("aten.mm | [2,2] -> aa\n")
    assert trial.first_difference(right, left) == "2: aten.cos | [2]"


def table(trial, tmp_path, digests, **options):
    """The contradictions of one system whose traces are `digests`, by CPU."""
    system = trial.System("toy", ("toy.py",), **options)
    traces = {}
    for model, text in digests.items():
        path = tmp_path / model.replace(" ", "-")
        path.write_text(f"aten.cos float32 | [2] -> {text}\n")
        traces[system, "portable", model] = path
    console = trial.Console(quiet=True)
    models = [model for model in digests if model != trial.HOST]
    return trial.tabulate([system], models, traces, console)


def test_a_cpu_that_differs_in_the_portable_lane_is_contradicted_by_name(trial, tmp_path):
    wrong = table(trial, tmp_path, {trial.HOST: "aa", "Haswell": "aa", "EPYC": "ab"})
    assert wrong == ["toy on EPYC differs at operation 1: aten.cos float32 | [2]"]


def test_a_trial_that_finds_no_difference_where_it_has_to_shows_nothing(trial, tmp_path):
    wrong = table(trial, tmp_path, {trial.HOST: "aa", "EPYC": "aa"}, must_differ=True)
    assert wrong == ["nothing differed where it had to: this trial cannot see differences"]


def test_a_run_that_fails_on_a_cpu_is_neither_equal_nor_different(trial, monkeypatch, capsys):
    def run_all(systems, model, lane, data, folder):
        if model == "EPYC":
            return {s: trial.RunFailed("toy on EPYC: exit -15: killed") for s in systems}
        folder.mkdir()
        (folder / "trace.txt").write_text("aten.cos.default float32 | [2] -> aa\n")
        return dict.fromkeys(systems, folder / "trace.txt")

    monkeypatch.setattr(trial, "run_all", run_all)
    monkeypatch.setattr(trial, "SYSTEMS", (trial.System("toy", ("toy.py",)),))
    monkeypatch.setattr(trial.shutil, "which", lambda name: name)
    assert trial.main(["--models", "Haswell,EPYC"]) == 3
    printed = capsys.readouterr().out
    assert "could not check: toy on EPYC: exit -15: killed" in printed
    assert "is equal on" not in printed


def test_an_operation_missing_from_the_list_is_reported(trial, tmp_path, monkeypatch):
    path = tmp_path / "trace.txt"
    path.write_text("aten.cos float32 | [2] -> aa\naten.sin float32 | [2] -> bb\n")
    (tmp_path / "covered.txt").write_text("aten.cos float32\n")
    monkeypatch.setattr(trial, "COVERED_FILE", tmp_path / "covered.txt")
    system = trial.System("toy", ("toy.py",))
    traces = {(system, "portable", trial.HOST): path}
    assert trial.check_covered([system], traces, False) == ["covered.txt lacks aten.sin float32"]
    assert trial.check_covered([system], traces, True) == []
    assert (tmp_path / "covered.txt").read_text() == "aten.cos float32\naten.sin float32\n"


def test_without_the_emulator_nothing_is_claimed(trial, monkeypatch, capsys):
    monkeypatch.setattr(trial.shutil, "which", lambda name: None)
    assert trial.main([]) == 3
    assert "could not check: qemu-x86_64 is not installed" in capsys.readouterr().out


def test_each_run_is_a_fork_in_its_own_folder_and_one_that_fails_leaves_the_others(trial, tmp_path):
    """And what it changes in its process is gone for the next."""
    good = tmp_path / "good.py"
    good.write_text(
        "import os, torch\n"
        "assert os.environ.pop('KNOB') == '1' and not hasattr(torch, 'mark')\n"
        "torch.mark = 1\n"
        "(torch.ones(2) + 1).sum()\n"
        "open('out.safetensors', 'w').write(os.environ['HOME'])\n"
    )
    bad, gone = tmp_path / "bad.py", tmp_path / "gone.py"
    bad.write_text("print('first')\nraise SystemExit('these are my last words')\n")
    gone.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    programs = {"a": good, "bad": bad, "gone": gone, "b": good}
    systems = [trial.System(name, (str(p),), {"KNOB": "1"}) for name, p in programs.items()]
    found = trial.run_all(systems, trial.HOST, "portable", {}, tmp_path / "runs")
    a, failed, killed, b = (found[system] for system in systems)
    assert a.read_text().count("aten.add") == b.read_text().count("aten.add") == 1
    assert "file out.safetensors -> " in a.read_text()
    assert a.parent != b.parent
    assert str(failed) == "bad on this CPU: exit 1: first / these are my last words"
    assert str(killed).startswith("gone on this CPU: exit -9")


def test_a_cpu_that_cannot_even_import_says_so_for_each_run(trial, tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "command", lambda model: ["/bin/sh", "-c", "echo no CPU; exit 4"])
    systems = [trial.System(name, ("toy.py",)) for name in ("one", "two")]
    found = trial.run_all(systems, "Nehalem", "portable", {}, tmp_path / "runs")
    assert [str(found[s]) for s in systems] == [
        f"{name} on Nehalem: exit 4: no CPU" for name in ("one", "two")
    ]
