"""pytest tests/verify/export/test_crate.py

A sealed record as a Process Run Crate, judged by the published validator.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path
from urllib.parse import unquote

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import ContradictedError, UsageError
from goldenseal.records.check import check
from goldenseal.records.seal import seal

pytest.importorskip("rocrate")
from rocrate.rocrate import ROCrate

from goldenseal.export.package import write_crate

VALIDATOR = Path(sys.prefix) / "opt" / "rocrate-validator" / "bin" / "python"
RECORDS = {
    "run": "tests/fixtures/sealed/v0.3",
    "run that was launched": "records/track_cpu_small/2026-11-23_SmallGPT",
    "study": "records/track_cpu_small/2026-11-23_FeatureStudy",
    "sweep": "tests/fixtures/sealed/sweep-v0.2",
    "sweep with cells lacking": "tests/fixtures/sealed/incomplete-v0.2",
    "proposal": "records/track_non_record_16mb/2026-11-23_GoldenSunflowers_Proposal",
    "plan": "tests/fixtures/sealed/plan-v0.2",
    "baseline": "records/track_10min_16mb/2026-03-17_LoRA_TTT",
}
# What a record does not know: who ran it, when it ended, where its software lies, who publishes.
UNKNOWN = {
    "The Application SHOULD have a url",
    "The SoftwareApplication id SHOULD be an absolute URI",
    "The SoftwareApplication SHOULD have a version or softwareVersion",
    "The Action SHOULD have an endTime in ISO 8601 format",
    "The Action SHOULD have an agent that is a Person or Organization",
    "The Root Data Entity SHOULD have a link to a Contextual Entity representing the "
    "schema_org:license type",
    "The Root Data Entity SHOULD have a link to a Contextual Entity representing the `author` of "
    "the RO-Crate",
    "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
    "Missing or invalid `encodingFormat` linked to the `File Data Entity`",
}


def issues(crate, severity="REQUIRED"):
    """What the validator says, of that severity and above."""
    if not VALIDATOR.exists():
        pytest.skip("roc-validator: run `make setup`")
    context = resources.files("rocrate") / "data" / "ro-crate.jsonld"
    driver = Path(__file__).with_name("validator.py")
    done = subprocess.run(
        [VALIDATOR, driver, str(context), crate, severity],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def crate(root, tmp_path, request):
    """The crate of the record that a test names."""
    write_crate(root / RECORDS[request.param], tmp_path / "crate")
    return tmp_path / "crate"


def graph_of(crate):
    document = json.loads((crate / "ro-crate-metadata.json").read_text())
    return {entity["@id"]: entity for entity in document["@graph"]}


JUDGED = [name for name in RECORDS if name not in ("run", "plan")]


@pytest.mark.parametrize("crate", JUDGED, indirect=True)
def test_the_published_validator_has_nothing_to_object(crate):
    assert issues(crate) == []


@pytest.mark.parametrize("crate", ["run that was launched"], indirect=True)
def test_what_it_recommends_and_is_not_there_is_what_a_record_does_not_know(crate):
    assert {issue["says"] for issue in issues(crate, "RECOMMENDED")} <= UNKNOWN


@pytest.mark.parametrize("crate", ["run that was launched"], indirect=True)
@pytest.mark.parametrize("lost", ["instrument", "conformsTo", "file"])
def test_the_validator_is_not_content_with_anything(crate, lost):
    path = crate / "ro-crate-metadata.json"
    document = json.loads(path.read_text())
    for entity in document["@graph"]:
        if entity["@type"] in ("Dataset", "CreateAction"):
            entity.pop(lost, None)
    path.write_text(json.dumps(document))
    if lost == "file":
        next(crate.glob("*/train.jsonl")).unlink()
    assert issues(crate)


@pytest.mark.parametrize("crate", ["run", "study", "sweep", "plan"], indirect=True)
def test_files_have_their_digests_and_sizes_and_the_record_in_it_is_still_sealed(crate):
    (folder,) = (path for path in crate.iterdir() if path.is_dir())
    assert check(folder).holds
    entities = [e for e in graph_of(crate).values() if e["@type"] == "File"]
    found = {unquote(entity["@id"]): entity for entity in entities}
    files = {p.relative_to(crate).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert set(found) == set(files)
    for name, path in files.items():
        data = path.read_bytes()
        assert found[name]["contentSize"] == str(len(data))
        assert found[name]["sha512"] == hashlib.sha512(data).hexdigest()
        assert found[name]["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("crate", ["run that was launched"], indirect=True)
def test_a_run_is_an_action_with_its_source_data_knobs_outputs_and_results(crate):
    graph = graph_of(crate)
    (action,) = (e for e in graph.values() if e["@type"] == "CreateAction")
    facts = json.loads(next(crate.glob("*/record.json")).read_text())

    def values(key, where):
        named = [graph[each["@id"]] for each in action[key] if each["@id"].startswith(where)]
        return {entity["name"]: entity["value"] for entity in named}

    assert values("object", "#knob/") == facts["knobs"]
    assert values("object", "#seed/") == {"seed": "1597"}
    data = [graph[each["@id"]] for each in action["object"] if each["@id"].startswith("#data/")]
    assert {entity["name"]: entity["sha512"] for entity in data} == facts["data"]
    results = {name: float(text) for name, text in values("result", "#run/").items()}
    assert results == facts["results"]
    outputs = [each["@id"].rpartition("/")[2] for each in action["result"]]
    assert {"train.jsonl", "final_model.safetensors"} <= set(outputs)
    source = graph[action["instrument"]["@id"]]
    parts = [graph[each["@id"]] for each in source["hasPart"]]
    assert {entity["name"]: entity["sha512"] for entity in parts} == facts["source"]
    assert not {"startTime", "endTime", "agent"} & set(action)  # not logged
    assert graph["#verdict"]["sha512"] == facts["verdict"]
    assert {"@id": "#verdict"} in graph["./"]["mentions"]
    numerics = graph[action["environment"]["@id"]]
    assert json.loads(numerics["value"]) == facts["numeric_class"]


@pytest.mark.parametrize(
    ("crate", "count"), [("study", 15), ("sweep", 13), ("proposal", 0)], indirect=["crate"]
)
def test_each_run_is_an_action_and_a_proposal_has_none(crate, count):
    graph = graph_of(crate)
    actions = [e for e in graph.values() if e["@type"] == "CreateAction"]
    assert len(actions) == count
    assert all(e["actionStatus"].endswith("/CompletedActionStatus") for e in actions)
    assert ("mentions" in graph["./"]) is bool(count)


@pytest.mark.parametrize("crate", ["sweep with cells lacking"], indirect=True)
def test_cells_without_a_run_are_told_and_have_no_action(crate):
    graph = graph_of(crate)
    lines = next(crate.glob("*/cells.jsonl")).read_text().splitlines()
    for line in map(json.loads, lines):
        cell = f"{line['configuration']}/{line['seed']}"
        status = graph.get(f"#run/{cell}", {}).get("actionStatus", "")
        kinds = {"finished": "Completed", "failed": "Failed", "missing": ""}
        assert status.removeprefix("http://schema.org/") == (
            f"{kinds[line['state']]}ActionStatus" if kinds[line["state"]] else ""
        )
        assert (cell in graph["./"]["description"]) is (line["state"] != "finished")


@pytest.mark.parametrize("crate", ["run that was launched"], indirect=True)
def test_the_library_of_ro_crate_reads_it_back(crate):
    read = ROCrate(crate)
    assert read.name == "SmallGPT"
    assert read.get("#run/1597").type == "CreateAction"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_a_zip_has_the_same_bytes_in_every_time_zone_and_of_every_copy(root, tmp_path, zone):
    folder = root / RECORDS["run"]
    copy = shutil.copytree(folder, tmp_path / "v0.3")
    for number, path in enumerate(sorted(copy.rglob("*"))):
        os.utime(path, (1_700_000_000 + 7777 * number,) * 2)
    program = (
        "import os, sys, time; os.environ['TZ'] = sys.argv[1]; time.tzset()\n"
        "from pathlib import Path; from goldenseal.export.package import write_crate\n"
        "write_crate(Path(sys.argv[2]), Path(sys.argv[3]))"
    )
    out = tmp_path / "there.zip"
    subprocess.run([sys.executable, "-c", program, zone, copy, out], check=True)
    write_crate(folder, tmp_path / "here.zip")
    assert out.read_bytes() == (tmp_path / "here.zip").read_bytes()
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    write_crate(folder, tmp_path / "folder")
    files = {p.relative_to(tmp_path / "folder") for p in (tmp_path / "folder").rglob("*")}
    assert files == {p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*")}


def test_a_zip_passes_the_validator_too(root, tmp_path):
    write_crate(root / RECORDS["run"], tmp_path / "crate.zip")
    assert issues(tmp_path / "crate.zip") == []


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_a_place_that_will_not_do_is_refused_and_nothing_is_left(root, tmp_path, record, suffix):
    seal(record)
    before = sorted(record.rglob("*"))
    with pytest.raises(UsageError, match="which is sealed"):
        write_crate(record, record / f"crate{suffix}")
    with pytest.raises(UsageError, match="which is sealed"):
        write_crate(record, record / "notes" / f"crate{suffix}")
    with pytest.raises(UsageError, match="make it first"):
        write_crate(record, tmp_path / "no" / f"crate{suffix}")
    (tmp_path / f"there{suffix}").write_text("x")
    with pytest.raises(UsageError, match="exists"):
        write_crate(record, tmp_path / f"there{suffix}")
    assert sorted(record.rglob("*")) == before
    assert check(record).holds


def test_only_what_is_sealed_and_intact_is_exported(tmp_path, record):
    with pytest.raises(UsageError, match=r"not sealed: `goldenseal seal"):
        write_crate(record, tmp_path / "crate")
    seal(record)
    (record / "README.md").write_text("Another toy.\n")
    with pytest.raises(ContradictedError, match=r"README\.md changed"):
        write_crate(record, tmp_path / "crate")
    assert not (tmp_path / "crate").exists()


NAMES = ["with space", "100%.txt", "a#b", "é.md", "x+y&z=1", "[1].json", "dots..", "ä/ö ü.txt"]


def test_odd_names_and_texts_are_only_names_and_texts(tmp_path, record):
    for name in NAMES[:-2] + NAMES[-1:]:
        (record / name).parent.mkdir(exist_ok=True)
        (record / name).write_text(name)
    path = record / "record.json"
    facts = json.loads(path.read_text())
    odd = '<script>"@id": "./"</script> \u2603'
    facts |= {"system": odd, "knobs": {"A": odd, "B": "", "C": "../../etc/passwd" * 9}}
    path.write_bytes(canonical.dumps(facts))
    seal(record)
    write_crate(record, tmp_path / "crate")
    graph = graph_of(tmp_path / "crate")
    files = [p for p in (tmp_path / "crate" / record.name).rglob("*") if p.is_file()]
    named = {unquote(e["@id"]) for e in graph.values() if e["@type"] == "File"}
    assert named == {p.relative_to(tmp_path / "crate").as_posix() for p in files}
    assert issues(tmp_path / "crate") == []


def test_a_licence_is_the_records_own_or_the_one_that_is_given(tmp_path, record):
    (record / "LICENSE").write_text("Do as you like.\n")
    seal(record)
    write_crate(record, tmp_path / "own")
    assert graph_of(tmp_path / "own")["./"]["license"] == {"@id": f"{record.name}/LICENSE"}
    address = "https://spdx.org/licenses/Apache-2.0"
    write_crate(record, tmp_path / "given", address)
    graph = graph_of(tmp_path / "given")
    assert graph["./"]["license"] == {"@id": address}
    assert graph[address]["@type"] == "CreativeWork"
    assert issues(tmp_path / "given") == []


def test_a_command_of_no_system_is_an_action_too(tmp_path, record):
    (record / "source").mkdir()
    (record / "source" / "train.py").write_text("print(1)\n")
    digest = hashlib.sha512(b"print(1)\n").hexdigest()
    facts = json.loads((record / "record.json").read_text()) | {
        "command": ["python", "train.py", "--name", "a b"],
        "source": {"train.py": digest},
        "data": {"tokens.bin": "0" * 128},
        "outputs": ["notes/one.txt"],
        "environment": {"python": "3.11"},
    }
    (record / "record.json").write_bytes(canonical.dumps(facts))
    seal(record)
    write_crate(record, tmp_path / "crate")
    graph = graph_of(tmp_path / "crate")
    action = graph["#run"]
    assert action["name"] == "run of python train.py --name 'a b'"
    source = graph[action["instrument"]["@id"]]
    assert source["hasPart"] == {"@id": f"{record.name}/source/train.py"}
    assert {"@id": f"{record.name}/notes/one.txt"} in action["result"]
    assert {"@id": "#data/tokens.bin"} in action["object"]
    assert issues(tmp_path / "crate") == []


def test_evidence_of_other_tools_has_no_action_and_says_what_is_not_known(root, tmp_path):
    from goldenseal.evidence.collect import record_from

    record_from(root / "tests" / "fixtures" / "runs" / "trainer", tmp_path / "record")
    write_crate(tmp_path / "record", tmp_path / "crate")
    graph = graph_of(tmp_path / "crate")
    assert not [e for e in graph.values() if e["@type"] == "CreateAction"]
    assert "not known: the code that ran" in graph["./"]["description"]
    assert issues(tmp_path / "crate") == []
