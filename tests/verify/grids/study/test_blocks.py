"""pytest tests/verify/grids/study/test_blocks.py — plans, windows and verdicts of block studies."""

import math

import pytest
import tomli_w

from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from goldenseal.grids.analysis import holm
from goldenseal.grids.blocks.analysis import analyse_blocks, judge
from goldenseal.grids.blocks.plan import read_block_plan
from goldenseal.grids.blocks.report import draw, write_block_report
from goldenseal.grids.blocks.windows import log_name, read_block, read_blocks
from tests.verify.grids.study.blocks_world import FACTS, Maker, changed, make, write_plan


def analyse(root, facts=FACTS, **attributes):
    folder = make(root, facts, **attributes)
    plan = read_block_plan(folder / "plan.toml")
    return analyse_blocks(read_blocks(folder, plan)[0], plan)


# -- the plan -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"null": "base"}, "three arms"),
        ({"null": "dclr"}, "exactly what the baseline sets"),
        ({"control": "nobody"}, "the control 'nobody' is no arm"),
        ({"seeds": [1, 1]}, "listed twice"),
        ({"seeds": [-1, 1]}, "none negative"),
        ({"schema": 2}, "only schema 1"),
        ({"window": {"chunks": 3}}, "must divide"),
        ({"window": {"target": "low"}}, "positive number"),
        ({"window": {"target": "nan"}}, "positive number"),
        ({"analysis": {"alpha": 1.5}}, "expected one between"),
        ({"analysis": {"correction": "none"}}, "expected 'holm'"),
        ({"analysis": {"identical": ["nobody", "again"]}}, "which is no arm"),
        ({"analysis": {"identical": []}}, "must name the null"),
        ({"analysis": {"peek": True}}, "unknown key 'peek'"),
        ({"stopping": {"blocks": 13}}, "the number of seeds, 12"),
        ({"common": {"WIDTH": 8}}, 'WIDTH = "8"'),
        ({"arms": {"A b": {}}}, "cannot name an arm"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(tmp_path, change, words):
    path = tmp_path / "plan.toml"
    path.write_text(tomli_w.dumps(changed(**change)))
    with pytest.raises(UsageError, match=words):
        read_block_plan(path)


def test_every_block_is_mirrored_and_the_orders_differ(tmp_path):
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(FACTS))
    plan = read_block_plan(tmp_path / "plan.toml")
    orders = [plan.order(seed) for seed in plan.seeds]
    assert all(order == order[::-1] for order in orders)
    assert all(sorted(order[:5]) == sorted(FACTS["arms"]) for order in orders)
    assert len({tuple(order) for order in orders}) > 6
    assert orders == [plan.order(seed) for seed in plan.seeds]


# -- windows ------------------------------------------------------------------------------------


def test_the_cost_of_a_loss_is_that_of_whole_chunks_and_a_share_of_one(tmp_path):
    folder = make(tmp_path, noise=0.0)
    plan = read_block_plan(folder / "plan.toml")
    window = read_block(folder / log_name(1), plan, 1).of("base")[0]
    assert window.per_step("seconds") == pytest.approx(12 * 4 / 400)
    assert window.per_step("joules") == pytest.approx(12 * 300 * 4 / 400)
    assert window.to_target("seconds", 1.0) == pytest.approx(12 * (2 + 2 / 3))
    assert window.to_target("seconds", 1.2) == pytest.approx(24)
    assert window.to_target("seconds", 0.5) is None
    assert window.to_target("seconds", 3.0) is None


def test_a_steady_drift_within_a_block_cancels(tmp_path):
    made = {"count": 0}

    def drift(seed, chunk):
        slow = 1 + made["count"] % 40 / 400  # 40 chunks a block: the last is a tenth slower
        made["count"] += 1
        return {**chunk, "seconds": chunk["seconds"] * slow, "joules": chunk["joules"] * slow}

    found = analyse(tmp_path, noise=0.0, chunk=drift)
    assert abs(found["arms"]["again"]["per_step"]["mean"]) < 0.001


# -- verdicts -----------------------------------------------------------------------------------


def test_each_verdict_is_reached(tmp_path):
    found = analyse(tmp_path)
    assert found["rig"] == {"to_target": [], "per_step": []}
    assert (found["cost"], found["energy"]) == ("joules", "measured")
    assert found["arms"]["dclr"]["per_step"]["verdict"] == "lower"
    assert found["arms"]["twin"]["per_step"]["verdict"] == "same"
    assert found["arms"]["dclr"]["per_step"]["mean"] == pytest.approx(math.log(0.985), abs=0.002)


def test_every_p_is_corrected_over_all_arms_and_both_endpoints(tmp_path):
    arms = analyse(tmp_path)["arms"]
    family = [(arm, endpoint) for arm in ("dclr", "twin") for endpoint in ("to_target", "per_step")]
    for key in ("p", "p_same"):
        plain = [arms[arm][endpoint][key] for arm, endpoint in family]
        assert [arms[a][e][f"{key}_holm"] for a, e in family] == holm(plain)
        assert (
            max(arms[a][e][f"{key}_holm"] - p for (a, e), p in zip(family, plain, strict=True)) > 0
        )


