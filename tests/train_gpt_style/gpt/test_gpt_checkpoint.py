"""pytest tests/train_gpt_style/gpt/test_gpt_checkpoint.py — ranks killed and resumed.

What one process does is tried with every system: tests/train_gpt_style/test_killed_runs.py.
"""

from tests.train_gpt_style.forks import KEPT, files_of, newest
from tests.train_gpt_style.gpt.worlds import launch
from train_gpt_style.kit import checkpoints

ON = {**KEPT, "GRAD_CLIP_NORM": "0.5", "ITERATIONS": "4", "JEPA_LAMBDA": "0.5"}


def test_two_ranks_killed_and_resumed_end_in_the_bytes_of_the_whole_run(tiny, tmp_path):
    """And, where the order of sums is fixed, one rank goes on from the checkpoint of two."""
    default = {"default": {**tiny, **ON, "TTT_CHUNK_SIZE": "64"}}
    fixed = {"fixed": {**default["default"], "WORLD_INVARIANT": "1", "ITERATIONS": "5"}}
    launch(2, tmp_path / "whole", default)
    launch(2, tmp_path / "killed", {**fixed, **default}, kill_at="step:3/4 train_loss")
    assert "resumed from checkpoints" in launch(2, tmp_path / "killed", default)[0]
    assert files_of(tmp_path / "killed/default") == files_of(tmp_path / "whole/default")

    folder = tmp_path / "killed/fixed"
    weights = files_of(folder)["final_model.safetensors"]
    momenta = newest(folder) / "optimizers.safetensors"
    assert momenta.parent.name == "step-00000005"
    of_two_ranks = momenta.read_bytes()
    checkpoints.retire(momenta.parent)
    assert "resumed from checkpoints" in launch(1, tmp_path / "killed", fixed)[0]
    assert files_of(folder)["final_model.safetensors"] == weights
    assert momenta.read_bytes() == of_two_ranks
