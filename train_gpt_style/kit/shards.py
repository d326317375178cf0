"""Token shards, the endless stream over them, and the loader that deals it to the ranks.

A shard is 256 little-endian int32 (magic, version, token count, then zeros) and then the tokens as
little-endian uint16. It is the format of the public FineWeb shards, which work here unchanged.
Nothing is shuffled: the stream is the shards of a split, end to end, for ever, so a position in it
is two numbers and a batch depends on nothing else.
"""

import os
from pathlib import Path

import numpy as np
import torch

from goldenseal.errors import UsageError

MAGIC, VERSION, HEADER_INTS = 20240520, 1, 256
HEADER_BYTES = 4 * HEADER_INTS


def write_shard(path, tokens):
    """Write `tokens` (integers below 65,536, at least one) as one shard, whole or not at all.

    Raises UsageError when a token does not fit or there is none.
    """
    path, tokens = Path(path), np.asarray(tokens)
    if tokens.size == 0:
        raise UsageError(f"{path}: a shard needs at least one token")
    largest = np.iinfo(np.uint16).max
    if tokens.min() < 0 or tokens.max() > largest:
        wrong = int(np.argmax((tokens < 0) | (tokens > largest)))
        raise UsageError(f"{path}: token {wrong} is {tokens[wrong]}, a shard holds 0..65535")
    header = np.zeros(HEADER_INTS, dtype="<i4")
    header[:3] = MAGIC, VERSION, tokens.size
    partial = path.with_name(f".{path.name}.partial")
    with open(partial, "wb") as file:
        file.write(header.tobytes() + tokens.astype("<u2").tobytes())
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def load_shard(path, vocab_size=None):
    """The tokens of one shard: uint16, (count,).

    Raises UsageError when the file is no shard, is cut short or too long, holds no token, or,
    given `vocab_size`, a token outside the vocabulary.
    """
    size = os.path.getsize(path)
    if size < HEADER_BYTES:
        raise UsageError(f"{path}: {size} bytes, shorter than a shard's header of {HEADER_BYTES}")
    magic, version, count = (int(v) for v in np.fromfile(path, dtype="<i4", count=3))
    if magic != MAGIC:
        raise UsageError(f"{path}: magic {magic} is not that of a token shard, {MAGIC}")
    if version != VERSION:
        raise UsageError(f"{path}: shard version {version}, only version {VERSION} is known")
    if count < 1:
        raise UsageError(f"{path}: the header announces {count} tokens, a shard holds at least 1")
    expected = HEADER_BYTES + 2 * count
    if size != expected:
        fault = "cut short" if size < expected else "followed by other bytes"
        raise UsageError(f"{path}: {fault}: {count} tokens need {expected} bytes, found {size}")
    tokens = np.fromfile(path, dtype="<u2", offset=HEADER_BYTES)
    if vocab_size is not None and tokens.max() >= vocab_size:
        wrong = int(np.argmax(tokens >= vocab_size))
        raise UsageError(
            f"{path}: token {wrong} is {tokens[wrong]}, outside the vocabulary of "
            f"VOCAB_SIZE={vocab_size}"
        )
    return torch.from_numpy(tokens.astype(np.uint16))


def shard_files(data_path, split):
    """The shards of `split` (train or val) in the folder `data_path`, sorted by name.

    Raises UsageError when there is none.
    """
    files = sorted(str(path) for path in Path(data_path).glob(f"*_{split}_*.bin"))
    if not files:
        pattern = os.path.join(data_path, f"*_{split}_*.bin")
        raise UsageError(
            f"no token shards match {pattern}: set DATA_PATH to their folder, or run `make data`"
        )
    return files


def load_validation(files, seq_len, vocab_size=None):
    """(all tokens, those of whole sequences): the second ends one target after the last sequence.

    Raises UsageError when there is not one whole sequence.
    """
    tokens = torch.cat([load_shard(path, vocab_size) for path in files])
    usable = (tokens.numel() - 1) // seq_len * seq_len
    if usable == 0:
        raise UsageError(
            f"{files[0]}: {tokens.numel()} validation tokens are no whole sequence: "
            f"TRAIN_SEQ_LEN={seq_len} needs {seq_len + 1}"
        )
    return tokens, tokens[: usable + 1]


class TokenStream:
    """The shards `files`, end to end, again and again. One shard is in memory at a time."""

    def __init__(self, files, vocab_size=None):
        self.files, self.vocab_size = list(files), vocab_size
        self.open_shard(0)

    @property
    def position(self):
        """(index of the file, offset in it) of the next token."""
        return self.index, self.offset

    def restore(self, position):
        """Go to a `position` that this stream, or one over the same files, had.

        Raises UsageError when the files have no such position.
        """
        index, offset = position
        if not 0 <= index < len(self.files):
            raise UsageError(f"no shard {index}: this stream has {len(self.files)}, counted from 0")
        tokens = load_shard(self.files[index], self.vocab_size)
        if not 0 <= offset <= tokens.numel():
            raise UsageError(f"{self.files[index]}: no offset {offset} in {tokens.numel()} tokens")
        self.index, self.offset, self.tokens = index, offset, tokens

    def open_shard(self, index):
        """Go to the first token of a shard."""
        self.index, self.offset = index, 0
        self.tokens = load_shard(self.files[index], self.vocab_size)

    def take(self, n):
        """The next `n` (at least 1) tokens: uint16, (n,)."""
        pieces = []
        while n > 0:
            if self.offset == self.tokens.numel():
                self.open_shard((self.index + 1) % len(self.files))
            piece = self.tokens[self.offset : self.offset + n]
            pieces.append(piece)
            self.offset += piece.numel()
            n -= piece.numel()
        return torch.cat(pieces)


class DistributedTokenLoader:
    """Deals each micro-batch of the stream to the ranks, one contiguous span a rank."""

    def __init__(self, files, rank, world_size, device, vocab_size=None):
        self.stream = TokenStream(files, vocab_size)
        self.rank, self.world_size, self.device = rank, world_size, device

    def next_batch(self, global_tokens, seq_len, grad_accum_steps):
        """(inputs, targets) of one micro-batch of this rank: int64, (sequences, seq_len) each.

        All ranks together advance the stream by (tokens a rank + 1) * world_size: the span's last
        token is a target only. A rank's share must be whole sequences: its settings see to that.
        """
        span = global_tokens // (self.world_size * grad_accum_steps) + 1
        tokens = self.stream.take(span * self.world_size)
        local = tokens[self.rank * span : (self.rank + 1) * span].to(torch.int64)
        x, y = local[:-1].reshape(-1, seq_len), local[1:].reshape(-1, seq_len)
        return x.to(self.device), y.to(self.device)
