"""pytest tests/verify/records/test_ignored.py — what git ignores is not sealed by accident."""

import subprocess

import pytest
from typer.testing import CliRunner

from goldenseal.cli import app
from goldenseal.errors import UsageError
from goldenseal.records.check import check
from goldenseal.records.ignored import ignored_files


@pytest.fixture
def inside(record):
    """A record in a repository that ignores caches and logs."""
    subprocess.run(["git", "init", "-q", record.parent], check=True)
    (record.parent / ".gitignore").write_text(".ruff_cache/\n*.tmp\n")
    return record


def seal(folder, *options):
    return CliRunner().invoke(app, ["seal", str(folder), *options])


def leave_a_cache(folder):
    (folder / ".ruff_cache" / "0.6").mkdir(parents=True)
    (folder / ".ruff_cache" / "0.6" / "x").write_text("cache")
    (folder / "notes" / "draft.tmp").write_text("x")


def test_a_record_without_such_files_is_sealed(inside):
    assert seal(inside).exit_code == 0
    assert check(inside).holds


def test_files_that_git_ignores_are_refused_by_name_and_nothing_is_written(inside):
    leave_a_cache(inside)
    done = seal(inside)
    assert isinstance(done.exception, UsageError)
    text = str(done.exception)
    assert "git ignores '.ruff_cache/0.6/x', 'notes/draft.tmp', so a clone" in text
    assert "--keep-ignored" in text
    assert "\n" not in text
    assert not (inside / "SHA512SUMS").exists()


def test_of_many_the_first_are_named_and_the_rest_counted(inside):
    for number in range(9):
        (inside / f"{number}.tmp").write_text("x")
    assert "'4.tmp' and 4 more, so" in str(seal(inside).exception)


def test_they_are_kept_on_purpose(inside):
    leave_a_cache(inside)
    assert seal(inside, "--keep-ignored").exit_code == 0
    assert ".ruff_cache/0.6/x" in (inside / "SHA512SUMS").read_text()
    assert seal(inside).exit_code == 0  # it is sealed, and stays as it is


def test_a_folder_that_git_ignores_as_a_whole_is_sealed(inside):
    leave_a_cache(inside)
    (inside.parent / ".gitignore").write_text(f"{inside.name}/\n*.tmp\n")
    assert ignored_files(inside) == []
    assert seal(inside).exit_code == 0


def test_a_file_that_is_tracked_nevertheless_is_none(inside):
    leave_a_cache(inside)
    subprocess.run(["git", "-C", inside, "add", "-f", "."], check=True)
    assert ignored_files(inside) == []


def test_outside_of_a_repository_nothing_is_ignored(record):
    leave_a_cache(record)
    assert ignored_files(record) == []
    assert seal(record).exit_code == 0
