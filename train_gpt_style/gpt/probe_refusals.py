"""Bad input for the gates: each kind spoils the probe's good data, or one setting, in one way."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from train_gpt_style.gpt.windows import BOS_ID

HEADER_INTS = 256
FEW = 5  # tokens: less than a sequence

# By kind: the settings that are wrong, and words that the error must hold.
SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "heads that do not divide the width": ({"NUM_HEADS": "3"}, "MODEL_DIM=32"),
    "groups that do not divide the heads": ({"NUM_KV_HEADS": "3"}, "NUM_KV_HEADS=3"),
    "a chunk longer than its window": ({"TTT_CHUNK_SIZE": "65"}, "TTT_CHUNK_SIZE=65"),
    "a batch of broken sequences": ({"TRAIN_BATCH_TOKENS": "200"}, "TRAIN_BATCH_TOKENS=200"),
    "a validation batch of no sequence": ({"VAL_BATCH_SIZE": "127"}, "VAL_BATCH_SIZE=127"),
    "an average that never starts": ({"BETA1": "1.0"}, "BETA1=1.0"),
    "WORLD_SIZE=3": ({"WORLD_SIZE": "3"}, "must divide 8"),
    "WORLD_SIZE=0": ({"WORLD_SIZE": "0"}, "must divide 8"),
    "a tokenizer of another size": ({"VOCAB_SIZE": "321"}, "VOCAB_SIZE=321"),
    "no tokenizer": ({"TOKENIZER_PATH": "nowhere.model"}, "nowhere.model: no such file"),
}


def patched(at: int, value: int) -> Callable[[bytes], bytes]:
    """Another number in the header of a shard."""

    def patch(shard: bytes) -> bytes:
        header = np.frombuffer(shard[: 4 * HEADER_INTS], dtype="<i4").copy()
        header[at] = value
        return header.tobytes() + shard[4 * HEADER_INTS :]

    return patch


def holding(*tokens: int) -> Callable[[bytes], bytes]:
    """A whole shard of other tokens."""

    def replace(shard: bytes) -> bytes:
        return patched(2, len(tokens))(shard[: 4 * HEADER_INTS]) + np.array(tokens, "<u2").tobytes()

    return replace


# By kind: the split whose shards are spoiled, how (None: deleted), and words of the error.
SHARDS: dict[str, tuple[str, Callable[[bytes], bytes] | None, str]] = {
    "no training shard": ("train", None, "no token shards match"),
    "no validation shard": ("val", None, "no token shards match"),
    "a file that is no shard": ("train", patched(0, 7), "magic 7"),
    "a shard of another version": ("train", patched(1, 2), "version 2"),
    "a shard of fewer than no tokens": ("train", patched(2, -1), "-1 tokens"),
    "a shard of no tokens": ("val", lambda shard: patched(2, 0)(shard[:1024]), "0 tokens"),
    "a shard cut short": ("train", lambda shard: shard[:-2], "cut short"),
    "a shard followed by more": ("val", lambda shard: shard + b"\0\0", "followed by other bytes"),
    "a shard without a whole header": ("train", lambda shard: shard[:1022], "header of 1024"),
    "a token outside the vocabulary": ("train", holding(*(BOS_ID, 320) * 9), "token 1 is 320"),
    "a validation split of no sequence": ("val", holding(BOS_ID, *[9] * (FEW - 1)), "no whole"),
    "a validation split of no document": ("val", holding(*[9] * 40), "no BOS"),
    "a document of nothing": ("val", holding(BOS_ID, *[9] * 40, BOS_ID), "nothing to predict"),
}

REFUSALS = {
    **{kind: words for kind, (_, words) in SETTINGS.items()},
    **{kind: words for kind, (*_, words) in SHARDS.items()},
}


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead to bad input of that kind; `data` are those of the good."""
    if kind in SETTINGS:
        return SETTINGS[kind][0]
    split, change, _ = SHARDS[kind]
    for path in sorted(Path(data["DATA_PATH"]).glob("*.bin")):
        if f"_{split}_" not in path.name:
            shutil.copy(path, folder / path.name)
        elif change is not None:
            (folder / path.name).write_bytes(change(path.read_bytes()))
    return {"DATA_PATH": str(folder)}
