"""pytest tests/train_gpt_style/vit_rft/test_vit_energy_study.py — the study itself, very small."""

import shutil

import pytest
import tomli_w
import torch

from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from goldenseal.grids.blocks.claims import energy_claims
from goldenseal.grids.blocks.plan import read_block_plan
from goldenseal.grids.blocks.windows import log_name, problems_with_blocks, read_blocks
from goldenseal.records.check import check as check_record
from goldenseal.records.seal import seal
from goldenseal.records.source import SourceTree
from train_gpt_style.kit.energy import Model, NoMeter
from train_gpt_style.vit_rft import run
from train_gpt_style.vit_rft.energy_study import __main__ as command
from train_gpt_style.vit_rft.energy_study import pilot, profile, runner
from train_gpt_style.vit_rft.energy_study.finish import finish
from train_gpt_style.vit_rft.energy_study.window import Arm, Held, Trainer, measure_window

SMALL = {
    "DATA_DIR": "",
    "CLASSES": "3",
    "IMAGE_SIZE": "8",
    "PATCH_SIZE": "4",
    "DIM": "6",
    "DEPTH": "1",
    "HEADS": "1",
    "BATCH": "4",
    "LR": "0.0009765625",
    "SYNTHETIC_IMAGES": "32",
}
COUNTS = {"TRAIN_IMAGES": "16", "VAL_IMAGES": "8"}
SHAPE = {"steps": 4, "chunks": 2}


@pytest.fixture(scope="module")
def world():
    """(context, training images, validation images)."""
    ctx = run.Context({})
    splits = run.load_data(Arm.of("base", SMALL).settings)
    return ctx, *(Held(s, n, ctx.device) for s, n in zip(splits, (16, 8), strict=True))


def measure(world, own, meter=None, shape=SHAPE):
    ctx, train, val = world
    arm = Arm.of("arm", {**SMALL, **own})
    return measure_window(arm, 7, shape, train, val, meter or NoMeter(), ctx)


# -- arms ---------------------------------------------------------------------------------------

ADAMS = [{"THROUGH_DCLR": "1"}, {"OBSERVE": "1"}, {"EXTRA_EVERY": "2"}]


@pytest.mark.parametrize("own", ADAMS, ids=lambda own: next(iter(own)))
def test_the_arms_that_are_adam_are_adam_to_the_bit(world, own):
    base, other = measure(world, {})[0], measure(world, own)[0]
    for key in ("initial", "final", "losses", "data_order", "reads", "lr"):
        assert other[key] == base[key], key
    assert base["reads"] == SHAPE["steps"]
    assert base["initial"] != base["final"]


@pytest.mark.parametrize("own", [{"DCLR_GAIN": "0.5"}, {"LR": "0.001"}])
def test_the_other_arms_are_not_and_start_and_read_alike(world, own):
    base, other = measure(world, {})[0], measure(world, own)[0]
    assert other["final"] != base["final"]
    assert [other[k] for k in ("initial", "data_order", "reads")] == [
        base[k] for k in ("initial", "data_order", "reads")
    ]
    assert other["losses"][0] == base["losses"][0]
    assert (other["mean_scale"] is None) == ("LR" in own)


def test_the_control_does_the_known_extra_work(world, monkeypatch):
    ctx, train, _ = world
    calls = []
    trainer = Trainer(Arm.of("extra", {**SMALL, "EXTRA_EVERY": "3"}), 1, train, ctx)
    plain = trainer.gradients
    monkeypatch.setattr(trainer, "gradients", lambda x, y: calls.append(1) or plain(x, y))
    trainer.steps(9)
    assert len(calls) == 9 + 3


def test_a_window_is_the_loop_of_a_run(world, tmp_path, monkeypatch):
    """The study's own loop trains exactly what `run.main` trains."""
    monkeypatch.chdir(tmp_path)
    ctx, train, _ = world
    arm = Arm.of("base", SMALL)
    trainer = Trainer(arm, 7, train, ctx)
    trainer.steps(3)
    run.seed_generators(trainer.settings)
    model = run.build_model(trainer.settings, ctx, 3)
    optimizer = run.build_optimizer(trainer.settings, model)
    loader = run.Loader(train, 4, 7, ctx.device)
    steps = {**trainer.settings.as_environment(), "STEPS": "3", "LOG_EVERY": "0"}
    settings = run.SYSTEM.read(steps)
    run.train(settings, model, optimizer, loader, ctx, print, lambda step: None, [])
    pairs = zip(model.parameters(), trainer.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"OBSERVE": "1", "EXTRA_EVERY": "2"}, "exclude each other"),
        ({"EXTRA_EVERY": "0"}, "positive whole"),
        ({"OBSERVE": "yes"}, "positive whole"),
        ({"OBSERVE": "1", "DCLR_GAIN": "0.5"}, "is of Adam"),
        ({"DCLR_GAINS": "0.5"}, "did you mean"),
    ],
)
def test_an_arm_that_makes_no_sense_is_refused(own, words):
    with pytest.raises(UsageError, match=words):
        Arm.of("arm", {**SMALL, **own})