def test_a_null_that_is_too_wide_spoils_every_verdict_though_the_control_is_seen(tmp_path):
    effects = {"base": 1, "again": 1, "extra": 1.5, "dclr": 0.5, "twin": 1}
    found = analyse(tmp_path, effects=effects, noise=0.1)
    assert found["rig"]["per_step"] == ["per_step: the null's interval is wider than the margin"]
    assert found["arms"]["dclr"]["per_step"]["verdict"] == "cannot tell"


def test_more_is_higher(tmp_path):
    effects = {"base": 1, "again": 1, "extra": 1.02, "dclr": 1.015, "twin": 1}
    assert analyse(tmp_path, effects=effects)["arms"]["dclr"]["per_step"]["verdict"] == "higher"


def test_where_noise_hides_the_control_nothing_can_be_told(tmp_path):
    found = analyse(tmp_path, noise=0.1)
    assert any("known extra cost" in problem for problem in found["rig"]["per_step"])
    verdicts = {found["arms"][a][e]["verdict"] for a in ("dclr", "twin") for e in found["rig"]}
    assert verdicts == {"cannot tell"}


def test_blocks_that_do_not_vary_allow_no_verdict(tmp_path):
    found = analyse(tmp_path, noise=0.0)
    assert "per_step: the null has no spread: cannot test" in found["rig"]["per_step"]
    assert "per_step: the control has no spread: cannot test" in found["rig"]["per_step"]
    for arm in ("dclr", "twin"):
        facts = found["arms"][arm]["per_step"]
        assert (facts["interval"], facts["p_same"], facts["verdict"]) == (None, None, "cannot tell")


def test_an_arm_that_does_not_vary_under_a_rig_that_holds_cannot_be_told(tmp_path):
    found = analyse(tmp_path)
    plan = read_block_plan(tmp_path / "records/toys/2026-01-01_Plan/plan.toml")
    arms = found["arms"]
    for ratio in (-0.02, 0.0):
        facts = arms["dclr"]["per_step"]
        facts |= {"mean": ratio, "sd": 0.0, "interval": None, "p": 2 / 4096, "p_same": None}
        judge(arms, plan, found["rig"])
        assert arms["dclr"]["per_step"]["verdict"] == "cannot tell"
        assert arms["twin"]["per_step"]["verdict"] == "same"


def test_losses_that_are_equal_in_every_bit_are_the_same_and_one_gain_in_all_is_not(tmp_path):
    def ends(losses):
        def window(arm, facts):
            end = (losses if arm == "twin" else 0.8).hex()
            return {**facts, "losses": [*facts["losses"][:-1], [400, end]]}

        return window

    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    same = analyse(tmp_path / "a", window=ends(0.8))["losses"]["twin"]
    assert (same["p_same"], same["interval"], same["parity"]) == (None, None, True)
    gain = analyse(tmp_path / "b", window=ends(0.8001))["losses"]["twin"]
    assert (gain["p_same"], gain["interval"], gain["parity"]) == (None, None, False)


def test_the_readme_of_blocks_that_do_not_vary_says_so(tmp_path):
    text = (make(tmp_path, noise=0.0) / "README.md").read_text()
    assert "| no spread: cannot test |" in text


def test_a_null_that_is_not_null_spoils_every_verdict(tmp_path):
    effects = {"base": 1, "again": 0.99, "extra": 1.02, "dclr": 0.9, "twin": 1}
    found = analyse(tmp_path, effects=effects)
    assert "per_step: the null's interval does not cover 0" in found["rig"]["per_step"]
    assert found["arms"]["dclr"]["per_step"]["verdict"] == "cannot tell"


def test_without_a_meter_it_is_seconds_and_says_so(tmp_path):
    found = analyse(tmp_path, source="none", refresh_ms=None)
    assert (found["cost"], found["energy"]) == ("seconds", "no energy claim: not measured")
    assert found["means"]["base"]["watts"] is None


def test_one_chunk_without_joules_and_the_whole_study_is_in_seconds(tmp_path):
    once = {"left": 1}

    def lose(seed, chunk):
        if seed == 5 and once.pop("left", 0):
            return {**chunk, "joules": None}
        return chunk

    assert analyse(tmp_path, chunk=lose)["cost"] == "seconds"


def test_the_model_s_joules_are_no_joules(tmp_path):
    assert analyse(tmp_path, source="model")["cost"] == "seconds"


def test_an_unreached_target_is_censored_and_not_dropped(tmp_path):
    def late(arm, facts):
        if arm != "dclr" or facts["initial"] != "w5":
            return facts
        return {**facts, "losses": [[step, (2.0).hex()] for step, _ in facts["losses"]]}

    found = analyse(tmp_path, window=late)["arms"]["dclr"]
    assert found["to_target"]["censored"] == 1
    assert found["to_target"]["mean"] is None
    assert found["to_target"]["verdict"] == "cannot tell"
    assert found["per_step"]["verdict"] == "lower"


