"""pytest tests/verify/claims/test_energy_claim.py — every way to talk the printer into a claim."""

import json
import shutil

import pytest
import tomli_w

from goldenseal.cli import main
from goldenseal.disk import canonical
from goldenseal.errors import GoldensealError
from goldenseal.grids.blocks.claims import energy_claims
from goldenseal.grids.blocks.plan import read_block_plan
from goldenseal.grids.blocks.windows import SPOILING, log_name
from goldenseal.records.seal import seal
from goldenseal.runlog import RunLog, run_log_lines
from tests.verify.grids.study.blocks_world import (
    EFFECTS,
    FACTS,
    PROFILE,
    Maker,
    changed,
    make,
    write_plan,
)


def claims(root, folder):
    """By (arm, endpoint)."""
    return {(c.arm, c.endpoint): c for c in energy_claims(root, folder)}


def refused(root, folder, words, arm="dclr", endpoint="per_step"):
    """Assert that the arm has no sentence, for this reason among others."""
    claim = claims(root, folder)[arm, endpoint]
    assert claim.sentence is None
    assert any(words in why for why in claim.refusals), claim.refusals
    return claim


@pytest.fixture
def honest(tmp_path):
    return tmp_path, make(tmp_path)


def test_an_honest_study_gets_its_sentence_and_no_other(honest):
    found = claims(*honest)
    sentence = found["dclr", "per_step"].sentence
    assert sentence.startswith("dclr took less energy than base a step: -1.")
    assert "12 blocks, nvml-counter, GPU board: GPU-a; record" in sentence
    assert found["twin", "per_step"].sentence is None
    assert found["twin", "per_step"].refusals == ("the verdict is same",)
    assert set(found) == {(a, e) for a in ("dclr", "twin") for e in ("to_target", "per_step")}


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"operations": 1100, "kernels": 990}, True),
        ({"operations": 1100, "kernels": None}, True),
        ({"operations": 1100, "kernels": 900}, False),
        ({"operations": 1000, "kernels": 900}, False),
    ],
)
def test_more_energy_is_told_where_the_profile_shows_more_work(tmp_path, own, told):
    effects, profile = {**EFFECTS, "dclr": 1.05}, {**PROFILE, "dclr": own}
    folder = make(tmp_path, effects=effects, profile=profile)
    sentence = claims(tmp_path, folder)["dclr", "per_step"].sentence
    assert (sentence is not None) == told
    assert sentence is None or "took more energy" in sentence


# -- the meter ----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["none", "model", "proxy"])
def test_what_was_not_measured(tmp_path, source):
    refused(tmp_path, make(tmp_path, source=source), "no energy claim: not measured")


@pytest.mark.parametrize("source", ["rapl", "nvml-power"])
def test_a_lesser_source(tmp_path, source):
    folder = make(tmp_path, source=source)
    refused(tmp_path, folder, f"the source is {source}, not nvml-counter or wall-meter")


def test_joules_under_the_name_of_no_source(tmp_path):
    def filled_in(seed, chunk):
        return {**chunk, "joules": 1000.0}

    folder = make(tmp_path, source="none", chunk=filled_in)
    refused(tmp_path, folder, "no energy claim: not measured")


def test_one_joule_too_few(tmp_path):
    left = [1]

    def lose(seed, chunk):
        return {**chunk, "joules": None} if left and left.pop() else chunk

    refused(tmp_path, make(tmp_path, chunk=lose), "no energy claim: not measured")


def test_windows_that_are_too_short(tmp_path):
    folder = make(tmp_path, seconds=2.0)
    refused(tmp_path, folder, "a window trains for less than 30 s")
    refused(tmp_path, folder, "a chunk is shorter than 100 refreshes")


@pytest.mark.parametrize("refresh", [None, 0, "fast"])
def test_a_refresh_that_nobody_knows(tmp_path, refresh):
    refused(tmp_path, make(tmp_path, refresh_ms=refresh), "refresh of the source is not known")


def test_negative_joules(tmp_path):
    folder = make(tmp_path, chunk=lambda seed, c: {**c, "joules": abs(c["joules"])})
    assert claims(tmp_path, folder)["dclr", "per_step"].sentence is not None
    other = tmp_path / "b"
    other.mkdir()
    folder = make(other, chunk=lambda seed, c: {**c, "joules": -c["joules"]})
    refused(other, folder, "a chunk took no joules")


@pytest.mark.parametrize("flag", SPOILING)
def test_a_block_that_the_rule_drops(tmp_path, flag):
    def flagged(seed, chunk):
        return {**chunk, "flags": [flag]} if seed == 7 else chunk

    refused(tmp_path, make(tmp_path, chunk=flagged), "11 valid blocks, 12 are needed")


