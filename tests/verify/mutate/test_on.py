"""pytest tests/verify/mutate/test_on.py — mutants that unit tests judge before the gates do."""

import pytest

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.mutate import command, unit_tests
from goldenseal.mutate.command import Wish
from goldenseal.mutate.plan import read_plan
from goldenseal.mutate.reach import digest_of
from goldenseal.mutate.runner import Runner, apart
from goldenseal.mutate.testing import perform
from tests.verify.mutate import toy

FILE = "checks/test_toy_extra.py"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return toy.write_on(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def ready(repository):
    """A runner whose unchanged code has passed the tests and the gates, and the mutants."""
    plan = read_plan(repository, "toy", on=True)
    with Runner(plan, 2) as made:
        mutants = made.prepare()
        made.control(repository / "reach.json")
        yield made, mutants


@pytest.fixture
def judge(ready):
    """judge(edit): the result of the mutant of `extra.py` with that edit."""
    made, mutants = ready

    def judge(edit):
        chosen, *_ = [m for m in mutants if m.edit == edit]
        ((_, result),) = made.judge([chosen])
        return result

    return judge


def names(tests):
    return [test.removeprefix(f"{FILE}::") for test in tests]


def of(ready, text):
    made, mutants = ready
    reach = made.stages[0].reach
    (mutant,) = {m.text: m for m in mutants if m.text == text}.values()
    return set(names(reach.tests_of(mutant)))


def test_each_line_knows_the_tests_that_execute_it_in_a_shared_fixture_or_in_a_fork(ready):
    assert of(ready, "step += 1") == {"test_first", "test_second"}
    assert of(ready, "return step * 3") == {"test_in_a_fork"}
    assert of(ready, "return step - 5") == set()


def test_what_is_executed_at_import_is_asked_of_every_test_and_first_of_those_nearby(ready):
    made, mutants = ready
    start = next(m for m in mutants if m.text == "START = 2")
    found = names(made.stages[0].reach.tests_of(start))
    assert set(found[:3]) == {"test_first", "test_second", "test_in_a_fork"}
    assert found[3:] == ["test_of_something_else"]


def test_a_file_of_the_default_path_counts_only_where_features_reach_more(ready):
    _, mutants = ready
    assert {m.area for m in mutants} == {"extra"}  # this toy has no feature


def test_the_test_that_fails_is_named(judge):
    result = judge("2 -> 3")
    assert (result["outcome"], result["failed"]) == ("killed", [unit_tests.NAME])
    assert result["reason"] == f"unit tests: {FILE}::test_first: assert 3 == 2"
    assert judge("3 -> 4")["reason"].startswith(f"unit tests: {FILE}::test_in_a_fork: assert 8")


def test_what_no_test_and_no_gate_reaches_survives(judge):
    assert judge("5 -> 6")["outcome"] == "survived"


def test_a_test_that_no_longer_ends_is_stopped_and_named(judge, monkeypatch):
    monkeypatch.setattr(unit_tests, "LEAST_SECONDS", 1.0)
    result = judge("+= -> -=")
    assert result["outcome"] == "timeout"
    assert "_toy_extra.py::test_" in result["reason"]
    assert "still running" in result["reason"]


@pytest.mark.parametrize("edit", ["START = 2 -> pass", "\"here\" -> 'herex'"])
def test_code_that_no_test_can_import_is_killed(judge, edit):
    result = judge(edit)
    assert (result["outcome"], result["failed"]) == ("killed", [unit_tests.NAME])


def test_tests_that_fail_on_the_unchanged_code_can_show_nothing(tmp_path):
    root = toy.write_on(tmp_path)
    path = root / FILE
    path.write_text(path.read_text().replace("== 6", "== 7"))
    with Runner(read_plan(root, "toy", on=True), 1) as made:
        made.prepare()
        with pytest.raises(CannotCheckError, match="test_in_a_fork: assert 6 == 7"):
            made.control(tmp_path / "reach.json")


def test_a_test_that_needs_another_before_it_can_show_nothing(tmp_path):
    root = toy.write_on(tmp_path)
    (root / FILE).write_text(
        "import time\nfrom toy_trainer import extra\n\n\n"
        "def test_first():\n    time.sleep(0)\n    sum(range(10**7))\n    extra.START = 9\n\n\n"
        "def test_second():\n    assert extra.START == 9\n"
    )
    with Runner(read_plan(root, "toy", on=True), 1) as made:
        made.prepare()
        with pytest.raises(CannotCheckError, match=r"does not pass: unit tests: .*test_second"):
            made.control(tmp_path / "reach.json")


def test_a_document_of_its_own_is_written_and_results_stand_until_a_test_changes(tmp_path):
    root = toy.write_on(tmp_path)
    wish = Wish("toy", 4, 3, on=True)
    found = command.mutate(root, wish)
    command.write(root, found)
    assert command.read(root, "toy-on") == found
    assert "judged by unit tests" in (root / "docs/mutation.md").read_text()
    before = sorted((root / ".goldenseal/mutants").iterdir())
    assert command.mutate(root, wish) == found
    assert sorted((root / ".goldenseal/mutants").iterdir()) == before
    digest = digest_of(root, ("checks",))
    (root / FILE).write_text((root / FILE).read_text() + "\n")
    assert digest_of(root, ("checks",)) != digest


def test_less_is_asked_of_features_than_of_the_default_path():
    assert (Wish("toy", 1, 1).required, Wish("toy", 1, 1, on=True).required) == (0.97, 0.95)
    assert Wish("toy", 1, 1, require=0.5, on=True).required == 0.5


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('tests = ["checks"]', "", "takes `tests`"),
        ('tests = ["checks"]', 'tests = ["nowhere"]', "nowhere, which is not there"),
        ("mutate_on.areas]", "mutate_on.places]", r"mutate_on.areas\] is not there"),
        ('tests = ["checks"]', 'tests = ["checks"]\nfiles = []', "takes `tests`"),
    ],
)
def test_a_wrong_plan_is_refused(tmp_path, old, new, words):
    root = toy.write_on(tmp_path)
    path = root / "pyproject.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UsageError, match=words):
        read_plan(root, "toy", on=True)


def test_the_cases_of_other_systems_are_left_out(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    cases = tmp_path / "test_cases.py"
    cases.write_text(
        "import pytest\n\n\n"
        '@pytest.mark.parametrize("name", ["toy", "other"])\n'
        "def test_name(name):\n"
        '    assert name == "toy"\n'
    )
    code, words = apart(perform, tmp_path, [cases], object(), {"other"})
    assert (code, words) == (0, "")
    code, words = apart(perform, tmp_path, [cases], object())
    assert code == 1
    assert words.startswith("test_cases.py::test_name[other]: ")


def test_other_systems_are_those_that_are_registered(root):
    assert read_plan(root, "credit", on=True).others >= {"gpt", "soup", "vit_rft"}
    assert "credit" not in read_plan(root, "credit", on=True).others
