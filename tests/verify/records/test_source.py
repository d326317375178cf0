"""pytest tests/verify/records/test_source.py — which code ran, file by file."""

import pytest

from goldenseal.errors import UsageError
from goldenseal.records.source import read_source


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.goldenseal]\nsource = ["code", "pins.txt"]\n')
    (tmp_path / "code" / "inner").mkdir(parents=True)
    (tmp_path / "code" / "a.py").write_text("a = 1\n")
    (tmp_path / "code" / "inner" / "b.py").write_text("b = 2\n")
    (tmp_path / "pins.txt").write_text("torch==2\n")
    (tmp_path / "elsewhere.py").write_text("not named\n")
    return tmp_path


def test_the_named_files_are_hashed_by_their_relative_path(repository):
    assert list(read_source(repository).files) == ["code/a.py", "code/inner/b.py", "pins.txt"]
    assert "elsewhere.py" in read_source(repository, also=("elsewhere.py",)).files


def test_the_digest_changes_with_any_byte_and_any_name(repository):
    digests = {read_source(repository).digest}
    (repository / "code" / "a.py").write_text("a = 2\n")
    digests.add(read_source(repository).digest)
    (repository / "code" / "a.py").rename(repository / "code" / "c.py")
    digests.add(read_source(repository).digest)
    assert len(digests) == 3


def test_what_is_made_from_the_source_is_not_source(repository):
    before = read_source(repository).digest
    (repository / "code" / "__pycache__").mkdir()
    (repository / "code" / "__pycache__" / "a.cpython-311.pyc").write_text("x")
    (repository / "code" / ".hidden").write_text("x")
    (repository / "code" / "Phi.vo").write_text("x")
    assert read_source(repository).digest == before


def test_differences_are_named(repository):
    sealed = read_source(repository).files
    (repository / "code" / "a.py").write_text("a = 2\n")
    (repository / "code" / "new.py").write_text("n\n")
    (repository / "pins.txt").unlink()
    (repository / "pins.txt").mkdir()
    assert read_source(repository).differences(sealed) == [
        "code/a.py changed",
        "code/new.py is new",
        "pins.txt is gone",
    ]


def test_a_link_in_the_source_is_refused(repository):
    (repository / "code" / "link.py").symlink_to(repository / "elsewhere.py")
    with pytest.raises(UsageError, match=r"link\.py"):
        read_source(repository)


def test_a_path_that_leads_nowhere_is_named(repository):
    (repository / "pins.txt").unlink()
    with pytest.raises(UsageError, match=r"names pins\.txt, which is not there"):
        read_source(repository)


def test_where_nothing_is_named_the_source_is_every_python_file(tmp_path):
    for name in ("train.py", "lib/net.py", "records/a/b/old.py", ".venv/x.py", "env/y.py", "n.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / "link.py").symlink_to(tmp_path / "train.py")
    assert list(read_source(tmp_path).files) == ["train.py", "lib/net.py"]
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert "pyproject.toml" in read_source(tmp_path).files
    assert "CITATION.cff" not in read_source(tmp_path, also=("CITATION.cff",)).files


@pytest.mark.parametrize("source", ['"src"', "[]", "[3]", '["/etc"]', '["../other"]'])
def test_a_source_that_is_no_list_of_paths_below_is_refused(tmp_path, source):
    (tmp_path / "pyproject.toml").write_text(f"[tool.goldenseal]\nsource = {source}\n")
    with pytest.raises(UsageError, match="expected a list of paths below"):
        read_source(tmp_path)
