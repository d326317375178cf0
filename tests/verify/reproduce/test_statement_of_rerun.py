"""pytest tests/verify/reproduce/test_statement_of_rerun.py

A re-run that can be handed on: who reproduced what, and what only says so.
"""

import base64
import hashlib
import json
import subprocess
from typing import get_args

import pytest
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from typer.testing import CliRunner

from goldenseal.cli import app
from goldenseal.config import system
from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from goldenseal.launch.make_record import make_record
from goldenseal.records import dsse, reproductions
from goldenseal.records.seal import seal
from goldenseal.reproduce import rerun


def make_key(folder, name):
    """A private key, and its public half in folder/keys."""
    (folder / "keys").mkdir(exist_ok=True)
    private = folder / f"{name}-private.pem"
    run = subprocess.run
    run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    public = folder / "keys" / f"{name}.pem"
    run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    return private


@pytest.fixture
def sealed(toy, monkeypatch):
    """A sealed record of the toy system, in whose repository commands run."""
    folder = toy.root / "records" / "toy" / "2026-01-02_Toy"
    make_record(toy.root, system(toy.root, "toy"), folder, {"TOY_FACTOR": "0.5"}, lambda line: None)
    (folder / "README.md").write_text("A toy.\n")
    toy.identity = seal(folder).identity
    toy.folder, toy.told = folder, toy.root / "told"
    toy.told.mkdir()
    monkeypatch.chdir(toy.root)
    return toy


def call(*arguments):
    """The exit code and what was printed; an error is its one line."""
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(done.exception, UsageError):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def reproduce(sealed, name="mine.json", *more):
    return call("reproduce", sealed.identity[:8], "--statement", sealed.told / name, *more)


def test_the_ends_are_those_of_a_re_run():
    assert set(get_args(reproductions.End)) == set(rerun.EXIT_CODES)


def test_a_statement_says_what_was_re_run_where_and_the_end(sealed):
    code, text = reproduce(sealed)
    assert (code, "mine.json" in text) == (0, True)
    data = (sealed.told / "mine.json").read_bytes()
    document = json.loads(data)
    assert canonical.dumps(document) == data
    message = json_format.Parse(data, statement_pb2.Statement(), ignore_unknown_fields=False)
    Statement.copy_from_pb(message).validate()  # in-toto's own library
    sums = (sealed.folder / "SHA512SUMS").read_bytes()
    assert document["subject"] == [
        {
            "name": "records/toy/2026-01-02_Toy/SHA512SUMS",
            "digest": {"sha512": sealed.identity, "sha256": hashlib.sha256(sums).hexdigest()},
        }
    ]
    told = document["predicate"]
    assert (told["end"], told["compared"]) == ("bitwise", "4 steps, 6 log lines, 1 files")
    assert told["numericClass"] == {"cpu": "x"}
    assert (told["numericClassIsSealed"], told["sourceIsSealed"]) == (True, True)
    assert (told["system"], told["steps"], told["fromStep"]) == ("toy", None, 0)


@pytest.mark.parametrize(
    ("plant", "end", "code"),
    [
        (lambda toy: toy.write_system(bias="{3: 1.0}"), "diverged", 1),
        (lambda toy: toy.write_system(bias="{3: 1.0}", cpu="'y'"), "other-class", 3),
        (lambda toy: toy.write_system(cpu="'y'"), "bitwise", 0),
        (lambda toy: (toy.root / "data" / "tokens.txt").write_text("1"), "unrunnable", 3),
    ],
)
def test_every_end_is_told_and_read_back(sealed, plant, end, code):
    plant(sealed)
    assert reproduce(sealed, "mine.json", "--present", "--no-trace")[0] == code
    (found,), problems = reproductions.read_all(sealed.told, None)
    assert (found.told.end, found.identity, problems) == (end, sealed.identity, [])
    assert found.told.sourceIsSealed is (None if end == "unrunnable" else False)
    code, text = call("check", sealed.folder, "--reproductions", sealed.told)
    assert code == 0
    assert f"{end}: the whole run" in text
    assert "unsigned: anybody may have written it" in text


def test_part_of_a_run_says_so(sealed):
    reproduce(sealed, "mine.json", "--steps", "2")
    assert "bitwise: the first 2 steps" in call("check", "all", "--reproductions", sealed.told)[1]


