"""pytest tests/train_gpt_style/soup/test_soup_conversion.py — pickles, converted once."""

import io
import pickle
import subprocess
import sys

import pytest
import safetensors.torch
import torch

from goldenseal.digest import tensor_digest
from goldenseal.errors import CannotCheckError, ContradictedError
from tests.train_gpt_style.soup.experts_made import pinned
from train_gpt_style.kit.data.experts import convert


def pickled(value):
    """An old torch pickle."""
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def test_a_pickle_of_weights_becomes_safetensors_and_its_digest_is_pinned(tmp_path):
    state = {"b": torch.arange(3.0), "a": torch.ones(2, dtype=torch.int64)}
    data, out = pickled(state), tmp_path / "w" / "made.safetensors"
    named = {"000 b": state["b"], "001 a": state["a"]}
    with pytest.raises(ContradictedError, match="digest is "):
        convert.converted(data, pinned(data), out)
    assert not list(out.parent.iterdir())  # nothing half-written
    convert.converted(data, pinned(data, digest=tensor_digest(named)), out)
    found = safetensors.torch.load_file(out)
    assert {n: t.tolist() for n, t in found.items()} == {n: t.tolist() for n, t in named.items()}


def test_other_bytes_are_refused_before_any_parser_sees_them(tmp_path, monkeypatch):
    monkeypatch.setattr(convert.subprocess, "run", lambda *a, **k: pytest.fail("parsed"))
    with pytest.raises(ContradictedError, match="SHA-512 is"):
        convert.converted(b"other", pinned(b"these"), tmp_path / "out")


class Hostile:
    """A pickle that would run a command."""

    def __reduce__(self):
        import os

        return os.system, (f"touch {self.path}",)


def test_a_pickle_that_holds_more_than_weights_is_refused(tmp_path):
    hostile = Hostile()
    hostile.path = tmp_path / "ran"
    data = pickle.dumps(hostile, protocol=2)
    with pytest.raises(ContradictedError, match="cannot be converted"):
        convert.converted(data, pinned(data), tmp_path / "w" / "out.safetensors")
    assert not hostile.path.exists()
    pickle.loads(data)  # so it would have been there
    assert hostile.path.exists()


def test_a_conversion_that_takes_too_long_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(convert, "MAX_SECONDS", 0.001)
    data, out = pickled({"w": torch.zeros(1)}), tmp_path / "w" / "out.safetensors"
    with pytest.raises(CannotCheckError, match="not converted within"):
        convert.converted(data, pinned(data), out)
    assert not list(out.parent.iterdir())


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    data = pickled({"w": torch.tensor([1.0, float("nan")])})
    with pytest.raises(ContradictedError, match="000 w is not finite"):
        convert.converted(data, pinned(data), tmp_path / "out.safetensors")


TRIES = {
    "a file": "open('/etc/hostname')",
    "a file to write": "open('escaped', 'w')",
    "a file by the system's own call": "__import__('os').open('/etc/hostname', 0)",
    "a socket": "__import__('socket').socket()",
    "a process": "__import__('subprocess').run(['true'])",
    "removing a file": "__import__('os').remove('kept')",
    "lifting the limits": "__import__('resource').setrlimit(7, (99, 99))",
    "memory for more than it may hold": "bytearray(2**31)",
}


@pytest.mark.parametrize("attempt", TRIES.values(), ids=TRIES)
def test_the_process_that_unpickles_can_open_nothing(attempt, tmp_path):
    (tmp_path / "kept").touch()
    script = (
        "import os, resource, socket, subprocess\n"
        "from train_gpt_style.kit.data.experts.convert import confine\n"
        f"confine(9)\ntry:\n    {attempt}\n"
        "except (OSError, ValueError, MemoryError):\n    print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "refused\n", done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_the_process_that_unpickles_writes_no_more_than_weights_of_that_size(tmp_path):
    script = "import os\nfrom train_gpt_style.kit.data.experts.convert import confine\n"
    script += "confine(9)\nos.write(1, b'x' * 2**21)\n"
    with open(tmp_path / "out", "wb") as file:
        env = {"PYTHONPATH": ":".join(sys.path)}
        subprocess.run([sys.executable, "-c", script], stdout=file, env=env, check=True)
    assert (tmp_path / "out").stat().st_size == 2 * 9 + 2**20