def test_validation_is_not_metered(world, monkeypatch):
    now = [0.0]

    def clock():
        now[0] += 1.0
        return now[0]

    def evaluate(*arguments):
        now[0] += 1000.0
        return plain(*arguments)

    plain = run.evaluate
    monkeypatch.setattr(run, "evaluate", evaluate)
    _, clocks = measure(world, {}, Model(10.0, clock))
    assert all(chunk["seconds"] < 100 for chunk in clocks["chunks"])
    assert all(chunk["joules"] > 0 for chunk in clocks["chunks"])


# -- the study ----------------------------------------------------------------------------------

ARMS = {
    "base": {},
    "again": {},
    "extra": {"EXTRA_EVERY": "2"},
    "observe-only": {"OBSERVE": "1"},
    "dclr": {"DCLR_GAIN": "0.25"},
}


def facts_of(seeds=(3, 5)):
    analysis = {"alpha": 0.05, "confidence": 0.95, "margin": 0.01, "loss_margin": 0.01}
    analysis |= {"presumed": 0.02, "identical": ["again", "extra", "observe-only"]}
    analysis |= {"correction": "holm", "counts": "the rule"}
    return {
        "schema": 1,
        "name": "very small",
        "question": "Is it small?",
        "system": "vit_rft",
        "seeds": list(seeds),
        "baseline": "base",
        "null": "again",
        "control": "extra",
        "common": {**SMALL, **COUNTS},
        "arms": ARMS,
        "window": {**SHAPE, "target": "1.0"},
        "analysis": analysis,
        "stopping": {"blocks": 2, "rule": "when all ran"},
    }


def plan_folder(tmp_path, facts, sealed=True):
    folder = tmp_path / "2026-01-01_Plan"
    folder.mkdir()
    (folder / "plan.toml").write_text(tomli_w.dumps(facts))
    record = {"schema": 1, "name": "Plan", "date": "2026-01-01", "status": "proposal", "seeds": []}
    (folder / "record.json").write_bytes(canonical.dumps(record))
    if sealed:
        seal(folder)
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory, root):
    """(plan's folder, unsealed study's folder)."""
    patch = pytest.MonkeyPatch()
    patch.setattr(profile, "COUNTED", 2)
    tree = SourceTree({"some.py": "0" * 128})  # the real one may be edited while tests run
    patch.setattr(runner, "read_source", lambda root: tree)
    patch.chdir(root)
    folder = tmp_path_factory.mktemp("study")
    plan = plan_folder(folder, facts_of())
    runner.run_blocks(plan, folder / "2026-01-02_Study")
    yield plan, folder / "2026-01-02_Study"
    patch.undo()


@pytest.fixture
def copy(study, tmp_path):
    """(plan's folder, a copy of the study to break)."""
    plan, folder = study
    return plan, shutil.copytree(folder, tmp_path / folder.name)


def test_every_block_is_there_and_its_arms_did_the_same(study):
    plan = read_block_plan(study[1] / "plan.toml")
    blocks, lacking = read_blocks(study[1], plan)
    assert lacking == {}
    assert problems_with_blocks(blocks, plan) == []
    assert blocks[0].windows[0].facts["initial"] != blocks[1].windows[0].facts["initial"]


def test_the_profile_counts_what_observing_and_the_control_cost(study):
    found = canonical.read(study[1] / "profile.json", "profile.json")
    operations = {arm: facts["operations"] for arm, facts in found.items()}
    assert operations["again"] == operations["base"] < operations["observe-only"]
    assert operations["base"] < operations["extra"]
    assert {facts["reads"] for facts in found.values()} == {2}
    assert {facts["kernels"] for facts in found.values()} == {None}


