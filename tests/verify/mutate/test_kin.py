"""pytest tests/verify/mutate/test_kin.py — a file of two systems is judged by both."""

import pytest

from goldenseal.errors import CannotCheckError
from goldenseal.mutate.kin import judge_by_kin, kin_of
from goldenseal.mutate.plan import read_plan
from goldenseal.mutate.runner import Runner
from tests.verify.mutate import toy

SHORT = """
[tool.goldenseal.systems.short]
module = "toy_trainer"
probe = "toy_trainer.short:PROBE"

[tool.goldenseal.systems.short.mutate]
schedule = ["toy_trainer/schedule.py"]
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Beside the toy one of a single step, to which x / 1 and x * 1 are the same."""
    root = toy.write(tmp_path_factory.mktemp("kin"))
    probe = (root / "toy_trainer/probe.py").read_text().replace("{}", '{"STEPS": "1"}')
    (root / "toy_trainer/short.py").write_text(probe)
    with open(root / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write(SHORT)
    return root


@pytest.fixture(scope="module")
def judged(repository):
    """The runner of the short system, and what it says of two mutants."""
    with Runner(read_plan(repository, "short"), 2) as runner:
        mutants = [m for m in runner.prepare() if m.edit in ("/ -> *", "1000 -> 1001")]
        runner.control()
        yield runner, dict(runner.judge(mutants))


def test_what_one_system_cannot_tell_the_other_notices(judged):
    runner, survivors = judged
    assert [r["outcome"] for r in survivors.values()] == ["survived"] * 2
    kin = kin_of(runner.plan)
    assert [plan.system for plan in kin] == ["toy"]
    results = {m.edit: r for m, r in judge_by_kin(kin, runner, survivors)}
    assert results["/ -> *"]["outcome"] == "killed"
    assert "training (toy)" in results["/ -> *"]["failed"]
    assert results["1000 -> 1001"]["outcome"] == "survived"


def test_a_file_that_changed_meanwhile_is_refused(judged, repository):
    runner, survivors = judged
    path = repository / "toy_trainer/schedule.py"
    before = path.read_bytes()
    path.write_bytes(before + b"# later\n")
    try:
        with pytest.raises(CannotCheckError, match=r"schedule\.py changed while its mutants"):
            list(judge_by_kin(kin_of(runner.plan), runner, survivors))
    finally:
        path.write_bytes(before)


def test_systems_that_share_nothing_are_no_kin(repository):
    assert kin_of(read_plan(repository, "toy"))[0].system == "short"
    path = repository / "pyproject.toml"
    text = path.read_text()
    path.write_text(text.replace(SHORT, SHORT.replace("schedule.py", "train.py")))
    try:
        assert kin_of(read_plan(repository, "toy")) == []
    finally:
        path.write_text(text)
