"""pytest tests/verify/test_cli.py — bad usage is one line; exit codes are those of the design."""

import json
import subprocess
import sys

import pytest

from goldenseal.config import python_path


def goldenseal(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "goldenseal", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_version_is_the_packages(root):
    from goldenseal import __version__

    assert goldenseal("--version", cwd=root).stdout == f"goldenseal {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--only", "weather"], "no such gate; the gates are knobs, "),
        (["verify", "--baseline", "a.py"], "there is no command: give it after `--`"),
        (["knobs", "vit"], "no system is called vit"),
        (["check", "nowhere"], "nowhere is not a folder"),
        (["reproduce", "xyz"], "'xyz' is no prefix of an identity"),
        (["reproduce", "0" * 40], "no sealed record begins with"),
        (["record", "gpt", "out", "--set", "DEPTH=3"], "DEPTH is no knob of gpt"),
        (["record", "gpt", "out", "--set", "DEPTH"], "--set DEPTH: expected NAME=value"),
        (["reproduce", "0" * 40, "--set", "DATA_PATH"], "--set DATA_PATH: expected NAME=value"),
        (["record", "gpt", "verify"], "exists: a record is made once, in a new folder"),
        (["record", "gpt", "out", "--set", "NUM_LAYERS=0"], "NUM_LAYERS=0 is out of range"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_usage_is_one_line_and_exit_code_two(root, arguments, message):
    done = goldenseal(*arguments, cwd=root)
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (root / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere"], "nowhere is not a folder"),
        (["check", "no\nwhere\x1b[31m"], "no\\nwhere\\x1b[31m is not a folder"),
        (["check", b"no\xffwhere"], "no\\udcffwhere is not a folder"),
        (["check", "x" * 300], "x: File name too long"),
        (["check", "--jsn"], "No such option: --jsn"),
        (["chek"], "No such command 'chek'"),
        (["claims", "--html", "no/such/place.html"], "no/such is no folder: make it first"),
    ],
)
def test_whatever_is_typed_an_error_is_one_line_and_one_json_document(root, arguments, message):
    done = goldenseal(*arguments, "--json", cwd=root / "tests/fixtures/keys")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
    said = json.loads(done.stdout)
    assert said.keys() == {"error", "exit_code"}
    assert said["exit_code"] == 2


SMALL = "{0}/records/track_cpu_small/2026-11-23_SmallGPT"
HERE = [sys.executable, "-m", "goldenseal"]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("mkdir a; cd a; rmdir ../a; {0} check all", 2, "typed is no longer there"),
        ("{0} --help > /dev/full", 3, "No space left on device"),
        ("{0} --help | true", 3, ""),
        ("{0} --help >&-", 0, ""),
        ("PYTHONIOENCODING=ascii {0} --help > /dev/null", 0, ""),
    ],
)
def test_a_place_or_an_output_that_fails_is_no_verdict(root, tmp_path, line, code, said):
    done = subprocess.run(
        ["bash", "-c", line.replace("{0}", " ".join(HERE)) + "; exit ${PIPESTATUS[0]}"],
        cwd=tmp_path,
        env={"PYTHONPATH": python_path(root), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == bool(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("record x -- head -c 300000 /dev/zero", "nothing was sealed"),
        ("record --from {0}/tests/fixtures/runs/tensorboard x", "cannot be written"),
        (
            "export {0}/records/track_cpu_small/2026-11-23_SmallGPT --ro-crate x",
            "x cannot be written",
        ),
        ("export {0}/records/track_cpu_small/2026-11-23_SmallGPT --ro-crate x.zip", "be written"),
    ],
)
def test_a_full_disk_is_one_line_about_what_is_written_and_leaves_nothing(
    root, tmp_path, line, said
):
    """A limit on the size of a file stands for the disk; the error is another of its family."""
    typed = f"ulimit -f 1; {' '.join(HERE)} {line.replace('{0}', str(root))}"
    done = subprocess.run(
        ["bash", "-c", typed],
        cwd=tmp_path,
        env={
            "PYTHONPATH": python_path(root),
            "PATH": "/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (2, 3), done.stderr
    last = done.stderr.replace("\0", "")
    assert "File too large" in last
    assert said in last
    assert "Traceback" not in last
    assert list(tmp_path.iterdir()) == []


def test_a_bug_is_not_a_broken_promise(root):
    code = "import goldenseal.records.command as c; c.check = 1; from goldenseal.cli import main"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; main()", "check", "all", "--json"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    assert json.loads(done.stdout)["exit_code"] == 3


def test_outside_a_repository_the_error_says_what_is_missing(tmp_path, root):
    done = subprocess.run(
        [sys.executable, "-m", "goldenseal", "knobs"],
        cwd=tmp_path,
        env={"PYTHONPATH": python_path(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no pyproject.toml with a [tool.goldenseal] table" in done.stderr


def test_the_list_of_gates_is_the_ladder_then_the_repository(root):
    shown = goldenseal("verify", "--list", cwd=root).stdout
    places = [
        shown.index(name) for name in ("knobs", "operations", "liveness", "theorems", "seals")
    ]
    assert places == sorted(places)


def test_knobs_as_json_hold_every_master_with_its_default(root):
    rows = json.loads(goldenseal("knobs", "--json", cwd=root).stdout)
    masters = {row["name"]: row["default"] for row in rows if row["master"]}
    some = {"PHINTA_ENABLE": "0", "UT_LOOPS": "1", "PHI_LR_SCALE": "1.0", "RUN_LOG": "0"}
    assert some.items() <= masters.items()
    assert len(masters) == len({row["feature"] for row in rows if row["master"]})


def test_a_misspelt_variable_stops_the_training_before_anything_is_loaded(root, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "train_gpt_style.gpt"],
        cwd=tmp_path,
        env={"PYTHONPATH": python_path(root), "PATH": "/usr/bin:/bin", "PHINTA_ENABEL": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "did you mean PHINTA_ENABLE?" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [
        ("scipy", ["sweep", "plan", "sweeps/small_cpu.toml", "--folder", "{tmp}"], "study"),
        ("torch", ["verify", "--list"], "gates"),
    ],
)
def test_a_package_that_is_missing_is_named_with_what_installs_it(
    root, tmp_path, package, arguments, extra
):
    code = f"import sys; sys.modules[{package!r}] = None; from goldenseal.cli import main; main()"
    words = [word.replace("{tmp}", str(tmp_path / "plan")) for word in arguments]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr == f"goldenseal: this needs {package}: pip install 'goldenseal[{extra}]'\n"


def test_a_unit_is_shown_and_no_style_of_the_table(root):
    shown = goldenseal("knobs", "gpt", cwd=root).stdout
    assert "[steps]" in shown
    assert "[W]" in shown
