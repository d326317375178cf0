"""pytest tests/verify/ladder/gates/test_commands.py

A revision or a folder for each side, and a command: each runs as `__main__`, alone.
"""

import json
import subprocess
import sys

import pytest

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.ladder import description, recordings
from goldenseal.ladder.suite import run_commands
from goldenseal.result import Verdict
from tests.foreign.pairs import idioms, judge
from tests.verify.scripts import ONE_FILE, TWO_FILES, edited

TORN = edited(ONE_FILE, ('"step", step, loss.item()', '"at", os.urandom(4).hex(), step'))
UNSEEDED = edited(ONE_FILE, ("torch.manual_seed(0)", "torch.seed()"))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The gates on two folders of files: their results by name."""

    def judged(candidate, baseline=ONE_FILE, only=(), written="", words=("python", "train.py")):
        for side, files in (("baseline", baseline), ("candidate", candidate)):
            for name, text in ({"train.py": files} if isinstance(files, str) else files).items():
                place = tmp_path / side / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "goldenseal.toml").write_text(written)
        (tmp_path / "sides").mkdir()
        read, file = description.read(None)
        sides = tmp_path / "sides"
        probe = description.probe_of(read, file, sides, "./baseline", "./candidate", words)
        return {r.gate: r for r in run_commands(probe, only, lambda *told: None, 1)}

    return judged


def texts(results):
    return [text for result in results.values() for text in result.findings]


def test_each_side_has_its_own_modules(run):
    other = {**TWO_FILES, "net.py": edited(TWO_FILES["net.py"], ("(x)", "(x) * 2"))}
    results = run(other, TWO_FILES, ["operations"])
    assert "aten.mul" in texts(results)[0]
    assert "net.py:" in texts(results)[0]
    assert not [name for name in sys.modules if name in ("net", "train")]


@pytest.mark.parametrize("side", ["baseline", "candidate"])
def test_a_module_of_the_original_folder_of_either_side_is_refused(
    run, tmp_path, monkeypatch, side
):
    """As where PYTHONPATH, or an editable install, points to one of the two."""
    package = {"lib/net.py": TWO_FILES["net.py"], "train.py": TWO_FILES["train.py"]}
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / side / "lib"))
    other = "baseline" if side == "candidate" else "candidate"
    with pytest.raises(CannotCheckError) as caught:
        refused(run(package, package, ["training"]))
    assert f"the {other} ran with net of {tmp_path / side / 'lib'}" in str(caught.value)
    assert "[files] pythonpath" in str(caught.value)
    monkeypatch.delenv("PYTHONPATH")


def refused(results):
    """Raise what a gate says that it could not judge."""
    raise CannotCheckError(" ".join(texts(results)))


@pytest.mark.parametrize("end", ["sys.exit(0)", "sys.exit()", "raise SystemExit"])
def test_a_script_that_exits_content_is_judged(run, end):
    ends = edited(ONE_FILE, ("    main()\n", f"    main()\n    {end}\n"))
    results = run(edited(ends, ('"LR", 0.1', '"LR", 0.2')), ends, ["training", "knobs"])
    assert "lr of inner.weight, inner.bias (all that it steps) is 0.2, expected 0.1" in str(
        texts(results)
    )
    assert "LR defaults to 0.2, in the baseline 0.1" in texts(results)


def test_any_other_exit_is_the_scripts_error_with_what_it_said_last(run):
    stops = edited(ONE_FILE, ("    main()\n", "    main()\n    print('no disk', file=sys.stderr)\n"
                   "    sys.exit(4)\n"))  # fmt: skip
    (finding,) = texts(run(stops))
    assert "the candidate stopped: SystemExit: 4" in finding
    assert finding.endswith("after it said: no disk")


def test_a_baseline_that_cannot_be_imported_is_one_line_with_where_was_looked(run):
    with pytest.raises(CannotCheckError) as caught:
        run(ONE_FILE, f"import nowhere_to_be_found\n{ONE_FILE}")
    assert "nowhere_to_be_found" in str(caught.value)
    assert "its imports were looked for in ." in str(caught.value)


def test_what_the_baseline_does_not_repeat_is_not_held_against_the_candidate(run):
    results = run(UNSEEDED, UNSEEDED)
    assert list(results) == ["command"]
    assert results["command"].verdict.value == "not run"
    assert "the baseline does not repeat itself" in texts(results)[0]


def test_a_candidate_that_lost_a_seed_is_told_so(run):
    """Its differences are others in each run: none of them is the cause."""
    drawn = "torch.manual_seed(int.from_bytes(os.urandom(4), 'big'))"
    results = run(edited(ONE_FILE, ("torch.manual_seed(0)", drawn)), only=["command", "training"])
    command = results["command"]
    assert command.verdict is Verdict.FAIL
    assert command.findings[0].startswith("the candidate does not repeat itself: initial state")


def test_training_in_a_process_of_the_scripts_own_is_said_not_to_be_seen(run):
    elsewhere = "torch.multiprocessing.get_context('fork').Process(target=main).start()"
    apart = edited(ONE_FILE, ('"__main__":\n    main()', f'"__main__":\n    {elsewhere}'))
    with pytest.raises(CannotCheckError, match="processes do that a script starts itself is not"):
        run(apart, apart, only=["command"])


def test_a_variable_that_is_missing_is_told_with_the_line_that_asks(run):
    """What Python froze into itself has a name that is no file, and lies nowhere."""
    asking = edited(ONE_FILE, ('"__main__":\n', '"__main__":\n    os.environ["NO_SUCH_NAME"]\n'))
    number = asking[: asking.index("    os.environ[")].count("\n") + 1
    with pytest.raises(CannotCheckError, match=rf"'NO_SUCH_NAME'.*, by train\.py:{number}"):
        run(asking, asking, only=["command"])


def test_a_run_that_does_not_end_is_ended_and_told(run, monkeypatch):
    """As one that goes on until its loss is small enough, and learns no more."""
    monkeypatch.setattr(recordings, "PATIENCE", 2.0)
    monkeypatch.setattr(recordings, "TIMES", 0)
    endless = edited(
        ONE_FILE, ("    model.eval()", "    while True:\n        pass\n    model.eval()")
    )
    results = run(endless, only=["command"])
    (found,) = results["command"].findings
    assert "as given: the candidate stopped: it was not over after 2 s" in found
    assert "the baseline took " in found


def test_a_candidate_that_differs_and_repeats_itself_is_no_matter_of_seeds(run):
    results = run(edited(ONE_FILE, ('"LR", 0.1', '"LR", 0.2')), only=["command", "training"])
    assert results["command"].verdict is Verdict.PASS
    assert results["training"].verdict is Verdict.FAIL


@pytest.mark.parametrize("side", ["baseline", "candidate"])
def test_a_syntax_error_is_told_by_its_own_line(run, side):
    broken = edited(ONE_FILE, ("    model.eval()\n", "      model.eval()\n"))
    sides = {"candidate": ONE_FILE, "baseline": ONE_FILE, side: broken}
    with pytest.raises(CannotCheckError) as caught:
        run(sides["candidate"], sides["baseline"], only=["command"])
    number = broken[: broken.index("      model.eval()")].count("\n") + 1
    assert f"the {side} is no Python: train.py:{number}: unindent does" in str(caught.value)
    assert "looked for" not in str(caught.value)


def test_lines_that_do_not_repeat_are_named_and_the_rest_is_judged(run):
    results = run(TORN, TORN, ["training", "command"])
    assert {name: r.verdict.value for name, r in results.items()} == {
        "command": "not run",
        "training": "pass",
    }
    assert "ignored_lines" in texts(results)[0]


FEATURE = """
[[feature]]
name = "louder"
env = { LOUDNES = 2 }
"""


def test_a_variable_that_nobody_reads_names_its_neighbour(run):
    louder = edited(ONE_FILE, ("LR = ", 'LOUDNESS = float(os.environ.get("LOUDNESS", 0))\nLR = '))
    results = run(louder, only=["knobs"], written=FEATURE)
    assert "LOUDNES is set and nobody reads it: did you mean LOUDNESS?" in texts(results)


def test_an_echo_of_an_option_is_text_and_never_acts(run):
    said = '    print(f"LOUDNES={LOUDNES}")\n    torch.manual_seed(0)'
    read = 'LOUDNES = float(os.environ.get("LOUDNES", 0))\nLR = '
    echo = edited(ONE_FILE, ("LR = ", read), ("    torch.manual_seed(0)", said))
    results = run(echo, only=["training", "liveness"], written=FEATURE)
    assert results["training"].verdict.value == "pass", texts(results)
    assert texts(results) == ["LOUDNES=2 changes nothing: dead knob"]


def probe_there(folder, baseline):
    read, file = description.read(None)
    command = ["python", "train.py"]
    return description.probe_of(read, file, folder / "sides", baseline, ".", command)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("scenario = 3", "scenario must be a list"),
        ("[[scenario]]\nranks = 'x'", "ranks must be an int"),
        ("[[scenario]]\nranks = 0", "ranks must be a whole number from 1"),
        ("[[features]]\nname = 'x'", "did you mean `feature`?"),
        ("[[feature]]\nname = 'x'\nkind = 'shouts'", "kind must be 'acts' or 'observes'"),
        ("[[feature]]\nname = 'x'", "is turned on by nothing"),
        ("[[feature]]\nname = 'x'\nargs = '--x'", "args must be a list of words"),
        ("[[feature]]\nname = 'x'\nenv = ['X']", "variables must be a table"),
        ("ignored_lines = ['(']", "is no regular expression"),
        ("[files]\nlink = ['data']", "there is no data"),
        ("[resume]\nargs = ['--x']", "needs `stop_after`"),
        ("[baseline]\nfolder = 'a'\nrevision = 'b'\n", "give one of them"),
        ("device = 'tpu'", "device must be"),
        ("colour = 'red'", "colour"),
    ],
)
def test_a_bad_description_is_one_line(tmp_path, monkeypatch, written, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "goldenseal.toml").write_text(written)
    (tmp_path / "train.py").write_text("")
    (tmp_path / "a").mkdir()
    (tmp_path / "sides").mkdir()
    with pytest.raises(UsageError) as caught:
        probe_there(tmp_path, "" if "[baseline]" in written else ".")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_the_command_line_holds_a_revision_against_the_working_tree(tmp_path):
    (tmp_path / "train.py").write_text(ONE_FILE)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    (tmp_path / "train.py").write_text(edited(ONE_FILE, ('"LR", 0.1', '"LR", 0.2')))
    verify = [sys.executable, "-m", "goldenseal", "verify", "--json", "--only", "training"]
    done = subprocess.run(
        [*verify, "--baseline", "main", "--", "python", "train.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "is 0.2, expected 0.1" in str(json.loads(done.stdout)["gates"])
    assert "recorded the baseline" in done.stderr
    assert "step 0" not in done.stderr + done.stdout.replace('"step', "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "train.py"]


NAMED = {
    "plain": ["the counter of the checkpoint is off by one", "the smoothing leaks into validation"],
    "optimizers": ["one Newton-Schulz step less"],
    "cuda_only": ["gradients are summed"],
}


@pytest.mark.parametrize(("name", "wanted"), NAMED.items(), ids=NAMED)
def test_an_idiom_passes_and_a_fault_of_it_is_named(tmp_path, name, wanted):
    table, _ = idioms()[name]
    correct = judge(name, table, tmp_path / "correct")
    assert correct.verdict.value == "pass", correct.findings
    for fault in table["fault"]:
        if fault["name"] in wanted:
            found = judge(name, table, tmp_path / fault["name"], fault)
            assert found.names(fault["named"]), found.findings


def test_every_idiom_has_faults_enough():
    for name, (table, _) in idioms().items():
        assert len(table["fault"]) >= 4, name
