"""pytest tests/train_gpt_style/test_every_system.py — what holds of each registered system.

A new system gets all of this by its table in pyproject.toml; the toy of the tests gets it too. Runs
that are killed and go on: test_killed_runs.py and test_checkpoints_refused.py.
"""

import ast
import dataclasses
import json
import subprocess
from pathlib import Path

import pytest
import torch

from tests.patience import patience
from tests.train_gpt_style import frozen_knobs
from tests.train_gpt_style.cases import ROOT, TOY, process
from tests.train_gpt_style.forks import KEPT
from train_gpt_style.kit import entry
from train_gpt_style.kit.source import files_of
from verify.bundle import make_bundle, read_bundle, write_bundle
from verify.errors import UsageError
from verify.knobs import check_declarations
from verify.runlog import deterministic, read_run_log
from verify.source import read_source
from verify.suite import LADDER, run_ladder

LOADED = """\
import json, runpy, sys
module, out = sys.argv[1:]
sys.argv = ["train"]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except SystemExit as end:
    code = end.code
loaded = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
with open(out, "w") as file:
    json.dump([code, [path for path in loaded if path]], file)
"""
ALONE = """\
import runpy, sys
sys.path.append({packages!r})
for name in ("verify", "train_gpt_style", "tests"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    sys.exit(f"{{name}} can be imported: this shows nothing")
sys.argv = [{bundle!r}]
runpy.run_path({bundle!r}, run_name="__main__")
"""
# covered.txt has no operation that puts the bytes of real images in order.
PORTABLE = {
    "soup_student": {"DATA_DIR": "", "TARGETS": "", "SOUP": "", "SYNTHETIC_IMAGES": "32"},
    "vit_rft": {"DATA_DIR": "", "SYNTHETIC_IMAGES": "32"},
}
WEIGHTS = "final_model.safetensors"


