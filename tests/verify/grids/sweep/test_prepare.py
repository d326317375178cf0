"""pytest tests/verify/grids/sweep/test_prepare.py — what is written before anything runs."""

import json
import subprocess
import sys
import textwrap

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.grids.lock import alone
from goldenseal.grids.prepare import planned, seal_plan
from goldenseal.grids.state import SWEEP, read_state
from goldenseal.records.check import check
from goldenseal.records.source import read_source
from tests.verify.grids.sweep.toy_sweep import CELLS, finish


def test_each_cell_gets_a_folder_from_which_it_can_be_run_by_hand(toy):
    folders = toy.prepare()
    assert len(folders) == CELLS
    cell = json.loads((toy.folder / "cells" / "strong" / "5" / "cell.json").read_text())
    assert cell["command"] == [sys.executable, "-P", "-m", "toysystem"]
    assert cell["environment"] == {
        "RUN_LOG": "1",
        "SEED": "5",
        "TOY_DATA": str(toy.root / "data" / "tokens.txt"),
        "TOY_FACTOR": "0.5",
        "TOY_FEATURE": "2",
    }
    assert list(cell["data"]) == [str(toy.root / "data" / "tokens.txt")]
    assert cell["resources"]["gpus"] == 2
    assert cell["checkpoints"] is None
    assert (toy.folder / "cells" / "grid_2" / "34" / "cell.json").exists()


def test_the_plan_is_sealed_and_passes_its_check(toy):
    sealed = seal_plan(planned(toy.root, toy.file), toy.folder)
    assert check(toy.folder / "plan").holds
    assert seal_plan(planned(toy.root, toy.file), toy.folder).identity == sealed.identity
    assert "at most" in (toy.folder / "plan" / "compute_grant.md").read_text()
    listed = json.loads((toy.folder / "plan" / "cells.json").read_text())
    assert listed["cells"][0] == ["off", 3]


def test_a_changed_plan_is_a_new_sweep(toy):
    toy.prepare()
    toy.edit("alpha = 0.05", "alpha = 0.01")
    with pytest.raises(UsageError, match="a changed plan is a new sweep"):
        toy.prepare()


def test_a_comment_is_no_change(toy):
    toy.prepare()
    toy.edit("alpha = 0.05", "alpha = 0.05  # as always")
    assert len(toy.prepare()) == CELLS


def test_the_source_is_frozen_once_whatever_is_edited(toy):
    toy.prepare()
    state = read_state(toy.folder, SWEEP)
    before = (toy.folder / "cells" / "on" / "3" / "cell.json").read_bytes()
    toy.write_system(bias=7.0)
    toy.prepare()
    assert read_state(toy.folder, SWEEP) == state
    assert (toy.folder / "cells" / "on" / "3" / "cell.json").read_bytes() == before
    snapshot = json.loads(before)["cwd"]
    assert "+ 0.0" in (toy.root / snapshot / "toysystem" / "__main__.py").read_text()


def test_an_edited_snapshot_is_refused(toy):
    toy.prepare()
    (snapshot,) = (toy.root / ".goldenseal" / "snapshots").iterdir()
    (snapshot / "toysystem" / "__main__.py").write_text("print('other')")
    with pytest.raises(UsageError, match="was edited"):
        toy.prepare()


def test_changed_data_is_refused(toy):
    toy.prepare()
    (toy.root / "data" / "tokens.txt").write_text("1 1 1")
    with pytest.raises(CannotCheckError, match="no longer that with which"):
        toy.prepare()


def test_missing_data_is_named(toy):
    (toy.root / "data" / "tokens.txt").unlink()
    with pytest.raises(CannotCheckError, match=r"TOY_DATA=\./data/tokens\.txt leads nowhere"):
        toy.prepare()


def test_an_edited_cell_is_refused(toy):
    toy.prepare()
    path = toy.folder / "cells" / "on" / "3" / "cell.json"
    path.write_text(path.read_text().replace('"TOY_FEATURE":"1"', '"TOY_FEATURE":"2"'))
    with pytest.raises(UsageError, match="is not what the plan says"):
        toy.prepare()


def test_a_source_that_changed_since_its_verdict_is_not_frozen(toy):
    with pytest.raises(CannotCheckError, match="changed while the sweep was launched"):
        toy.prepare(covered={"toysystem/__main__.py": "0" * 128})
    assert not (toy.folder / "sweep.json").exists()


def test_a_file_that_went_since_the_verdict_is_noticed_too(toy):
    files = read_source(toy.root).files
    with pytest.raises(CannotCheckError, match=r"toysystem/more\.py changed while the sweep"):
        toy.prepare(covered={**files, "toysystem/more.py": "0" * 128, "theorems/a": "0" * 128})
    assert len(toy.prepare(covered={**files, "records/a": "0" * 128})) == CELLS


def test_a_sealed_cell_stays_as_it_is(toy):
    folders = toy.prepare()
    finish(folders[0])
    before = sorted((p, p.read_bytes()) for p in folders[0].rglob("*") if p.is_file())
    toy.prepare()
    assert sorted((p, p.read_bytes()) for p in folders[0].rglob("*") if p.is_file()) == before


def test_of_two_launches_one_waits_for_nothing_and_says_so(toy):
    holder = textwrap.dedent(f"""
        from pathlib import Path
        from goldenseal.grids.lock import alone
        with alone(Path({str(toy.folder / ".lock")!r}), "x"):
            print("held", flush=True)
            input()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        with (
            pytest.raises(UsageError, match="being launched by another process"),
            alone(toy.folder / ".lock", "it is being launched"),
        ):
            raise AssertionError("two at once")
        process.communicate("\n")
    with alone(toy.folder / ".lock", "it is being launched"):
        pass  # the lock ended with its process


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema":1}'])
def test_a_state_of_another_form_is_refused(toy, text):
    toy.folder.mkdir(parents=True)
    (toy.folder / "sweep.json").write_text(text)
    with pytest.raises(UsageError, match="expected the keys"):
        read_state(toy.folder, SWEEP)


def test_a_sweep_that_an_earlier_version_began_goes_on(toy):
    folders = toy.prepare()
    now = read_state(toy.folder, SWEEP)
    data = toy.root / "data" / "tokens.txt"
    old = {k: now[k] for k in ("plan", "source", "verdict", "waivers")} | {
        "schema": 1,
        "data": {str(data.resolve()): now["data"]["tokens.txt"]},
        "identity": "0" * 128,
        "snapshot": "gone",
    }
    (toy.folder / "sweep.json").write_bytes(canonical.dumps(old))
    before = [path.joinpath("cell.json").read_bytes() for path in folders]
    assert [path.joinpath("cell.json").read_bytes() for path in toy.prepare()] == before
    data.write_text("other")
    with pytest.raises(CannotCheckError, match="no longer that"):
        toy.prepare()