def test_killed_it_goes_on_after_the_last_whole_block(copy):
    plan, folder = copy
    whole = (folder / log_name(3)).read_bytes()
    cut = (folder / log_name(5)).read_bytes()
    (folder / log_name(5)).write_bytes(cut[: len(cut) // 2])
    told = []
    runner.run_blocks(plan, folder, lambda done, total, words: told.append((done, total, words)))
    assert told[0] == (10, 20, "1 of 2 blocks to run")
    assert told[-1][:2] == (20, 20)
    assert (folder / log_name(3)).read_bytes() == whole
    again = read_blocks(folder, read_block_plan(folder / "plan.toml"))[0]
    before = read_blocks(study_of(copy), read_block_plan(folder / "plan.toml"))[0]
    assert [w.facts["final"] for w in again[1].windows] == [
        w.facts["final"] for w in before[1].windows
    ]


def study_of(copy):
    """The folder that was copied."""
    return copy[0].parent / copy[1].name


def test_the_last_step_seals_and_the_printer_says_why_there_is_no_claim(copy, root):
    _, folder = copy
    assert not check_record(folder).holds
    finish(folder)
    assert check_record(folder).holds
    assert "no energy claim: not measured" in (folder / "README.md").read_text()
    claims = energy_claims(root, folder)
    assert [c.sentence for c in claims] == [None] * 4
    assert all("no energy claim: not measured" in c.refusals for c in claims)


def test_an_unfinished_study_is_not_sealed(copy):
    _, folder = copy
    (folder / log_name(5)).unlink()
    with pytest.raises(CannotCheckError, match="1 of 2 blocks are not finished"):
        finish(folder)
    assert not (folder / "SHA512SUMS").exists()


def test_a_foreign_file_is_not_sealed_along(copy):
    (copy[1] / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt: not of this study"):
        finish(copy[1])


def test_a_plan_that_is_not_sealed_is_not_run(tmp_path):
    folder = plan_folder(tmp_path, facts_of(), sealed=False)
    with pytest.raises(ContradictedError, match="seal the plan before it is run"):
        runner.run_blocks(folder, tmp_path / "study")


def test_another_plan_or_source_is_a_new_study(copy, tmp_path, monkeypatch):
    _, folder = copy
    other = plan_folder(tmp_path, facts_of((3, 6)))
    with pytest.raises(UsageError, match="begun with another plan"):
        runner.run_blocks(other, folder)
    monkeypatch.setattr(runner, "read_source", lambda root: SourceTree({"a": "b"}))
    with pytest.raises(UsageError, match="begun with another source"):
        runner.run_blocks(copy[0], folder)


def test_arms_of_unlike_work_are_refused(tmp_path):
    facts = facts_of()
    facts["arms"] = {**ARMS, "dclr": {"DEPTH": "2"}}
    with pytest.raises(UsageError, match="differ in DEPTH"):
        runner.run_blocks(plan_folder(tmp_path, facts), tmp_path / "study")


# -- the plan -----------------------------------------------------------------------------------


def test_the_pilot_writes_a_plan_that_can_be_sealed_and_read(tmp_path, monkeypatch):
    monkeypatch.setattr(pilot, "PILOT_SEEDS", (1,))
    given = {**SMALL, **COUNTS}
    folder = tmp_path / "2026-01-01_Plan"
    plan = pilot.write_plan(folder, given, steps=4, chunks=2, blocks=14)
    assert list(plan.arms) == list(pilot.ARMS)
    assert plan.tested == ["gain-zero", "observe-only", "dclr", "dclr-coupled", "matched-lr"]
    assert len(plan.seeds) == 14
    assert 0.75 < float(plan.arms["matched-lr"]["LR"]) / float(SMALL["LR"]) < 1.25
    seal(folder)
    assert runner.sealed_plan(folder)[0].digest == plan.digest
    with pytest.raises(UsageError, match="holds a plan already"):
        pilot.write_plan(folder, given)
    with pytest.raises(UsageError, match="expected a folder such as"):
        pilot.write_plan(tmp_path / "plan", given)


def test_the_plan_that_was_sealed_is_what_the_printer_asks_for(root):
    """The committed plan loosens no limit of the claim printer."""
    from goldenseal.grids.blocks.claims import problems_with_plan

    folder = root / "records/track_vit_tiny/2026-11-23_EnergyPlan"
    plan, identity = runner.sealed_plan(folder)
    block = type("B", (), {"header": {"plan_record": identity}})
    assert problems_with_plan(root, plan, [block]) == []
    assert [Arm.of(n, {**SMALL, **own}).name for n, own in plan.arms.items()] == list(plan.arms)


def test_the_command_names_bad_input_in_one_line(tmp_path, capsys):
    assert command.main(["run", str(tmp_path / "no"), str(tmp_path / "study")]) in (1, 2)
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert command.main([]) == 2
    assert command.main(["--help"]) == 0