def test_who_signed_is_told_by_the_name_of_the_trusted_key(sealed):
    pytest.importorskip("securesystemslib")
    ada, eve = (make_key(sealed.root, name) for name in ("ada", "eve"))
    (sealed.root / "keys" / "eve.pem").unlink()
    reproduce(sealed, "ada.json", "--sign", ada)
    reproduce(sealed, "eve.json", "--sign", eve, "--steps", "2")
    arguments = ("check", sealed.folder, "--reproductions", sealed.told)
    assert call(*arguments)[1].count("by whom was not judged") == 2
    code, text = call(*arguments, "--trusted-keys", sealed.root / "keys", "--json")
    assert code == 3  # the record itself is unsigned, and nothing else is wrong
    document = json.loads(text)
    assert (document["others"], document["problems"]) == ([], [])
    told = document["records"][0]["reproductions"]
    assert [(each["files"], each["signers"]) for each in told] == [
        (["ada.dsse.json", "ada.json"], ["ada.pem"]),
        (["eve.dsse.json", "eve.json"], []),
    ]
    (sealed.told / "ada.json").unlink()  # the envelope holds the Statement whole
    (sealed.told / "eve.json").unlink()
    text = call(*arguments, "--trusted-keys", sealed.root / "keys")[1]
    assert "signed by ada.pem [ada.dsse.json]" in text
    assert "signed by no trusted key [eve.dsse.json]" in text


def test_a_signature_of_another_statement_says_nothing_of_this_one(sealed):
    pytest.importorskip("securesystemslib")
    ada = make_key(sealed.root, "ada")
    reproduce(sealed, "ada.json", "--sign", ada)
    path = sealed.told / "ada.dsse.json"
    envelope = json.loads(path.read_text())
    document = json.loads((sealed.told / "ada.json").read_text())
    document["predicate"]["reason"] = "all equal, believe me"
    _, other = dsse.signed(canonical.dumps(document), [], ada), canonical.dumps(document)
    envelope["payload"] = base64.b64encode(other).decode()
    path.write_text(json.dumps(envelope))
    found, problems = reproductions.read_all(sealed.told, sealed.root / "keys")
    assert problems == []
    assert [(each.files, each.signers) for each in found] == [
        (("ada.dsse.json",), ()),
        (("ada.json",), ()),
    ]


def test_a_statement_of_another_record_is_listed_apart(sealed):
    reproduce(sealed)
    path = sealed.told / "mine.json"
    path.write_text(path.read_text().replace(sealed.identity, "0" * 128))
    code, text = call("check", "all", "--reproductions", sealed.told)
    assert code == 0
    assert "of no record here (0000000000000000): bitwise" in text


def edit(**change):
    return lambda document: document["predicate"].update(change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edit(end="perfect"), "end must be"),
        (edit(end="diverged", numericClassIsSealed=False), "`diverged` cannot be the end"),
        (edit(end="other-class"), "`other-class` cannot be the end"),
        (edit(steps="2"), "steps must be an int"),
        (edit(extra=1), "unknown table [extra]"),
        (lambda d: d["predicate"].pop("notes"), "lacks a key: it needs `notes`"),
        (lambda d: d.update(predicateType="https://slsa.dev/provenance/v1"), "predicateType"),
        (lambda d: d["subject"].append(d["subject"][0]), "named twice"),
        (lambda d: d["subject"][0].update(name="weights.bin"), "its one subject"),
        (lambda d: d["subject"][0].update(name="../SHA512SUMS"), "`..` part"),
        (lambda d: d.update(subject=[]), "its one subject"),
    ],
)
def test_what_only_looks_like_a_statement_is_named_and_red(sealed, change, words):
    reproduce(sealed)
    path = sealed.told / "mine.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    code, text = call("check", sealed.folder, "--reproductions", sealed.told)
    assert code == 1
    assert "no statement  mine.json" in text
    assert words in text


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b"{}", b"[" * 100_000, b'{"payload":"x"}', b'{"a":1,"a":2}']
)
def test_hostile_files_are_one_line_each(tmp_path, data):
    (tmp_path / "bad.json").write_bytes(data)
    (tmp_path / "note.txt").write_bytes(b"not looked at")
    (tmp_path / "link.json").symlink_to("/dev/zero")
    found, problems = reproductions.read_all(tmp_path, None)
    assert found == []
    assert len(problems) == 2
    assert all("\n" not in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine.txt", "a new file NAME.json"),
        ("mine.dsse.json", "a new file NAME.json"),
        ("nowhere/mine.json", "make it first"),
        ("../records/toy/2026-01-02_Toy/mine.json", "which is sealed"),
    ],
)
def test_a_place_that_will_not_do_is_told_before_anything_runs(sealed, name, words):
    (sealed.root / "toysystem" / "__main__.py").write_text("raise SystemExit('it was started')")
    code, text = reproduce(sealed, name)
    assert (code, words in text) == (2, True)


def test_a_statement_is_never_written_over_and_needs_a_good_key(sealed):
    (sealed.told / "mine.json").write_text("of before")
    assert "written once" in reproduce(sealed)[1]
    (sealed.root / "key.pem").write_text("no key")
    assert "not an Ed25519" in reproduce(sealed, "b.json", "--sign", sealed.root / "key.pem")[1]
    assert "--statement FILE" in call("reproduce", sealed.identity[:8], "--sign", "key.pem")[1]
    assert sorted(p.name for p in sealed.told.iterdir()) == ["mine.json"]