@pytest.mark.parametrize("flag", ["unbounded", "a-flag-of-tomorrow"])
def test_a_flag_that_drops_no_block_is_a_doubt(tmp_path, flag):
    def flagged(seed, chunk):
        return {**chunk, "flags": [flag]} if seed == 7 else chunk

    refused(tmp_path, make(tmp_path, chunk=flagged), f"a chunk is flagged {flag}")


def test_noise_for_images(tmp_path):
    refused(tmp_path, make(tmp_path, kind="synthetic"), "it was trained on noise")


# -- the rig and the numbers --------------------------------------------------------------------


def test_a_null_that_fails(tmp_path):
    folder = make(tmp_path, effects={**EFFECTS, "again": 1.01})
    refused(tmp_path, folder, "the null's interval does not cover 0")


def test_a_control_that_nobody_saw(tmp_path):
    folder = make(tmp_path, effects={**EFFECTS, "extra": 1.0})
    refused(tmp_path, folder, "known extra cost was not seen")


def test_an_interval_that_covers_zero(tmp_path):
    folder = make(tmp_path, effects={**EFFECTS, "dclr": 1.0}, noise=0.01)
    claim = claims(tmp_path, folder)["dclr", "per_step"]
    assert claim.sentence is None


def test_another_loss_at_the_end(tmp_path):
    def worse(arm, facts):
        if arm != "dclr":
            return facts
        return {**facts, "losses": [*facts["losses"][:-1], [400, (0.95).hex()]]}

    folder = make(tmp_path, window=worse)
    for endpoint in ("per_step", "to_target"):
        refused(tmp_path, folder, "were not shown to be the same", endpoint=endpoint)


def test_an_effect_beyond_what_a_profile_explains(tmp_path):
    folder = make(tmp_path, effects={**EFFECTS, "dclr": 0.8})
    refused(tmp_path, folder, "presumed an artefact")


@pytest.mark.parametrize(
    "profile", [None, {}, {"dclr": {"kernels": 1}}, {**PROFILE, "dclr": {"kernels": True}}, [1]]
)
def test_no_profile(tmp_path, profile):
    refused(tmp_path, make(tmp_path, profile=profile), "there is no profile")


def test_an_arm_that_launches_less_than_adam(tmp_path):
    profile = {**PROFILE, "dclr": {"kernels": 10, "operations": 5000}}
    refused(tmp_path, make(tmp_path, profile=profile), "launches less than the baseline")


# -- the plan -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alpha": 0.5}, "alpha of 0.5 exceeds 0.05"),
        ({"margin": 0.5}, "margin of 0.5 exceeds 0.01"),
        ({"loss_margin": 0.9}, "loss_margin of 0.9 exceeds 0.01"),
        ({"presumed": 0.9}, "presumed of 0.9 exceeds 0.02"),
        ({"confidence": 0.5}, "confidence is below 0.95"),
    ],
)
def test_a_plan_that_is_easy_on_itself(tmp_path, change, words):
    refused(tmp_path, make(tmp_path, changed(analysis=change)), words)


def test_a_plan_of_few_blocks(tmp_path):
    facts = changed(seeds=[1, 2, 3, 4, 5, 6], stopping={"blocks": 6})
    refused(tmp_path, make(tmp_path, facts), "6 valid blocks, 12 are needed")


def study_under(root, identity):
    (root / "pyproject.toml").write_text("[tool.goldenseal]\n")
    (root / "plan").mkdir()

    (root / "plan" / "plan.toml").write_text(tomli_w.dumps(FACTS))
    return Maker(read_block_plan(root / "plan" / "plan.toml"), identity).study(root)


@pytest.mark.parametrize("identity", ["", "0" * 128, "zz"])
def test_a_plan_that_was_never_sealed(tmp_path, identity):
    refused(tmp_path, study_under(tmp_path, identity), "the sealed plan:")


def test_a_plan_that_was_sealed_as_another(tmp_path):
    _, identity = write_plan(tmp_path, changed(analysis={"alpha": 0.01}))
    refused(tmp_path, study_under(tmp_path, identity), "the sealed plan is another one")


def test_a_plan_that_is_no_proposal(tmp_path):
    _, identity = write_plan(tmp_path, status="refuted")
    refused(tmp_path, study_under(tmp_path, identity), "the sealed plan is no proposal")


def test_a_plan_that_was_edited_after_its_seal(honest):
    root, folder = honest
    plan = root / "records/toys/2026-01-01_Plan/plan.toml"
    plan.write_text(plan.read_text() + "\n# edited\n")
    refused(root, folder, "the sealed plan does not verify")


# -- the record ---------------------------------------------------------------------------------