def finished(case, folder, environ, *command):
    """A real process that trained, in a new folder."""
    folder.mkdir(exist_ok=True)
    command, keywords = process(case, environ, *command)
    done = subprocess.run(
        command, cwd=folder, capture_output=True, check=False, timeout=patience(300), **keywords
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done


# -- declarations ---------------------------------------------------------------------------------


def test_the_declarations_are_consistent(case):
    system = case.system
    check_declarations(system.baseline_knobs, [f.declaration for f in system.features])
    assert len({knob.name for knob in system.knobs}) == len(system.knobs)
    names = {feature.declaration.name for feature in system.features}
    assert {"autocast", "checkpoint", "finite", "runlog"} <= names
    assert system.features[-1].declaration.name == "checkpoint"  # it holds what the others wrote


def test_every_knob_of_the_baseline_keeps_its_place_default_and_range(case):
    fields = dataclasses.fields(case.probe.baseline.load().Hyperparameters)
    theirs = [
        (f.metadata["env"], f.type, f.default, f.metadata.get("low"), f.metadata.get("high"))
        for f in fields
    ]
    ours = [(k.name, k.type, k.default, k.low, k.high) for k in case.system.baseline_knobs]
    assert theirs == ours


def test_the_frozen_list_of_knobs_is_unchanged(case):
    golden = ROOT / f"tests/golden/knobs_{case.system.name}.txt"
    frozen_knobs.check(case.system.knobs, case.system.features, golden)


def test_pyproject_and_the_system_say_the_same(case):
    assert case.entry.module == case.system.package
    assert case.entry.name == case.system.name == case.probe.name
    if case.entry is not TOY:
        assert case.entry.local_knobs == case.system.paths
        assert case.entry.place_knobs == ("CHECKPOINT_DIR",)


def test_a_system_with_paths_says_what_lies_there(case):
    sizes = case.system.data(case.system.read(case.environ))
    assert bool(sizes) == bool(case.system.paths)
    assert all(type(size) is int for size in sizes.values())


def test_the_command_is_two_lines(case):
    path = ROOT.joinpath(*case.entry.module.split("."), "__main__.py")
    docstring, *rest = ast.parse(path.read_text(encoding="utf-8")).body
    code = [node for node in rest if not isinstance(node, ast.ImportFrom)]
    assert isinstance(docstring.value.value, str)
    assert [ast.unparse(node).partition("(SYSTEM")[0] for node in code] == ["command"]


def test_a_system_imports_no_other(case):
    folder = ROOT.joinpath(*case.entry.module.split("."))
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("train_gpt_style"):
                allowed = (case.entry.module, "train_gpt_style.kit", "train_gpt_style.geometry")
                assert node.module.startswith(allowed), f"{path} imports {node.module}"


# -- the ladder -----------------------------------------------------------------------------------


def test_every_rung_passes(case):
    """The toy's are run here; of the others, `make verify` runs them and says so in smoke.log."""
    if case.entry is TOY:
        results = run_ladder(case.probe, [], lambda done, total: None, workers=1)
        assert [(r.gate, r.verdict.value, r.findings) for r in results] == [
            (gate, "pass", ()) for gate in LADDER
        ]
        return
    seen = (ROOT / "smoke.log").read_text(encoding="utf-8")
    for gate in LADDER:
        assert f"\npass    {case.entry.name}: {gate} " in seen, gate


# -- the command ----------------------------------------------------------------------------------


def test_help_names_the_command_and_an_example(case):
    done = finished(case, ROOT, {}, "-P", "-m", case.entry.module, "--help")
    assert f"python -m {case.entry.module}" in done.stdout
    assert "goldenseal knobs" in done.stdout
    assert "example: " in done.stdout.lower()


def bad_settings(system):
    """Each knob beyond its range, or of another type, and one that is almost a knob."""
    for knob in system.knobs:
        if knob.low is not None:
            yield knob.name, knob.text(knob.type(knob.low - 1)), f"at least {knob.low:g}"
        if knob.high is not None:
            yield knob.name, knob.text(knob.type(knob.high * 2 + 1)), f"at most {knob.high:g}"
        if knob.choices:
            yield knob.name, "elsewise", f"one of {', '.join(knob.choices)}"
        if knob.type is not str:
            yield knob.name, "some", "0 or 1" if knob.type is bool else "a"
    yield "CHECKPOINT_EVER", "1", "did you mean CHECKPOINT_EVERY"


def test_a_bad_setting_is_one_line_that_names_the_knob_and_what_is_legal(case):
    tried = 0
    for name, text, words in bad_settings(case.system):
        with pytest.raises(UsageError) as caught:
            case.system.read({**case.environ, name: text})
        message = str(caught.value)
        assert message.startswith(f"{name}"), message
        assert words in message
        assert "\n" not in message
        tried += 1
    assert tried > 10


def test_a_refused_run_leaves_nothing_behind(case, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in {**case.environ, "SEED": "-1"}.items():
        monkeypatch.setenv(name, value)
    assert entry.cli(case.system, []) == 2
    assert capsys.readouterr().err.startswith("error: SEED=-1 is out of range: it must be ")
    monkeypatch.setenv("SEED", "1")
    monkeypatch.setenv("NUMERICS", "portable")
    assert entry.cli(case.system, []) == 2
    assert "enter the lane before the first import of torch" in capsys.readouterr().err
    assert entry.cli(case.system, ["--nonsense"]) == 2
    assert "--nonsense" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_settings_spelled_out_read_back_the_same(case):
    settings = case.system.read(case.everything)
    assert dict(case.system.read(settings.as_environment())) == dict(settings)
    assert [f.declaration.name for f in case.system.read(case.environ).features] == []
    assert len(settings.features) == len(case.system.features) - 1


# -- source, lane, bundle: real processes ---------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What real runs of a system wrote and had loaded, by system; run once."""
    return {}


@pytest.fixture
def real(case, runs, tmp_path_factory):
    """Runs that between them come to every late import: (folder, loaded files) by name."""
    name = case.entry.name
    if name not in runs:
        logged = {**case.environ, **KEPT}
        environs = {
            "logged": logged,
            "portable": {**logged, **PORTABLE.get(name, {}), "NUMERICS": "portable"},
            "everything": {**case.everything, "CHECKPOINT_EVERY": "1"},
        }
        found = {}
        for label, environ in environs.items():
            folder = tmp_path_factory.mktemp(label)
            loaded = folder / "loaded.json"
            finished(case, folder, environ, "-P", "-c", LOADED, case.entry.module, loaded)
            code, paths = json.loads(loaded.read_text())
            assert code == 0, label
            found[label] = folder, {Path(path) for path in paths}
        runs[name] = found
    return runs[name]


def test_the_source_is_what_real_runs_load_nothing_less_and_nothing_more(case, real):
    listed = set(files_of(case.entry.module))
    tops = {path.relative_to(ROOT).parts[0] for path in listed}
    found = {
        path
        for _, loaded in real.values()
        for path in loaded
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in tops
    }
    assert found <= listed, f"loaded, not in the source: {sorted(found - listed)}"
    never = {path for path in listed - found if path.suffix == ".py"}
    assert not never, f"in the source, loaded by no run: {sorted(never)}"


def test_the_source_is_the_bundles_and_is_sealed_with_every_record(case):
    listed = [path.relative_to(ROOT).as_posix() for path in files_of(case.entry.module)]
    assert listed == sorted(listed)
    assert listed == sorted(make_bundle(ROOT, case.entry).files)
    assert case.entry is TOY or set(listed) <= set(read_source(ROOT).files)


def test_a_lane_is_entered_before_torch_and_named_in_the_log(real):
    for label, lane in (("logged", "native"), ("portable", "portable")):
        header = read_run_log(real[label][0] / "train.jsonl")[0]
        assert header["numeric_class"]["lane"] == header["knobs"]["NUMERICS"] == lane


def test_no_path_of_this_machine_is_in_the_log(case, real):
    header = read_run_log(real["logged"][0] / "train.jsonl")[0]
    assert header["system"] == case.entry.name
    assert not any(value.startswith("/") for value in header["knobs"].values())
    assert not {*case.system.paths, "CHECKPOINT_DIR"} & set(header["knobs"])


def test_a_bundle_alone_in_an_empty_folder_trains_the_same(case, real, tmp_path):
    bundle, folder = tmp_path / "train.py", tmp_path / "run"
    write_bundle(make_bundle(ROOT, case.entry), bundle)
    unfit = ("cli", "gates/", "probe", "figures", "baseline", "check_run", "kit/data")
    held = read_bundle(bundle.read_bytes(), "b").files
    assert not [name for name in held if any(word in name for word in unfit)]
    packages = str(Path(torch.__file__).parents[1])
    script = ALONE.format(packages=packages, bundle=str(bundle))
    environ = {**case.environ, "RUN_LOG": "1", "RUN_LOG_STATE_EVERY": "1"}
    finished(case, folder, environ, "-I", "-S", "-B", "-c", script)
    theirs, ours = real["logged"][0], folder
    assert (theirs / WEIGHTS).read_bytes() == (ours / WEIGHTS).read_bytes()
    logs = [
        [deterministic(line) for line in read_run_log(f / "train.jsonl")] for f in (theirs, ours)
    ]
    assert logs[0][1:] == logs[1][1:]  # the first lines differ in CHECKPOINT_EVERY
    assert sum("state" in line for line in logs[1]) > 2
