"""pytest tests/verify/ladder/test_recorder.py

The flight recorder, on the worked example of the docs.
"""

import time

import pytest
import torch

from goldenseal.digest import published_digest, short, tensor_digest
from goldenseal.ladder.events import Event
from goldenseal.ladder.findings import ranked
from goldenseal.ladder.inspection import inspect_model, perturb
from goldenseal.ladder.optrace import traced
from goldenseal.ladder.output import log_facts
from goldenseal.ladder.probe import Script, environment
from goldenseal.ladder.probe_file import probe_from_toml
from goldenseal.ladder.recorder import counting_clock, record


@pytest.fixture(scope="module")
def probe(example):
    return probe_from_toml(
        example / "probe.toml", str(example / "baseline.py"), str(example / "candidate.py")
    )


SMALL = {"STEPS": "3", "WIDTH": "8"}


def test_the_same_run_recorded_twice_is_the_same_recording(probe):
    first, second = (record(probe, probe.baseline, SMALL, trace=True) for _ in range(2))
    assert first.error is None
    assert first.digest() == second.digest()


def test_a_recording_holds_batches_steps_lines_and_files(probe):
    places = [event.where for event in record(probe, probe.baseline, SMALL, trace=False).events]
    assert places[0] == "initial state"
    for place in ("forward (train) 3", "before AdamW step 3", "after AdamW step 3", "end"):
        assert place in places
    assert places.count("printed line 4") == 1
    assert places[-1] == "file weights.txt"


def test_what_a_thread_of_a_library_prints_is_no_line_of_the_run(probe, tmp_path, example):
    """How often it does is the machine's business; a thread of the script's own is the script."""
    source = (example / "baseline.py").read_text()
    anchor = "    model.eval()\n"
    planted = tmp_path / "planted.py"
    threads = """
    import threading
    for timer in (threading.Timer(0, print, ["drawn"]), threading.Timer(0, lambda: print("mine"))):
        timer.start()
        timer.join()
"""
    planted.write_text(source.replace(anchor, anchor + threads, 1))
    other = probe_from_toml(example / "probe.toml", str(planted), str(example / "candidate.py"))
    events = record(other, other.baseline, SMALL, trace=False).events
    lines = [event.facts["text"] for event in events if event.where.startswith("printed line")]
    assert "mine" in lines
    assert "drawn" not in lines


def test_a_change_of_a_switch_has_one_place_whatever_is_printed_around_it(probe, tmp_path, example):
    """And no folder of one run alone in its text."""
    source = (example / "baseline.py").read_text()
    anchor = "    model.eval()\n"
    switch = """
    import os
    torch.use_deterministic_algorithms(True)
    os.environ["ROOT"] = os.getcwd()
    print("switched")
"""
    recorded = []
    for name, more in ("a", ""), ("b", '    print("a line more")\n'):
        planted = tmp_path / f"{name}.py"
        planted.write_text(source.replace(anchor, more + switch + anchor, 1))
        other = probe_from_toml(example / "probe.toml", str(planted), str(example / "candidate.py"))
        recorded.append(record(other, other.baseline, SMALL, trace=True))
        torch.use_deterministic_algorithms(False)
    a, b = recorded
    assert a.flags == b.flags
    assert a.passing == b.passing
    assert any(text.endswith("variable ROOT is ., was None") for text in a.flags)


def test_tracing_adds_operations_and_changes_no_fact(probe):
    plain = record(probe, probe.baseline, SMALL, trace=False)
    traced_run = record(probe, probe.baseline, SMALL, trace=True)
    assert [e.facts for e in plain.events] == [e.facts for e in traced_run.events]
    assert not any(e.operations for e in plain.events)
    assert sum(len(e.operations) for e in traced_run.events) > 100


def test_a_crash_is_part_of_the_recording(probe):
    recording = record(probe, probe.baseline, SMALL | {"LEARNING_RATE": "-1"}, trace=False)
    assert "ValueError" in recording.error
    assert "Invalid learning rate" in recording.error


def test_every_parameter_is_owned_once_and_moves(probe):
    recording = record(probe, probe.baseline, SMALL, trace=False)
    assert set(recording.owners.values()) == {1}
    assert recording.moved == set(recording.trainable)


def test_the_first_difference_of_each_kind_names_event_and_fact():
    a = [Event("step 1", {"x": "1"}), Event("step 2", {"x": "1", "y": "2"})]
    b = [Event("step 1", {"x": "1"}), Event("step 2", {"x": "1", "y": "3"})]
    assert ranked(a, a) == []
    assert ranked(a, b) == ["step 2: y is 3, expected 2"]
    assert ranked(a, a[:1]) == ["step 2 is missing (1 of `step`, expected 2)"]
    assert ranked(a[:1], a) == ["step 2 is extra (2 of `step`, expected 1)"]


def test_the_counting_clock_advances_by_readings_only():
    with counting_clock():
        assert time.perf_counter() == 0.001
        assert time.perf_counter() == 0.002
    assert time.perf_counter() > 1


def test_stray_variables_do_not_reach_the_script(monkeypatch, probe):
    monkeypatch.setenv("STEPS", "1")
    with environment(SMALL):
        import os

        assert os.environ["STEPS"] == "3"
    monkeypatch.setenv("LEARNING_RATE", "7")
    stray = record(probe, probe.baseline, SMALL, trace=False)
    monkeypatch.delenv("LEARNING_RATE")
    assert stray.digest() == record(probe, probe.baseline, SMALL, trace=False).digest()


