"""pytest tests/verify/records/test_check_seal.py — the checker that lies in every record."""

import ast
import base64
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goldenseal.disk import canonical
from goldenseal.records import check_seal
from goldenseal.records.check import check
from goldenseal.records.seal import CHECKER, seal

SOURCE = Path(check_seal.__file__)


@pytest.fixture
def sealed(record):
    seal(record)
    return record


def run(folder, *options, arguments=(), cwd=None):
    return subprocess.run(
        [sys.executable, *options, folder / CHECKER, *arguments],
        cwd=cwd or folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_new_record_holds_the_checker_under_its_seal(sealed):
    assert (sealed / CHECKER).read_bytes() == SOURCE.read_bytes()
    assert f"  {CHECKER}\n" in (sealed / "SHA512SUMS").read_text()


@pytest.mark.parametrize("options", [(), ("-I",), ("-S",), ("-I", "-W", "error", "-X", "dev")])
def test_it_runs_in_the_folder_and_tells_the_identity(sealed, options):
    done = run(sealed, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"intact, 6 files, identity {check(sealed).identity}\n"
    assert not list(sealed.rglob("__pycache__"))


def test_it_judges_its_own_folder_from_anywhere_and_others_on_request(sealed, tmp_path):
    assert run(sealed, cwd="/").returncode == 0
    other = shutil.copytree(sealed, tmp_path / "copy")
    (other / "README.md").write_text("Another toy.\n")
    assert run(sealed, arguments=[other]).returncode == 1
    assert run(other).returncode == 1


def test_every_finding_is_a_line(sealed):
    (sealed / "new.txt").write_text("x")
    (sealed / "README.md").unlink()
    (sealed / "notes" / "one.txt").write_text("two\n")
    (sealed / "link").symlink_to("/etc/passwd")
    done = run(sealed)
    assert done.returncode == 1
    heads = [line.split(": ")[0] for line in done.stdout.splitlines()]
    assert heads == ["'link'", "new.txt is extra", "README.md is missing", "notes/one.txt changed"]


@pytest.mark.parametrize("arguments", [["nowhere"], ["a", "b"]])
def test_bad_usage_is_exit_code_2(sealed, arguments):
    done = run(sealed, arguments=arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_a_module_in_the_folder_is_not_imported_in_place_of_the_library(sealed):
    for name in ("hashlib", "json", "os", "base64", "stat", "unicodedata"):
        (sealed / f"{name}.py").write_text("raise SystemExit(0)\n")
    done = run(sealed)
    assert done.returncode == 1
    assert "hashlib.py is extra" in done.stdout


def test_names_that_the_terminal_cannot_show_do_not_crash_it(sealed):
    (sealed / "\u00fcber\u4e16").write_text("x")
    done = subprocess.run(
        [sys.executable, sealed / CHECKER],
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"\\xfcber\\u4e16 is extra" in done.stdout


def test_it_is_one_file_of_the_standard_library_in_python_3_9():
    tree = ast.parse(SOURCE.read_text(), feature_version=(3, 9))
    imported = set()
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Match)
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    assert imported <= sys.stdlib_module_names
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    assert "strict" not in keywords  # of zip, since 3.10


@pytest.mark.parametrize(
    "change",
    [
        {"payload": base64.b64encode(b"{}").decode()},
        {"payload": "not base64!"},
        {"payload": 7},
        {"payloadType": "text/plain"},
        {"signatures": []},
        {"signatures": None},
    ],
)
def test_a_signature_of_something_else_is_a_finding_of_both(sealed, change):
    envelope = {
        "payload": base64.b64encode((sealed / "seal.json").read_bytes()).decode(),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": "", "sig": ""}],
    }
    path = sealed / "seal.dsse.json"
    path.write_text(json.dumps(envelope))
    assert run(sealed).returncode == 0
    assert check(sealed).holds
    path.write_text(json.dumps(envelope | change))
    assert run(sealed).returncode == 1
    assert not check(sealed).holds


def test_an_own_file_of_that_name_is_not_overwritten(record):
    from goldenseal.errors import UsageError

    (record / CHECKER).write_text("print('mine')\n")
    with pytest.raises(UsageError, match=r"check_seal\.py is not the checker"):
        seal(record)
    assert (record / CHECKER).read_text() == "print('mine')\n"
    assert not (record / "SHA512SUMS").exists()


def reseal(folder, change):
    """Seal anew, with correct sums, a seal.json whose subjects were changed."""
    document = json.loads((folder / "seal.json").read_text())
    change({subject["name"]: subject["digest"] for subject in document["subject"]})
    (folder / "seal.json").write_bytes(canonical.dumps(document))
    lines = (folder / "SHA512SUMS").read_text().splitlines(keepends=True)
    new = hashlib.sha512((folder / "seal.json").read_bytes()).hexdigest()
    texts = [f"{new}  seal.json\n" if line.endswith("  seal.json\n") else line for line in lines]
    (folder / "SHA512SUMS").write_text("".join(texts))


def no_sha256(digests):
    for each in digests.values():
        del each["sha256"]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["README.md"].update(sha256=d["record.json"]["sha256"]),
        lambda d: d["README.md"].update(sha256="0" * 64),
        lambda d: d["README.md"].update(sha256=d["README.md"]["sha256"].upper()),
        lambda d: d["README.md"].update(sha256=""),
        lambda d: d["README.md"].update(sha256=None),
        lambda d: d["README.md"].update(sha256=["0" * 64]),
        lambda d: d["README.md"].pop("sha256"),
        lambda d: [d[n].pop("sha256") for n in sorted(d)[1:]],
    ],
)
def test_a_sha256_that_is_not_that_of_the_file_is_found_by_both_checkers(sealed, change):
    reseal(sealed, change)
    reasons = check(sealed).reasons()
    assert reasons
    assert all("sha256" in reason and "seal.json" in reason for reason in reasons)
    found = run(sealed, "-I")
    assert found.returncode == 1
    assert "sha256" in found.stdout


@pytest.mark.parametrize("change", [lambda digests: None, no_sha256])
def test_a_seal_of_either_format_is_intact_for_both_checkers(sealed, change):
    reseal(sealed, change)
    assert check(sealed).reasons() == []
    assert run(sealed, "-I").returncode == 0