def test_a_record_without_a_seal(honest):
    root, folder = honest
    (folder / "SHA512SUMS").unlink()
    refused(root, folder, "the seal does not verify")


@pytest.mark.parametrize("name", ["README.md", "results.json", log_name(3), "plan.toml"])
def test_a_record_that_was_edited(honest, name):
    root, folder = honest
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data + (b"# \n" if name == "plan.toml" else b" "))
    refused(root, folder, "the seal does not verify")


def test_results_that_say_more_than_the_logs(tmp_path):
    """results.json and record.json are sealed anew with a better story; nobody reads them."""
    folder = make(tmp_path, effects={**EFFECTS, "dclr": 1.0})
    for name in ("SHA512SUMS", "seal.json", "check_seal.py"):
        (folder / name).unlink()
    for name in ("results.json", "record.json"):
        text = (folder / name).read_text().replace('"verdict":"same"', '"verdict":"lower"')
        (folder / name).write_text(text)
    seal(folder)
    refused(tmp_path, folder, "the verdict is same")


def test_a_block_that_is_left_out(tmp_path):
    folder = make(tmp_path)
    unseal(folder)
    (folder / log_name(12)).unlink()
    facts = json.loads((folder / "record.json").read_bytes())
    del facts["logs"]["12"]
    facts["seeds"].remove(12)
    (folder / "record.json").write_bytes(canonical.dumps(facts))
    seal(folder)
    refused(tmp_path, folder, "block 12: not run")
    refused(tmp_path, folder, "does not list exactly the planned blocks")


def test_a_block_that_was_copied_from_another(tmp_path):
    folder = make(tmp_path)
    unseal(folder)
    shutil.copy(folder / log_name(1), folder / log_name(2))
    with pytest.raises(GoldensealError):
        seal(folder)  # its header names another seed than record.json
    facts = json.loads((folder / "record.json").read_bytes())
    facts["logs"]["2"] = log_name(1)
    (folder / "record.json").write_bytes(canonical.dumps(facts))
    with pytest.raises(GoldensealError):
        seal(folder)


def test_blocks_of_several_sources(tmp_path):
    folder = make(tmp_path)
    unseal(folder)
    rewrite(folder / log_name(4), lambda line: {**line, "source": "wall-meter"})
    seal(folder)
    refused(tmp_path, folder, "measured by several sources")
    refused(tmp_path, folder, "the blocks differ in source")


def test_blocks_of_several_plans(tmp_path):
    folder = make(tmp_path)
    unseal(folder)
    rewrite(folder / log_name(4), lambda line: {**line, "plan_record": "0" * 128})
    seal(folder)
    refused(tmp_path, folder, "the blocks name no one sealed plan")


def test_a_record_that_is_not_of_a_measurement(tmp_path):
    folder = make(tmp_path)
    unseal(folder)
    facts = json.loads((folder / "record.json").read_bytes())
    del facts["results"]
    (folder / "record.json").write_bytes(canonical.dumps({**facts, "status": "refuted"}))
    seal(folder)
    refused(tmp_path, folder, "the record is refuted, not measured")


def test_an_arm_left_out_of_the_report_is_judged_all_the_same(tmp_path):
    folder = make(tmp_path)
    assert ("twin", "per_step") in claims(tmp_path, folder)


def unseal(folder):
    for name in ("SHA512SUMS", "seal.json", "check_seal.py"):
        (folder / name).unlink()


def rewrite(path, change):
    """The log again, its header changed, its chain whole."""
    lines = list(run_log_lines(path))
    header, *rest = ({k: v for k, v in line.items() if k != "schema"} for line in lines)
    log = RunLog(path, {k: v for k, v in change(header).items() if k not in ("kind", "chain")})
    for line in rest:
        facts = {k: v for k, v in line.items() if k not in ("kind", "chain", "clock")}
        (log.end if line["kind"] == "end" else lambda f, c, k=line["kind"]: log.write(k, f, c))(
            facts, line.get("clock")
        )


# -- the command --------------------------------------------------------------------------------


def test_the_command_prints_sentences_or_reasons(honest, monkeypatch, capsys):
    root, folder = honest
    monkeypatch.chdir(root)
    for arguments in ([], ["--json"]):
        monkeypatch.setattr("sys.argv", ["goldenseal", "study", "energy", str(folder), *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0
    text, _, document = capsys.readouterr().out.partition("[\n")
    assert "dclr took less energy than base a step" in text
    assert "the verdict is same" in text
    assert {claim["arm"] for claim in json.loads("[" + document)} == {"dclr", "twin"}
    (folder / "README.md").write_text("edited")
    monkeypatch.setattr("sys.argv", ["goldenseal", "study", "energy", str(folder)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 3