def test_perturbation_leaves_no_zero_and_depends_on_names_only():
    def model(extra):
        modules = {
            "a": torch.nn.Linear(4, 4),
            **({"extra": torch.nn.Linear(2, 2)} if extra else {}),
        }
        net = torch.nn.ModuleDict(modules)
        torch.nn.init.zeros_(net["a"].weight)
        perturb(net)
        return net["a"].weight

    assert torch.equal(model(False), model(True))
    assert bool((model(False) != 0).all())


def test_an_inspection_sees_an_extra_draw(probe, tmp_path, example):
    source = (example / "candidate.py").read_text()
    anchor = "nn.init.zeros_(self.head.weight)"
    planted = tmp_path / "planted.py"
    planted.write_text(source.replace(anchor, f"{anchor}\n        torch.rand(1)"))
    assert planted.read_text() != source
    other = probe_from_toml(example / "probe.toml", str(example / "baseline.py"), str(planted))
    a = inspect_model(probe, probe.baseline, SMALL, trace=False)
    b = inspect_model(other, other.candidate, SMALL, trace=False)
    assert a.state == b.state
    assert a.rng != b.rng


def test_digests_depend_on_name_shape_dtype_and_every_byte():
    t = torch.arange(6, dtype=torch.float32)
    base = {"w": t}
    variants = (
        {"v": t},
        {"w": t.reshape(2, 3)},
        {"w": t.to(torch.float64)},
        {"w": torch.nextafter(t, t + 1)},
        {"w": t, "b": t},
    )
    for digest in (tensor_digest, published_digest):
        seen = {digest(named) for named in (base, *variants)}
        assert len(seen) == 1 + len(variants)
    assert tensor_digest({"a": t, "b": t + 1}) == tensor_digest({"b": t + 1, "a": t})


def test_the_trace_names_operations_with_shapes():
    with traced() as trace:
        torch.ones(2, 3) @ torch.ones(3, 1)
    assert any("aten.mm" in line and "float32[2, 3]" in line for line in trace.take())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-3.0, "-3"),
        (-0.0, "-0"),
        (0.5, (0.5).hex()),
        (1e300, "1e+300"),
        ((0.5, 1.0), "(0x1.0000000000000p-1, 1)"),
        ([0.5, 1], "(0x1.0000000000000p-1, 1)"),
        ({"a": [1.0, 2]}, "{'a': [1, 2]}"),
        ("1.0", "1.0"),
        (("2.0", "v1.0"), "(2.0, v1.0)"),
        (b"1.0", "b'1.0'"),
        (range(10**12), "range(0, 1000000000000)"),
        (True, "True"),
    ],
)
def test_a_whole_number_is_a_fact_whether_it_was_written_with_a_point_or_not(value, text):
    """An option defaults to 0.0 where the optimizer's own default is 0; -0 is another number."""
    assert short(value) == text


def test_a_whole_number_beside_floats_is_one_operation_and_beside_integers_another():
    floats, integers = torch.ones(2), torch.ones(2, dtype=torch.int64)
    with traced() as trace:
        for number in (1, 1.0):
            floats * number
            integers * number
    a, b, c, d = [line for line in trace.take() if "aten.mul" in line]
    assert a == c
    assert b != d


def test_loading_a_script_leaves_nothing_beside_it(tmp_path, monkeypatch, probe):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    path = tmp_path / "script.py"
    path.write_text("VALUE = 7\n")
    script = Script("baseline", str(path), build="", entry="")
    with script.opened() as module:
        assert module.VALUE == 7
    path.write_text("VALUE = 8\n")  # same size, same second: a cache would not see it
    with script.opened() as module:
        assert module.VALUE == 8
    assert list(tmp_path.iterdir()) == [path]


LOG = "import a\nclass GPT: ...\n\n====\nstep:1\nCode size: 24 bytes\nTotal: 124 bytes\n"
VOLATILE = ("^Code size: .*", "^Total: .*")


def test_a_log_is_compared_after_its_source_and_relative_to_its_size():
    facts = log_facts(LOG, "====", ["class GPT: ...\n"], VOLATILE)
    assert facts == {
        "source": "True",
        "line 1": "step:1",
        "line 2": "Code size: source + 0 bytes",
        "line 3": "Total: source + 100 bytes",
    }
    longer = LOG.replace("import a\n", "import abc\n").replace("24 b", "26 b", 1)
    longer = longer.replace("124 b", "126 b")
    assert log_facts(longer, "====", ["class GPT: ...\n"], VOLATILE) == facts


@pytest.mark.parametrize(
    ("old", "new"),
    [("class GPT: ...\n", ""), ("====\n", ""), ("step:1", "step:2"), ("124", "74"), ("24 ", "23 ")],
)
def test_a_log_that_hides_its_source_or_miscounts_it_differs(old, new):
    expected = log_facts(LOG, "====", ["class GPT: ...\n"], VOLATILE)
    assert log_facts(LOG.replace(old, new, 1), "====", ["class GPT: ...\n"], VOLATILE) != expected
