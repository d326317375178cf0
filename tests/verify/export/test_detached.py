"""pytest tests/verify/export/test_detached.py — a crate's metadata alone, of a record elsewhere."""

import base64
import json

import pytest
from typer.testing import CliRunner

from goldenseal.cli import app
from goldenseal.disk.files import hash_both
from goldenseal.errors import ContradictedError, UsageError
from goldenseal.records.check import check
from goldenseal.records.seal import seal
from tests.verify.export.test_crate import RECORDS, issues

pytest.importorskip("rocrate")
from goldenseal.export.package import address_of, write_crate, write_detached

NAME = "a-ro-crate-metadata.json"


def graph_of(path):
    return {entity["@id"]: entity for entity in json.loads(path.read_text())["@graph"]}


@pytest.mark.parametrize("kind", ["run that was launched", "study", "sweep", "proposal"])
def test_the_published_validator_has_nothing_to_object(root, tmp_path, kind):
    write_detached(root / RECORDS[kind], tmp_path / NAME)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert issues(tmp_path / NAME) == []


@pytest.mark.parametrize("lost", ["instrument", "hasPart"])
def test_the_validator_is_not_content_with_anything(root, tmp_path, lost):
    write_detached(root / RECORDS["run that was launched"], tmp_path / NAME)
    document = json.loads((tmp_path / NAME).read_text())
    for entity in document["@graph"]:
        if entity["@type"] in ("Dataset", "CreateAction"):
            entity.pop(lost, None)
    (tmp_path / NAME).write_text(json.dumps(document))
    assert issues(tmp_path / NAME)


def test_every_file_is_named_by_the_identity_with_its_digests(root, tmp_path):
    folder = root / RECORDS["run that was launched"]
    write_detached(folder, tmp_path / NAME)
    graph, base = graph_of(tmp_path / NAME), address_of(check(folder).identity)
    digest = base.removeprefix("arcp://ni,sha-512;")
    assert base64.urlsafe_b64decode(digest + "==").hex() == check(folder).identity
    files = {e["@id"]: e for e in graph.values() if e["@type"] == "File"}
    assert files
    for path in folder.rglob("*"):
        if path.is_file():
            of = files.pop(f"{base}/{path.relative_to(folder).as_posix()}")
            assert (of["sha512"], of["sha256"]) == hash_both(path)
    assert files == {}
    assert {part["@id"] for part in graph[f"{base}/"]["hasPart"]} <= set(graph)


def test_it_says_what_the_copy_says_but_for_the_names(root, tmp_path):
    folder = root / RECORDS["study"]
    write_crate(folder, tmp_path / "crate")
    write_detached(folder, tmp_path / NAME, base="https://example.org/x")
    copied = (tmp_path / "crate" / "ro-crate-metadata.json").read_text()
    text = copied.replace(f'"{folder.name}/', '"https://example.org/x/')
    text = text.replace('"./"', '"https://example.org/x/"')
    key = lambda entity: entity["@id"]  # noqa: E731
    detached = json.loads((tmp_path / NAME).read_text())["@graph"]
    assert sorted(detached, key=key) == sorted(json.loads(text)["@graph"], key=key)


def test_an_address_is_taken_as_it_is_and_names_are_escaped(tmp_path, record):
    (record / "a b#é%.txt").write_text("x")
    seal(record)
    write_detached(record, tmp_path / NAME, base="https://example.org/r/")
    names = [e["@id"] for e in graph_of(tmp_path / NAME).values() if e["@type"] == "File"]
    assert "https://example.org/r/a%20b%23%C3%A9%25.txt" in names
    assert issues(tmp_path / NAME) == []


def test_places_and_records_that_will_not_do(tmp_path, record):
    with pytest.raises(UsageError, match=r"not sealed: `goldenseal seal"):
        write_detached(record, tmp_path / NAME)
    seal(record)
    with pytest.raises(UsageError, match="which is sealed"):
        write_detached(record, record / NAME)
    (record / "README.md").write_text("Another toy.\n")
    with pytest.raises(ContradictedError, match=r"README\.md changed"):
        write_detached(record, tmp_path / NAME)
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ro-crate", "crate", "--detached"], "go together"),
        (["--ro-crate", NAME], "go together"),
        (["--model-card", "card", "--detached"], "is of --ro-crate"),
        (["--ro-crate", "crate", "--base", "https://example.org"], "of --detached"),
        (["--ro-crate", NAME, "--detached", "--base", "example.org"], "expected an address"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, record, options, words):
    seal(record)
    done = CliRunner().invoke(app, ["export", str(record), *options])
    assert isinstance(done.exception, UsageError)
    assert words in str(done.exception)


def test_the_command(tmp_path, record):
    seal(record)
    out = tmp_path / NAME
    done = CliRunner().invoke(app, ["export", str(record), "--ro-crate", str(out), "--detached"])
    assert done.exit_code == 0, done.output
    assert f"{out}: 1 files, of the record" in done.output
