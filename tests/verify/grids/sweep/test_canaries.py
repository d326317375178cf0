"""pytest tests/verify/grids/sweep/test_canaries.py — data that leaks, weights that are none."""

import hashlib
import json
import subprocess
import sys

import pytest

from goldenseal.compare.tensors import weights_digest
from goldenseal.errors import CannotCheckError, ContradictedError
from goldenseal.grids.canaries import after, before
from goldenseal.runlog import RunLog
from tests.verify.grids.sweep.toy_sweep import weights


@pytest.fixture
def cell(tmp_path):
    """A cell that is as it should be, and what it wrote."""
    data = {}
    for name in ("train.bin", "val.bin"):
        path = tmp_path / name
        path.write_bytes(name.encode())
        data[str(path)] = hashlib.sha512(path.read_bytes()).hexdigest()
    out = tmp_path / "out"
    out.mkdir()
    write_log(out, weights(out / "w.safetensors"))
    return {"data": data, "log": "train.jsonl", "outputs": ["w.safetensors"]}, out


def write_log(out, state, **header):
    log = RunLog(out / "train.jsonl", {"seed": "1", **header})
    log.write("trained", {"step": 1, "state": {"model": state}})
    log.end({"steps": 1})


def test_a_good_cell_passes_both(cell):
    before(cell[0])
    after(*cell)


def test_validation_data_that_is_training_data_is_found(cell, tmp_path):
    (tmp_path / "val.bin").write_bytes(b"train.bin")
    facts = cell[0]
    digest = facts["data"][str(tmp_path / "train.bin")]
    facts["data"][str(tmp_path / "val.bin")] = digest
    with pytest.raises(ContradictedError, match=r"val\.bin and train\.bin hold the same bytes"):
        before(facts)


@pytest.mark.parametrize("canary", [before, lambda facts, out=None: after(facts, out)])
def test_data_that_changed_is_found_before_and_after(cell, tmp_path, canary):
    (tmp_path / "val.bin").write_bytes(b"other")
    arguments = cell[:1] if canary is before else cell
    with pytest.raises(ContradictedError, match="not the data that the sweep was launched with"):
        canary(*arguments)


def test_data_that_is_gone_is_found(cell, tmp_path):
    (tmp_path / "val.bin").unlink()
    with pytest.raises(ContradictedError, match="cannot be read"):
        before(cell[0])


def test_a_cell_without_data_is_refused(cell):
    with pytest.raises(ContradictedError, match="names no data"):
        before({**cell[0], "data": {}})


def test_a_synthetic_fallback_is_found(cell):
    facts, out = cell
    write_log(out, weights(out / "w.safetensors"), data={"synthetic": True})
    with pytest.raises(ContradictedError, match=r"data\.synthetic is True: the run fell back"):
        after(facts, out)
    write_log(out, weights(out / "w.safetensors"), data={"synthetic": False})
    after(facts, out)


def test_weights_that_reload_to_another_digest_are_found(cell):
    facts, out = cell
    weights(out / "w.safetensors", value=2.0)
    with pytest.raises(ContradictedError, match="reloads to the digest"):
        after(facts, out)


def test_weights_of_zeros_are_found(cell):
    facts, out = cell
    write_log(out, weights(out / "w.safetensors", value=0.0))
    with pytest.raises(ContradictedError, match="every byte of every tensor is zero"):
        after(facts, out)


def test_weights_that_are_missing_or_a_link_are_found(cell):
    facts, out = cell
    (out / "w.safetensors").rename(out / "x.safetensors")
    with pytest.raises(ContradictedError, match="this output is not there"):
        after(facts, out)
    (out / "w.safetensors").symlink_to(out / "x.safetensors")
    with pytest.raises(ContradictedError, match="this output is not there"):
        after(facts, out)


BROKEN = {
    "empty": lambda good: b"",
    "cut short": lambda good: good[:-1],
    "too long": lambda good: good + b"\0",
    "no JSON": lambda good: (4).to_bytes(8, "little") + b"oops" + b"1234",
    "no tensor": lambda good: (2).to_bytes(8, "little") + b"{}",
    "a pickle": lambda good: b"\x80\x04\x95" + bytes(40),
}


@pytest.mark.parametrize("name", BROKEN)
def test_weights_that_are_no_whole_file_are_found(cell, name):
    facts, out = cell
    path = out / "w.safetensors"
    path.write_bytes(BROKEN[name](path.read_bytes()))
    with pytest.raises(ContradictedError) as error:
        after(facts, out)
    assert "\n" not in str(error.value)


def test_a_tensor_over_another_is_found(cell):
    facts, out = cell
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    text = json.dumps({"a": entry, "b": entry}).encode()
    body = len(text).to_bytes(8, "little") + text + b"1234"
    (out / "w.safetensors").write_bytes(body)
    with pytest.raises(ContradictedError, match="does not begin where"):
        after(facts, out)


def test_weights_that_cannot_be_read_here_are_not_contradicted(cell):
    facts, out = cell
    weights(out / "w.safetensors", dtype="F3_E1M1")
    with pytest.raises(CannotCheckError, match="has the dtype F3_E1M1"):
        after(facts, out)


def test_an_empty_tensor_is_no_hole(cell):
    """Of a wider dtype it lies before the others, of another name behind them in the alphabet."""
    numpy = pytest.importorskip("numpy")
    library = pytest.importorskip("safetensors.numpy")
    facts, out = cell
    path = out / "w.safetensors"
    for narrow, wide in ((numpy.float32, numpy.float64), (numpy.float64, numpy.float32)):
        library.save_file({"w": numpy.ones(4, narrow), "z": numpy.zeros(0, wide)}, path)
        write_log(out, weights_digest(path))
        after(facts, out)


def test_a_log_that_was_cut_short_is_found(cell):
    facts, out = cell
    log = out / "train.jsonl"
    log.write_bytes(log.read_bytes().rsplit(b"\n", 2)[0] + b"\n")
    with pytest.raises(ContradictedError, match="cut short"):
        after(facts, out)


def test_the_digest_is_that_of_the_loaded_tensors(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from goldenseal.digest import tensor_digest

    named = {
        "b": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "a": torch.ones(3, dtype=torch.bfloat16),
        "c": torch.tensor(7),
        "d": torch.tensor([True, False]),
    }
    save_file(named, tmp_path / "w.safetensors")
    assert weights_digest(tmp_path / "w.safetensors") == tensor_digest(named)


def test_the_canaries_need_neither_torch_nor_numpy(root):
    code = (
        "import sys; sys.modules['torch'] = sys.modules['numpy'] = None\n"
        "import goldenseal.grids.canaries\n"
        "from goldenseal.records import check\n"
        "from goldenseal.records.kinds import recorded"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
