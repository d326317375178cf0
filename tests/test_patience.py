"""pytest tests/test_patience.py — deadlines follow the machine, and a hang is still a hang."""

import ast

import pytest

from tests import patience as module
from tests.patience import patience, slowness, wait_until


class Machine:
    """A clock that stands still but for sleeps and the yardstick, and how slow it is by turns."""

    def __init__(self, monkeypatch, *slow):
        self.now, self.slow = 0.0, list(slow)
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(module.time, "sleep", self.pass_by)
        monkeypatch.setattr(module, "slowness", lambda: self.slow.pop(0))
        module._measured_once.cache_clear()

    def pass_by(self, seconds):
        self.now += seconds


@pytest.fixture(autouse=True)
def forgotten():
    """No test leaves what a fake machine measured to the others."""
    yield
    module._measured_once.cache_clear()


def test_the_machine_is_measured_once_and_stretches_every_deadline(monkeypatch):
    Machine(monkeypatch, 3.0)
    assert [patience(20), patience(2)] == [60, 6]


def test_a_faster_machine_shortens_nothing(monkeypatch):
    monkeypatch.setattr(module, "REFERENCE_S", 1e9)
    assert slowness() == 1.0


def test_a_hang_ends_when_its_time_is_up(monkeypatch):
    machine = Machine(monkeypatch, 2.0, 2.0)
    with pytest.raises(RuntimeError, match="nothing came"):
        wait_until(lambda: False, 10, "nothing came", pause=1)
    assert machine.now == 21


def test_a_machine_that_got_busier_meanwhile_is_given_longer(monkeypatch):
    machine = Machine(monkeypatch, 1.0, 3.0, 3.0)
    wait_until(lambda: machine.now >= 25, 10, "nothing came", pause=1)
    assert machine.slow == [3.0], "once at first, and once when the time was up"


# -- no test has a deadline of its own -----------------------------------------------------------


CLOCKS = ("monotonic", "perf_counter")


def is_number(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def reads_a_clock(node):
    names = [n.func.attr for n in ast.walk(node) if isinstance(n, ast.Call) and is_method(n)]
    return any(name in CLOCKS for name in names)


def is_method(call):
    return isinstance(call.func, ast.Attribute)


def limits_of(node):
    """The plain numbers by which a statement limits how long something may take."""
    if isinstance(node, ast.Call):
        named = [k.value for k in node.keywords if k.arg in ("timeout", "deadline")]
        waits = is_method(node) and node.func.attr in ("wait", "join")
        return [*named, *(node.args[:1] if waits else [])]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and reads_a_clock(node.left):
        return [node.right]  # a deadline on the clock
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        pairs = zip(sides, node.ops, sides[1:], strict=False)
        return [c for a, op, c in pairs if isinstance(op, ast.Lt | ast.LtE) and reads_a_clock(a)]
    return []


def fixed_deadlines(text):
    """Lines of a program that say in plain seconds how long something may take."""
    nodes = ast.walk(ast.parse(text))
    return [node.lineno for node in nodes for limit in limits_of(node) if is_number(limit)]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("subprocess.run(x, timeout=120)", [1]),
        ("process.wait(15)", [1]),
        ("@settings(deadline=200)\ndef test(): pass", [1]),
        ("process.communicate(timeout=3.5)", [1]),
        ("end = time.monotonic() + 20", [1]),
        ("assert time.perf_counter() - begin < 20", [1]),
        ("assert 3 <= time.monotonic() - begin < patience(20)", []),
        ("os.utime(path, (time.time() + 3600,) * 2)", []),
        ("subprocess.run(x, timeout=patience(120))", []),
        ("process.wait(patience(15))", []),
        ('" ".join(words)', []),
        ("settings(deadline=None)", []),
    ],
)
def test_a_deadline_in_plain_seconds_is_found(line, lines):
    assert fixed_deadlines(line) == lines


def test_no_test_has_a_deadline_in_plain_seconds(root):
    found = [
        f"{path.relative_to(root)}:{line}"
        for path in sorted((root / "tests").rglob("*.py"))
        for line in fixed_deadlines(path.read_text(encoding="utf-8"))
    ]
    assert found == []
