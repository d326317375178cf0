"""pytest tests/verify/ladder/gates/test_files_of_a_run.py

Scripts that save and load while traced.
"""

import pytest

from tests.verify.scripts import ONE_FILE, edited, failed, findings, pair

GATES = ("operations", "training", "evaluation and export")
BIG = 4_000_000  # float32: 16 MB, which a trace that prints bytes would never finish


def saving(words, *edits):
    """The toy script; its main ends with the lines of `words`."""
    lines = "".join(f"    {line}\n" for line in words.strip().splitlines())
    return edited(ONE_FILE, ("    model.eval()\n", f"{lines}    model.eval()\n"), *edits)


FORMS = {
    "weights only": f"""
torch.save(dict(model.state_dict(), big=torch.zeros({BIG})), "model.pt")
kept = torch.load("model.pt", weights_only=True)
del kept["big"]
model.load_state_dict(kept)
""",
    "by memory map": f"""
torch.save(dict(model.state_dict(), big=torch.zeros({BIG})), "model.pt")
kept = torch.load("model.pt", mmap=True, weights_only=True)
del kept["big"]
model.load_state_dict(kept)
""",
    "moved to a device": f"""
torch.save(dict(model.state_dict(), big=torch.zeros({BIG})), "model.pt")
kept = torch.load("model.pt", map_location="cpu", weights_only=True)
del kept["big"]
model.load_state_dict(kept)
""",
    "a whole model": """
torch.save(model, "model.pt")
model = torch.load("model.pt", weights_only=False)
""",
    "an optimizer": """
torch.save(optimizer.state_dict(), "optimizer.pt")
optimizer.load_state_dict(torch.load("optimizer.pt", weights_only=True))
""",
    "in memory": """
import io
file = io.BytesIO()
torch.save(model.state_dict(), file)
file.seek(0)
model.load_state_dict(torch.load(file, weights_only=True))
""",
    "storages": f"""
storage = torch.UntypedStorage({4 * BIG})
whole = torch.empty(0).set_(storage)
whole.zero_()
import warnings
warnings.simplefilter("ignore")  # of torch, which deprecates the next class
typed = torch.TypedStorage({BIG}, dtype=torch.float32)
torch.empty(0).set_(typed).zero_()
""",
    "a file as a tensor": f"""
torch.zeros({BIG}).numpy().tofile("tokens.bin")
tokens = torch.from_file(os.path.abspath("tokens.bin"), shared=False, size={BIG})
print(tokens.sum().item())
""",
}


@pytest.mark.parametrize("words", FORMS.values(), ids=FORMS)
def test_what_a_script_saves_and_loads_is_traced_and_compared(tmp_path, words):
    script = saving(words)
    gates = pair(tmp_path, script, script).gates(*GATES)
    assert not failed(gates), findings(gates)


def test_another_size_of_a_storage_is_another_operation(tmp_path):
    small, large = (
        saving(f"torch.empty(0).set_(torch.UntypedStorage({size}))") for size in (64, 128)
    )
    gates = pair(tmp_path, large, small).gates("operations")
    assert any("storage[128 bytes]" in text and "[64 bytes]" in text for text in findings(gates))


def test_other_weights_in_the_file_are_found(tmp_path):
    words = 'torch.save({k: v.clone() for k, v in model.state_dict().items()}, "model.pt")'
    changed = edited(words, ("v.clone()", "v + 1"))
    gates = pair(tmp_path, saving(changed), saving(words)).gates("evaluation and export")
    assert any("file model.pt" in text for text in findings(gates))


@pytest.mark.parametrize(
    "words",
    [
        'print("saved in", os.getcwd())',
        'print(os.path.abspath("model.pt"), os.path.realpath("model.pt"))',
        'open("log.txt", "w").write(os.path.abspath("model.pt"))',
        "import tempfile; print(tempfile.gettempdir())",
        "print(type(model), Net.__module__, Net)",
    ],
    ids=["printed", "absolute and real", "in a file", "temporary folder", "names of classes"],
)
def test_where_a_run_takes_place_is_no_difference(tmp_path, words):
    gates = pair(tmp_path, saving(words), saving(words)).gates(*GATES)
    assert not failed(gates), findings(gates)
