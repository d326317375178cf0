"""pytest tests/verify/disk/test_characters.py — a name has one verdict under every Python."""

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import rfc8785

from goldenseal.disk.characters import BORDERS, odd_character
from goldenseal.disk.files import colliding, problem_with_name
from goldenseal.records import check_seal
from goldenseal.records.check import check
from goldenseal.records.seal import seal

EVERY = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
# One code point of each release of Unicode since 13: new letters, emoji, invisible ones, and such
# as fold or decompose since. Some are unassigned to this Python, none to all.
NEWER = {
    "14.0": "\u061d\u0c5d\u1ac1\u2c2f\u2c5f\U00010570\U0001fae0",
    "15.0": "\u0cf3\U00011f00\U00013439\U0001343f\U0001e030\U0001fae8\U00031350",
    "15.1": "\u2ffc\u31ef\U0002ebf0",
    "16.0": "\u1c89\ua7cb\ua7da\U00010d50\U00013460\U0001cc00",
    "17.0": "\u088f\u20c1\ua7ce\U00016ea0",
    "never": "\u0378\ufdd0\uffff\U000e0000\U000e0fff\U0010ffff",
}
OLDER = (
    "e\u0301 \u00e9 \u00df \u1e9e \u4e16\u754c \U00020000 \u0430\u0431 \U0001f680 \u20bf \U0001f972"
)


def interpreters():
    """The Pythons of this machine that check_seal.py runs on, by version."""
    found = {}
    named = [shutil.which(f"python3.{minor}") for minor in range(9, 30)]
    own = (Path.home() / ".pyenv" / "versions").glob("*/bin/python3")
    for python in filter(None, [*named, *map(str, sorted(own))]):
        code = "import sys; print(*sys.version_info[:2])"
        done = subprocess.run([python, "-Ic", code], capture_output=True, text=True, check=False)
        version = tuple(map(int, done.stdout.split()))
        if version >= (3, 9):
            found.setdefault(version, python)
    return found


PYTHONS = interpreters()
OF_BASE = {version: python for version, python in PYTHONS.items() if version >= (3, 11)}


def test_the_table_holds_what_unicode_13_counts():
    """143,859 characters, 163 of them invisible, and 137,468 for private use."""
    allowed = [c for c in EVERY if odd_character(c) is None]
    assert len(allowed) == 143_859 - 163 + 137_468
    assert check_seal.BORDERS == BORDERS


def test_what_the_table_allows_is_assigned_and_visible_to_every_later_unicode():
    """In the one of this Python; what that one does not know, the table does not allow."""
    hidden = ("Cc", "Cf", "Cn", "Zl", "Zp")
    for character in EVERY:
        if unicodedata.category(character) in hidden:
            assert odd_character(character) == character


@pytest.mark.parametrize("release", NEWER)
def test_a_character_that_unicode_13_does_not_know_is_refused(release):
    words = "the name holds a control or invisible character, or one newer than Unicode 13: U+"
    for character in NEWER[release]:
        reason = problem_with_name(f"notes/a{character}b")
        assert reason == f"{words}{ord(character):04X}"
        assert check_seal.problem_with_name(f"notes/a{character}b") == reason


def test_characters_of_unicode_13_are_names():
    for word in OLDER.split():
        assert problem_with_name(f"a{word}b") is None


def test_such_a_file_is_refused_when_it_is_sealed_and_when_it_is_checked(record):
    from goldenseal.errors import UsageError

    (record / "a\U00013439").write_text("x")
    with pytest.raises(UsageError, match=r"newer than Unicode 13: U\+13439"):
        seal(record)
    (record / "a\U00013439").unlink()
    seal(record)
    (record / "a\U00013439").write_text("x")
    assert "U+13439" in " ".join(check(record).reasons())
    assert "U+13439" in " ".join(check_seal.findings(os.fspath(record))[0])


PROGRAM = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
import {module} as m
digest = hashlib.sha512()
for code in [*range(0xD800), *range(0xE000, 0x33000), *range(0xE0000, 0xE0200)]:
    name = "a" + chr(code)
    problem = m.problem_with_name(name) or ""
    digest.update(problem.encode("utf-8", "replace"))
    if not problem:
        digest.update(m.fold(name).encode())
print(json.dumps([digest.hexdigest(), *map(m.problem_with_name, sys.argv[2:])]))
"""


def ask(python, module, root, names):
    done = subprocess.run(
        [python, "-Sc", PROGRAM.format(module=module), root / "verify", *names],
        capture_output=True, text=True, check=True, env={"PYTHONUTF8": "1"},
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.skipif(len(PYTHONS) < 2, reason="only one Python here")
@pytest.mark.parametrize("module", ["goldenseal.disk.files", "goldenseal.records.check_seal"])
def test_every_python_gives_each_code_point_the_same_verdict_and_fold(root, module):
    names = ["ok", *NEWER["15.0"], *NEWER["16.0"]]
    pythons = OF_BASE if module == "goldenseal.disk.files" else PYTHONS
    answers = {version: ask(path, module, root, names) for version, path in pythons.items()}
    assert len({tuple(answer) for answer in answers.values()}) == 1, answers


CHECK = """
import sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from goldenseal.records.check import check
for name in sys.argv[3:]:
    report = check(Path(name))
    print(report.holds, report.identity, len(report.reasons()))
"""


@pytest.mark.skipif(len(PYTHONS) < 2, reason="only one Python here")
def test_every_python_gives_sealed_records_and_tampered_ones_one_verdict(root, record, tmp_path):
    """With the base's one dependency, and with nothing but check_seal.py."""
    seal(record)
    tampered = shutil.copytree(record, tmp_path / "tampered")
    for character in ("\U00013439", "\U0001e030", "\ua7da", "\U0001fae8"):
        (tampered / f"a{character}").write_text("x")
    (tampered / "caf\u00e9").write_text("x")
    (tampered / "cafe\u0301").write_text("x")
    older = root / "tests/fixtures/sealed/v0.2"
    newest = sorted((root / "records").glob("*/*/SHA512SUMS"))[0].parent
    folders = [*map(str, (record, tampered, older, newest))]
    base = tmp_path / "base"
    shutil.copytree(Path(rfc8785.__file__).parent, base / "rfc8785")
    full, single = set(), set()
    for version, python in PYTHONS.items():
        if version in OF_BASE:
            done = subprocess.run(
                [python, "-Sc", CHECK, root / "verify", base, *folders],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            full.add(done.stdout)
        codes = [
            subprocess.run(
                [python, "-I", root / "verify/goldenseal/records/check_seal.py", folder],
                capture_output=True,
                check=False,
            ).returncode
            for folder in folders
        ]
        single.add(tuple(codes))
    assert single == {(0, 1, 0, 0)}
    assert len(full) == 1
    verdicts = [line.split()[0] for line in full.pop().splitlines()]
    assert verdicts == ["True", "False", "True", "True"]


def test_names_of_these_characters_collide_alike_everywhere():
    assert colliding(["stra\u00dfe", "STRASSE"]) == [("stra\u00dfe", "STRASSE")]
