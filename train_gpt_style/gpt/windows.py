"""Documents of a token stream, and the windows in which their chunks are scored."""

import torch

from goldenseal.errors import UsageError

BOS_ID = 1


def find_documents(tokens):
    """(start, length) of each document: from its BOS to the next one's, which is its last target.

    Raises UsageError when there is no document, or one with nothing to predict.
    """
    starts = (tokens.to(torch.int64) == BOS_ID).nonzero().flatten().tolist()
    if not starts:
        raise UsageError(f"no document: the validation split holds no BOS (id {BOS_ID})")
    ends = [start + 1 for start in starts[1:]] + [tokens.numel()]
    documents = [(start, end - start) for start, end in zip(starts, ends)]
    for start, length in documents:
        if length < 2:
            raise UsageError(f"the document at token {start} has nothing to predict")
    return documents


def chunk_window(i, num_targets, chunk_size, seq_len):
    """(window start, window length, offset of chunk i in the window, chunk length), in targets."""
    chunk_start, chunk_end = i * chunk_size, min((i + 1) * chunk_size, num_targets)
    window_start = max(0, chunk_end - seq_len)
    return (
        window_start,
        chunk_end - window_start,
        chunk_start - window_start,
        chunk_end - chunk_start,
    )