def test_a_flagged_block_is_dropped_by_rule_named_and_missed(tmp_path):
    def flag(seed, chunk):
        return {**chunk, "flags": ["throttled"]} if seed == 3 else chunk

    found = analyse(tmp_path, chunk=flag)
    assert (found["valid"], found["dropped"]) == (11, {"3": ["throttled"]})
    assert "11 valid blocks, the plan asks for 12" in found["rig"]["per_step"]
    assert found["arms"]["dclr"]["per_step"]["verdict"] == "cannot tell"


@pytest.mark.parametrize("key", ["initial", "data_order", "reads", "lr"])
def test_an_arm_that_did_not_do_the_same_spoils_the_study(tmp_path, key):
    def other(arm, facts):
        return {**facts, key: "0x1p-3" if key == "lr" else 7} if arm == "twin" else facts

    found = analyse(tmp_path, window=other)
    assert f"block 1, twin: `{key}` is not the baseline's" in found["rig"]["per_step"]
    assert found["arms"]["dclr"]["per_step"]["verdict"] == "cannot tell"


def test_an_arm_that_must_be_identical_and_is_not_spoils_the_study(tmp_path):
    def drifted(arm, facts):
        return {**facts, "final": "elsewhere"} if arm == "twin" else facts

    found = analyse(tmp_path, window=drifted)
    assert "block 1, twin: `final` is not that of the baseline" in found["rig"]["per_step"]


# -- logs ---------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path):
    folder = make(tmp_path, drawn=True)
    return folder, read_block_plan(folder / "plan.toml")


def test_an_edited_a_cut_and_a_foreign_log_are_refused(world):
    folder, plan = world
    whole = (folder / log_name(1)).read_bytes()
    atomic_write(folder / log_name(1), whole.replace(b'"steps":400', b'"steps":401', 1))
    with pytest.raises(ContradictedError, match="chain breaks"):
        read_block(folder / log_name(1), plan, 1)
    atomic_write(folder / log_name(1), whole[: len(whole) // 2])
    with pytest.raises(ContradictedError, match="cut short"):
        read_block(folder / log_name(1), plan, 1)
    with pytest.raises(ContradictedError, match="seed '2'"):
        read_block(folder / log_name(2), plan, 1)
    other = read_block_plan_of(folder, changed(name="other"))
    with pytest.raises(ContradictedError, match="another plan"):
        read_block(folder / log_name(2), other, 2)


def read_block_plan_of(folder, facts):
    path = folder.parent / "other.toml"
    path.write_text(tomli_w.dumps(facts))
    return read_block_plan(path)


@pytest.mark.parametrize(
    ("window", "error", "words"),
    [
        ({"steps": 1}, ContradictedError, "not the plan's"),
        ({"losses": [[n * 100, "what"] for n in range(5)]}, UsageError, "of another form"),
        ({"losses": [[n * 100, "inf"] for n in range(5)]}, ContradictedError, "not finite"),
        ({"arm": "extra"}, ContradictedError, "not in the order"),
    ],
)
def test_a_window_of_another_form_is_refused(tmp_path, window, error, words):
    _, identity = write_plan(tmp_path)
    plan = read_block_plan_of(tmp_path / "records", FACTS)
    maker = Maker(plan, identity, window=lambda arm, facts: {**facts, **window})
    maker.block(tmp_path, 1)
    with pytest.raises(error, match=words):
        read_block(tmp_path / log_name(1), plan, 1)


def test_a_chunk_that_took_no_time_is_refused(tmp_path):
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(FACTS))
    plan = read_block_plan(tmp_path / "plan.toml")
    Maker(plan, "", chunk=lambda seed, c: {**c, "seconds": 0.0}).block(tmp_path, 1)
    with pytest.raises(ContradictedError, match="took no time"):
        read_block(tmp_path / log_name(1), plan, 1)


# -- the report ---------------------------------------------------------------------------------


def test_the_report_is_the_same_twice_and_an_incomplete_study_has_none(world):
    folder, plan = world
    names = ("README.md", "plot.svg", "record.json", "results.json")
    before = {name: (folder / name).read_bytes() for name in names}
    write_block_report(folder, {})
    assert before == {name: (folder / name).read_bytes() for name in names}
    blocks, _ = read_blocks(folder, plan)
    assert draw(blocks, analyse_blocks(blocks, plan), plan) == before["plot.svg"]
    (folder / log_name(4)).unlink()
    with pytest.raises(CannotCheckError, match="1 of 12 blocks are not finished, such as 4"):
        write_block_report(folder, {})


def test_the_readme_names_every_arm_and_the_missing_meter(tmp_path):
    text = (make(tmp_path, source="none", refresh_ms=None) / "README.md").read_text()
    assert "**no energy claim: not measured.**" in text
    assert all(f"| {arm} |" in text for arm in FACTS["arms"])
