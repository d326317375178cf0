"""pytest tests/verify/claims/test_claims_evidence.py — only what was sealed is read, by pointer."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.claims.definition import STATS, TYPES, parse_definition
from goldenseal.claims.evidence import Library, resolve_pointer, select_line
from goldenseal.claims.findings import KINDS, ClaimError
from goldenseal.claims.gate import check_claims
from goldenseal.claims.judgement import documents, judge_documents
from goldenseal.errors import UsageError
from goldenseal.records.seal import seal
from goldenseal.result import Verdict

# The example of RFC 6901, section 5.
RFC = json.loads(
    r'{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, '
    r'"k\"l": 6, " ": 7, "m~n": 8}'
)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", RFC), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2),
     ("/e^f", 3), ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8)],
)  # fmt: skip
def test_json_pointers_as_in_their_standard(pointer, value):
    assert resolve_pointer(RFC, pointer, "x") == value


@pytest.mark.parametrize("pointer", ["/foo/2", "/foo/00", "/foo/-", "/foo/-1", "/nope", "/foo/0/x"])
def test_a_pointer_to_nothing_is_no_evidence(pointer):
    with pytest.raises(ClaimError, match="has nothing at"):
        resolve_pointer(RFC, pointer, "x")


def test_a_line_is_selected_only_if_it_is_the_only_one():
    lines = [{"kind": "a", "step": 1}, {"kind": "a", "step": 2}, {"kind": "b", "flag": True}]
    assert select_line(lines, {"kind": "a", "step": 2}, "x") == lines[1]
    for wanted in ({"kind": "a"}, {"step": 3}, {"flag": 1}):
        with pytest.raises(ClaimError, match="expected one"):
            select_line(lines, wanted, "x")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (3, "expected a table"),
        ({"record": "1", "recrod": "2"}, "unknown key `recrod`"),
        ({"record": "1", "stat": "median"}, "may be one of value, mean"),
        ({"record": "1", "stat": "sd", "seeds": [1, 2]}, "must state `ddof`"),
        ({"record": "1", "stat": "difference", "seeds": [1], "against": {}}, "must state `varied`"),
        ({"record": "1", "ddof": 1}, "`ddof` has no meaning"),
        ({"record": "1", "varied": ["X"]}, "`varied` has no meaning"),
        ({"record": "1", "stat": "margin", "from": ["a", "b"]}, "`record` has no meaning"),
        ({"stat": "margin", "from": ["a"]}, "names two claims"),
        ({"record": "1", "times": "ten"}, "expected a number"),
        ({"record": "1", "times": 0}, "must be positive"),
        ({"record": "1", "seeds": ["1"]}, "list of integers"),
        ({"record": ["1", "1"]}, "`record` must be"),
        ({"record": "1", "file": "a.json", "configuration": "x"}, "leave out `file`"),
        ({"record": "1", "line": {"lr": {}}}, "`line` selects"),
    ],
)
def test_a_definition_that_is_wrong_says_what_would_be_right(entry, message):
    with pytest.raises(ClaimError, match=message) as caught:
        parse_definition("x", entry)
    assert caught.value.kind == "bad-claim"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
ENTRIES = st.dictionaries(
    st.sampled_from(sorted(TYPES)),
    VALUES | st.sampled_from([*STATS, "paired", "less", "seeds", "<", "1", 0, 1]),
)


@given(ENTRIES | VALUES)
def test_no_definition_is_too_odd_to_be_refused_by_name(entry):
    try:
        kind = parse_definition("x", entry).stat
    except ClaimError as error:
        kind = error.kind
    assert kind in (*STATS, *KINDS)


def test_a_linked_document_is_not_followed(repository, tmp_path):
    (tmp_path / "real.md").write_text("# Results\n")
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    with pytest.raises(UsageError, match="cannot be read"):
        judge_documents(tmp_path, [tmp_path / "link.md"])


def test_every_statistic_is_in_the_guide(root):
    guide = (root / "docs" / "claims.md").read_text()
    for stat in STATS:
        assert f"`{stat}`" in guide


def test_a_file_that_was_not_sealed_is_no_evidence(repository):
    repository.make("one", {1: 1.25})
    (repository.folder("one") / "late.json").write_text('{"val_bpb": 1.2}')
    for file in ("late.json", "../one/record.json", "/etc/passwd"):
        definition = f"v = {{ record = 'toy/one', file = '{file}', pointer = '/val_bpb' }}"
        assert repository.kinds("1.2<!--=v-->", definition) == ["no-evidence"]


def test_what_is_no_number_is_no_evidence(repository):
    repository.make("one", {1: 1.25})
    definition = "v = { record = 'toy/one', pointer = '/label', seeds = [1] }"
    assert repository.kinds("1.2<!--=v-->", definition) == ["no-evidence"]


def test_a_field_of_a_log_line_and_the_length_of_a_list(repository):
    repository.make("one", {1: 1.25})
    body = "record = 'toy/one', file = '1.jsonl'"
    assert repository.kinds(
        "2.5<!--=l--> at step 1<!--=n-->, 1<!--=s-->",
        f"l = {{ {body}, line = {{ step = 1 }}, pointer = '/loss' }}\n"
        f"n = {{ {body}, line = {{ kind = 'end' }}, pointer = '/steps' }}\n"
        "s = { record = 'toy/one', file = 'record.json', pointer = '/seeds', stat = 'count', "
        "count = 'items' }",
    ) == []  # fmt: skip
    assert repository.kinds("2.5<!--=l-->", f"l = {{ {body}, pointer = '/loss' }}") == ["bad-claim"]


def test_an_ambiguous_prefix_and_a_linked_record(repository, tmp_path):
    repository.make("one", {1: 1.25})
    (tmp_path / "records" / "toy" / "link").symlink_to(repository.folder("one"))
    library = Library(tmp_path)
    assert library.broken == {"records/toy/link": "a link"}
    assert len(library.records) == 1
    with pytest.raises(ClaimError, match="neither an identity"):
        library.find("XYZ")
    with pytest.raises(ClaimError, match="a link"):
        library.find("toy/link")


def test_a_correction_counts_however_far_its_chain_goes(repository):
    first = repository.make("first", {1: 1.0})
    second = repository.make("second", {1: 1.5}, corrects=first)
    third = repository.make("third", {1: 1.75}, corrects=second)
    definition = "v = {{ record = '{}', pointer = '/val_bpb', seeds = [1] }}"
    assert repository.kinds("1.00<!--=v-->", definition.format(third)) == ["stale"]
    assert repository.kinds("1.50<!--=v-->", definition.format(second)) == ["superseded"]


def test_an_unsealed_draft_corrects_nothing(repository):
    first = repository.make("first", {1: 1.0})
    repository.draft("draft", {1: 1.5}, corrects=first)
    definition = f"v = {{ record = '{first}', pointer = '/val_bpb', seeds = [1] }}"
    assert repository.kinds("1.00<!--=v-->", definition) == []


def test_a_definition_without_its_numeral_and_a_numeral_without_its_definition(repository, three):
    report = repository.judge("1<!--=x-->", f"v = {{ {three} }}")
    assert sorted(finding.kind for finding in report.findings) == ["bad-claim", "bad-claim"]


def test_the_documents_are_those_of_the_settings(repository, tmp_path):
    with pytest.raises(UsageError, match="nothing matches"):
        documents(tmp_path)
    (tmp_path / "A.md").write_text("# Results\n\n5\n")
    assert [path.name for path in documents(tmp_path)] == ["A.md"]
    report = judge_documents(tmp_path)
    assert (report.exit_code, report.to_json()["holds"]) == (1, False)
    (tmp_path / "A.md").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        judge_documents(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.goldenseal]\n")
    with pytest.raises(UsageError, match="no document to judge"):
        documents(tmp_path)


def test_the_gate_fails_with_the_findings_and_does_not_pass_what_it_could_not_check(
    repository, tmp_path, monkeypatch
):
    (tmp_path / "A.md").write_text("# Results\n\n5\n")
    result = check_claims(tmp_path)
    assert result.verdict is Verdict.FAIL
    assert result.findings == ("A.md:3: unbound: 5 is bound to no sealed evidence, nor exempt",)
    for name, better in (("a", 0.0), ("b", 0.5)):
        folder = repository.draft(name, {1: 1.0 - better, 2: 2.0, 3: 1.5}, knobs={"N": name})
        seal(folder)
    (tmp_path / "A.md").write_text(
        "0.5<!--=p-->\n\n<!-- claims\n[p]\nrecord = 'toy/a'\npointer = '/val_bpb'\n"
        "seeds = [1, 2, 3]\nstat = 'p'\nagainst = { record = 'toy/b' }\nvaried = ['N']\n"
        "test = 'welch'\ntail = 'two-sided'\n-->\n"
    )
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert check_claims(tmp_path).verdict is Verdict.NOT_RUN


def test_the_documents_of_this_repository_hold(root):
    assert check_claims(root).findings == ()


def test_the_command_works_without_torch_numpy_and_scipy(root):
    blocked = (
        "import sys\nfor name in ('torch', 'numpy', 'scipy'): sys.modules[name] = None\n"
        "from goldenseal.cli import main\n"
        "sys.argv = ['goldenseal', 'claims', 'docs/claims.md', '--json']\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)["documents"][0]
    assert all(claim["holds"] and claim["places"] for claim in document["claims"])


def test_the_command_names_faults_and_repairs_them(root, tmp_path):
    text = (root / "docs" / "claims.md").read_text()
    path = tmp_path / "edited.md"
    path.write_text(text.replace("2.6627<!--=after-->", "2.6630<!--=after-->", 1))
    command = [sys.executable, "-m", "goldenseal", "claims", str(path)]
    run = {"cwd": root, "capture_output": True, "text": True, "check": False}
    done = subprocess.run(command, **run)
    assert done.returncode == 1
    assert ": hard-coded: after: 2.6630 is printed, the evidence says 2.6627" in done.stdout
    done = subprocess.run([*command, "--fix"], **run)
    assert (done.returncode, path.read_text()) == (0, text)
    assert subprocess.run([*command, "nowhere.md"], **run).returncode == 2
