"""pytest tests/packaging/test_action.py — the shell steps of action.yml, as a forge runs them."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from goldenseal.ci.reports import markdown, sarif, shown_at
from tests.packaging import foreign

BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")  # what GitHub means by `shell: bash`


@pytest.fixture(scope="module")
def action(root):
    return yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))


@pytest.fixture
def forge(action, empty, tmp_path):
    """A function that runs both steps with these inputs: (exit code, outputs, summary, log)."""
    folder, variables = empty
    (tmp_path / "temp").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(folder / "bin" / "python")
    files = {name: tmp_path / "temp" / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.touch()
    common = {**variables, **{name: str(path) for name, path in files.items()}}
    common |= {"RUNNER_TEMP": str(tmp_path / "temp"), "OMP_NUM_THREADS": "1"}
    common["PATH"] = f"{folder / 'bin'}:{variables['PATH']}"

    def run(**inputs):
        log = ""
        values = {name: each.get("default", "") for name, each in action["inputs"].items()} | inputs
        for step in action["runs"]["steps"]:
            given = {"github.action_path": "/nowhere"}
            given |= {f"inputs.{name}": value for name, value in values.items()}
            own = {
                name: given[text.removeprefix("${{ ").removesuffix(" }}")]
                for name, text in step["env"].items()
            }
            script = tmp_path / "temp" / "step.sh"
            script.write_text(step["run"])
            done = subprocess.run(
                [*BASH, str(script)],
                env={**common, **own},
                cwd=tmp_path / "work",
                capture_output=True,
                text=True,
                check=False,
            )
            log += done.stdout + done.stderr
            if done.returncode:
                break
        told = {name: path.read_text() for name, path in files.items()}
        return done.returncode, told["GITHUB_OUTPUT"], told["GITHUB_STEP_SUMMARY"], log

    return run, tmp_path / "work"


PAIR = {"baseline": "baseline.py", "candidate": "candidate.py", "probe": "probe.toml"}
ASKED = {**PAIR, "only": "initial state\n", "options": "--only 'random numbers'", "install": "none"}


def test_a_good_pair_passes_with_its_table_as_summary(forge):
    run, work = forge
    foreign.write_pair(work)
    code, output, summary, log = run(**ASKED, sarif="found.sarif")
    assert code == 0, log
    assert output == "verdict=pass\n"
    assert "### Goldenseal: 2 of 2 gates pass" in summary
    assert "✅ pass | initial state" in summary
    assert json.loads((work / "found.sarif").read_text())["runs"][0]["results"] == []


def test_a_fault_fails_the_step_by_default_and_only_then(forge):
    run, work = forge
    foreign.write_pair(work, rate=foreign.FAULT)
    code, output, summary, _ = run(**ASKED, sarif="found.sarif")
    assert (code, output) == (1, "verdict=fail\n")
    assert "❌ FAIL | initial state" in summary
    (run_of,) = json.loads((work / "found.sarif").read_text())["runs"]
    assert run_of["results"][0]["level"] == "error"
    assert run_of["results"][0]["ruleId"] == "initial state"
    code, output, _, _ = run(**{**ASKED, "only": "initial state", "fail": "false"})
    assert (code, output) == (0, "verdict=fail\n" * 2)


def test_bad_input_fails_with_its_reason_as_summary(forge):
    run, work = forge
    foreign.write_pair(work)
    code, output, summary, _ = run(**{**ASKED, "candidate": "gone $(touch hacked).py"})
    assert (code, output) == (2, "verdict=bad input\n")
    assert "gone $(touch hacked).py is no .py file that is there" in summary
    assert not (work / "hacked").exists()


def test_what_is_installed_is_the_action_itself_with_the_extra(action, tmp_path):
    """pip is a stand-in that says what it was asked for."""
    (step, _) = action["runs"]["steps"]
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@" >> asked.txt\n')
    (tmp_path / "python").chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    for install in ("", "none", "goldenseal[gates]==1\ntorch==2.4.0"):
        own = {"INSTALL": install, "ACTION": "/actions/goldenseal", "PATH": path}
        subprocess.run([*BASH, "-c", step["run"]], env=own, cwd=tmp_path, check=True)
    asked = (tmp_path / "asked.txt").read_text().splitlines()
    assert [line.split()[-1] for line in asked] == [
        "/actions/goldenseal[gates]",
        "goldenseal[gates]==1",
        "torch==2.4.0",
    ]


def test_no_input_stands_in_a_script(action):
    """It would be executed: inputs reach the scripts as variables only."""
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"]
        read = subprocess.run([*BASH, "-n"], input=step["run"], text=True, check=False)
        assert read.returncode == 0
    if shutil.which("shellcheck"):
        for step in action["runs"]["steps"]:
            subprocess.run(
                ["shellcheck", "-s", "bash", "-"], input=step["run"], text=True, check=True
            )


def test_revisions_and_a_command_are_inputs_too(forge):
    run, work = forge
    (work / "train.py").write_text(
        foreign.BASELINE + "\n\nif __name__ == '__main__':\n    main()\n"
    )
    (work / "data").mkdir()
    (work / "data" / "target.txt").write_text("1")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(work))
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "one")):
        subprocess.run([*git, *words], check=True)
    faulty = (work / "train.py").read_text().replace("lr=0.1", "lr=0.2")
    (work / "train.py").write_text(faulty)
    subprocess.run([*git, "commit", "-qam", "two"], check=True)
    asked = {"baseline": "HEAD~1", "candidate": "HEAD", "command": "python train.py"}
    asked |= {"only": "training\n", "install": "none", "sarif": "found.sarif"}
    code, output, summary, log = run(**asked)
    assert (code, output) == (1, "verdict=fail\n"), log
    assert "is 0.2, expected 0.1" in summary
    document = json.loads((work / "found.sarif").read_text())
    assert_is_sarif(document)
    (first, *_) = document["runs"][0]["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "train.py"
    assert place["region"]["startLine"] > 1
    code, output, _, _ = run(**{**asked, "candidate": "HEAD~1"})
    assert (code, output) == (0, "verdict=fail\nverdict=pass\n")


def assert_is_sarif(document):
    """What section 3 of SARIF 2.1.0 asks of the objects that are written here."""
    assert document["version"] == "2.1.0"
    for run in document["runs"]:
        driver = run["tool"]["driver"]
        assert isinstance(driver["name"], str)
        rules = [rule["id"] for rule in driver["rules"]]
        assert len(set(rules)) == len(rules)  # 3.19.23: unique
        for result in run["results"]:
            assert result["message"]["text"]
            assert result["level"] in ("none", "note", "warning", "error")
            assert result["ruleId"] in rules
            for location in result["locations"]:
                place = location["physicalLocation"]
                assert re.fullmatch(r"[\w.~/%-]+", place["artifactLocation"]["uri"])  # RFC 3986
                assert place["region"]["startLine"] >= 1


@pytest.mark.parametrize(
    ("candidate", "words", "file"),
    [
        ("new.py", (), "new.py"),
        ("HEAD", ("python", "src/train.py", "--x"), "src/train.py"),
        ("", ("python", "train.py"), "train.py"),
        (".", ("python", "train.py"), "train.py"),
        ("", ("python", "-m", "package"), "pyproject.toml"),
    ],
)
def test_a_finding_without_a_line_is_shown_at_the_script(candidate, words, file):
    assert shown_at(candidate, words) == file


def test_a_path_is_a_uri_in_sarif():
    outcome = {"gates": [gate("training", "fail", "lib/net.py:7: other", "no line")]}
    document = sarif(outcome, "my scripts/träin #1.py")
    assert_is_sarif(document)
    assert "my%20scripts" in str(document)


def gate(name, verdict, *findings):
    return {"gate": name, "verdict": verdict, "summary": "a | b", "findings": findings}


def test_a_table_and_sarif_hold_whatever_a_finding_says():
    outcome = {
        "gates": [
            gate(
                "training", "fail", "<img> `x` a|b\nnet.py:7: other", "no line", *map(str, range(9))
            ),
            gate("pairs", "not run"),
            gate("knobs", "pass"),
        ]
    }
    table = markdown(outcome)
    assert "<img>" not in table
    assert len(table.strip().splitlines()) == 2 + 2 + 3
    assert "… 3 more" in table
    found = sarif(outcome, "src/candidate.py")["runs"][0]
    assert len(found["results"]) == 12
    assert [r["level"] for r in found["results"]] == ["error"] * 11 + ["warning"]
    where = [r["locations"][0]["physicalLocation"] for r in found["results"][:2]]
    assert where[0]["artifactLocation"]["uri"] == "src/net.py"
    assert where[0]["region"]["startLine"] == 7
    assert where[1]["artifactLocation"]["uri"] == "src/candidate.py"


def test_command_and_options_are_split_as_a_shell_would_and_never_executed(action, tmp_path):
    """goldenseal is a stand-in that says what it was asked for."""
    (_, step) = action["runs"]["steps"]
    (tmp_path / "python").write_text('#!/bin/sh\nfor word; do echo "<$word>"; done > asked.txt\n')
    (tmp_path / "python").chmod(0o755)
    names = dict.fromkeys(step["env"], "")
    names |= {"COMMAND": "python t.py --name 'a b' \"$(touch hacked)\"", "OPTIONS": "--link data"}
    names |= {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    own = {**names, "RUNNER_TEMP": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run([*BASH, "-c", step["run"]], env=own, cwd=tmp_path, check=True)
    asked = (tmp_path / "asked.txt").read_text().splitlines()
    assert asked[:3] == ["<-m>", "<goldenseal>", "<verify>"]
    assert "<--baseline>" not in asked
    assert asked[-8:] == [
        "<--link>",
        "<data>",
        "<-->",
        "<python>",
        "<t.py>",
        "<--name>",
        "<a b>",
        "<$(touch hacked)>",
    ]
    assert not (tmp_path / "hacked").exists()
