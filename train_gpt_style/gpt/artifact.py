"""Reading an artifact that somebody else made, and measuring what it stands for.

Nothing is taken on trust: the artifact of a model with given settings has one length and one table
of names, types and shapes, so that anything else is refused before it is unpacked.
"""

import zlib

import safetensors
import torch

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from train_gpt_style.gpt.export import pack, unpack
from train_gpt_style.gpt.model import build_model
from train_gpt_style.gpt.run import seed_everything
from train_gpt_style.gpt.validate import validate
from train_gpt_style.kit.shards import load_validation, shard_files
from train_gpt_style.kit.tokenizer import ByteCounter, load_tokenizer

SLACK = 65_536  # bytes that the header may be longer: another safetensors may pad it otherwise


def decompress(blob, limit, where):
    """The bytes in a zlib stream, at most `limit` of them.

    Raises UsageError, beginning with `where`, for a stream that is damaged or cut short, gives
    more than `limit` bytes, or is followed by others.
    """
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(blob, limit + 1)
    except zlib.error as error:
        raise UsageError(f"{where}: damaged: {error}") from None
    if len(raw) > limit:
        raise UsageError(f"{where}: unpacks to more than {limit} bytes, which this model needs")
    if not stream.eof:
        raise UsageError(f"{where}: cut short: the compressed data has no end")
    if stream.unused_data:
        raise UsageError(f"{where}: {len(stream.unused_data)} bytes after the compressed data")
    return raw


def read_table(raw, where):
    """What a safetensors file says of its tensors: {name: (dtype, shape)}, and its metadata.

    Raises UsageError when its header is none.
    """
    size = int.from_bytes(raw[:8], "little")
    if not 0 < size <= len(raw) - 8:
        raise UsageError(f"{where}: no safetensors file: a header of {size} in {len(raw)} bytes")
    header = canonical.loads(raw[8 : 8 + size], f"{where}: header")
    if not isinstance(header, dict) or not all(isinstance(v, dict) for v in header.values()):
        raise UsageError(f"{where}: no safetensors file: its header is no table of tensors")
    metadata = header.pop("__metadata__", {})
    return {name: (v.get("dtype"), v.get("shape")) for name, v in header.items()}, metadata


def read_artifact(blob, like, where):
    """The state dict that an artifact stands for; `like` is that of a model with its settings.

    Raises UsageError, beginning with `where`, unless it is whole and holds exactly the tensors that
    such a model is exported to.
    """
    expected = pack(like)
    raw = decompress(blob, len(expected) + SLACK, where)
    table, metadata = read_table(raw, where)
    expected_table, expected_metadata = read_table(expected, "the model")
    for name in sorted({*table, *expected_table}):
        found, wanted = table.get(name), expected_table.get(name)
        if found != wanted:
            raise UsageError(f"{where}: {name} is {found}, but in a model of these knobs {wanted}")
    if metadata != expected_metadata:
        raise UsageError(f"{where}: its metadata is not that of a model of these knobs")
    try:
        return unpack(raw)
    except safetensors.SafetensorError as error:
        raise UsageError(f"{where}: no safetensors file: {error}") from None


def evaluate_artifact(blob, settings, ctx, where):
    """(loss in nats a token, bits a byte) on the validation split, of an artifact's own bytes.

    Raises UsageError, one line, for an artifact that `read_artifact` refuses, and for settings of
    which no model can be made on this machine.
    """
    seed_everything(settings, ctx)
    byte_counter = ByteCounter(
        load_tokenizer(settings.tokenizer_path), settings.vocab_size, ctx.device
    )
    _, val_tokens = load_validation(
        shard_files(settings.data_path, "val"), settings.train_seq_len, settings.vocab_size
    )
    try:
        model = build_model(settings, ctx)
    except (RuntimeError, MemoryError) as error:  # as torch says that the memory is too small
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{where}: no model of these knobs can be built: {reason}") from None
    model.load_state_dict(read_artifact(blob, model.state_dict(), where), strict=True)
    # As the run itself measured it.
    compiled = torch.compile(model, dynamic=False, fullgraph=True) if ctx.cuda else model
    return validate(settings, compiled, ctx, val_tokens, byte_counter)
