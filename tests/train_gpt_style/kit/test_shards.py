import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from train_gpt_style.kit.shards import (
    HEADER_BYTES,
    DistributedTokenLoader,
    TokenStream,
    load_shard,
    load_validation,
    shard_files,
    write_shard,
)


@pytest.fixture
def shard(tmp_path):
    """A shard of the tokens 0..9."""
    path = tmp_path / "some_train_000000.bin"
    write_shard(path, range(10))
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shards")


def split_into(folder, lengths):
    """Shards of these lengths that together hold 0, 1, 2, ..."""
    files, first = [], 0
    for number, length in enumerate(lengths):
        files.append(folder / f"some_train_{number:06d}.bin")
        write_shard(files[-1], np.arange(first, first + length))
        first += length
    return files


lengths = st.lists(st.integers(1, 40), min_size=1, max_size=4)


# ---- one shard -------------------------------------------------------------------------------


def test_a_shard_has_the_published_layout(shard):
    data = shard.read_bytes()
    header = np.frombuffer(data[:1024], dtype="<i4")
    assert header[:3].tolist() == [20240520, 1, 10]
    assert not header[3:].any()
    assert data[1024:] == b"".join(n.to_bytes(2, "little") for n in range(10))
    assert [path.name for path in shard.parent.iterdir()] == [shard.name]


@given(tokens=st.lists(st.integers(0, 65535), min_size=1, max_size=50))
@settings(max_examples=25, deadline=None)
def test_what_was_written_is_read(folder, tokens):
    write_shard(folder / "x.bin", tokens)
    read = load_shard(folder / "x.bin")
    assert read.dtype == torch.uint16
    assert read.tolist() == tokens


def test_a_shard_cut_short_says_how_many_bytes_it_needs(shard):
    shard.write_bytes(shard.read_bytes()[:-3])
    with pytest.raises(UsageError, match=r"cut short: 10 tokens need 1044 bytes, found 1041"):
        load_shard(shard)


def test_bytes_after_the_tokens_are_refused(shard):
    shard.write_bytes(shard.read_bytes() + b"xy")
    with pytest.raises(UsageError, match=r"followed by other bytes: .* 1044 bytes, found 1046"):
        load_shard(shard)


def test_a_file_shorter_than_the_header_is_refused(shard):
    shard.write_bytes(shard.read_bytes()[: HEADER_BYTES - 1])
    with pytest.raises(UsageError, match="1023 bytes, shorter than a shard's header of 1024"):
        load_shard(shard)


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, 20240521, "magic 20240521 is not that of a token shard, 20240520"),
        (1, 2, "shard version 2, only version 1 is known"),
        (2, 0, "announces 0 tokens"),
        (2, -5, "announces -5 tokens"),
        (2, 2**31 - 1, "cut short: 2147483647 tokens need 4294968318 bytes, found 1044"),
    ],
)
def test_a_wrong_header_is_refused(shard, position, value, message):
    data = bytearray(shard.read_bytes())
    data[4 * position : 4 * position + 4] = value.to_bytes(4, "little", signed=True)
    shard.write_bytes(data)
    with pytest.raises(UsageError, match=message):
        load_shard(shard)


def test_a_token_outside_the_vocabulary_is_reported_with_its_position(shard):
    with pytest.raises(UsageError, match=r"token 7 is 7, outside the vocabulary of VOCAB_SIZE=7"):
        load_shard(shard, vocab_size=7)
    assert load_shard(shard, vocab_size=10).numel() == 10


@pytest.mark.parametrize(("tokens", "wrong"), [([1, 65536], "token 1 is 65536"), ([-1], "is -1")])
def test_a_token_that_does_not_fit_is_not_written(tmp_path, tokens, wrong):
    with pytest.raises(UsageError, match=wrong):
        write_shard(tmp_path / "x.bin", tokens)
    assert not list(tmp_path.iterdir())


def test_a_shard_without_tokens_is_not_written(tmp_path):
    with pytest.raises(UsageError, match="at least one token"):
        write_shard(tmp_path / "x.bin", [])


# ---- a folder of shards ----------------------------------------------------------------------


def test_shards_are_found_by_split_and_sorted_whatever_the_prefix(tmp_path):
    for name in ("fineweb_train_000001.bin", "fineweb_train_000000.bin", "fineweb_val_000000.bin"):
        write_shard(tmp_path / name, [1])
    names = [path.rpartition("/")[2] for path in shard_files(tmp_path, "train")]
    assert names == ["fineweb_train_000000.bin", "fineweb_train_000001.bin"]


def test_a_folder_without_shards_names_the_pattern_and_the_knob(tmp_path):
    with pytest.raises(UsageError, match=r"no token shards match .*\*_val_\*\.bin: set DATA_PATH"):
        shard_files(tmp_path, "val")


def test_validation_keeps_whole_sequences_and_one_more_token(tmp_path):
    files = split_into(tmp_path, [5, 6])
    every, whole = load_validation(files, seq_len=4)
    assert every.tolist() == list(range(11))
    assert whole.tolist() == list(range(9))


def test_validation_shorter_than_a_sequence_says_what_it_needs(tmp_path):
    with pytest.raises(UsageError, match=r"4 validation tokens .* TRAIN_SEQ_LEN=4 needs 5"):
        load_validation(split_into(tmp_path, [4]), seq_len=4)


# ---- the stream and the loader ---------------------------------------------------------------


@given(lengths=lengths, takes=st.lists(st.integers(1, 90), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_the_stream_is_the_shards_end_to_end_for_ever(folder, lengths, takes):
    stream = TokenStream(split_into(folder, lengths))
    taken = [token for n in takes for token in stream.take(n).tolist()]
    assert taken == [i % sum(lengths) for i in range(sum(takes))]


@given(lengths=lengths, before=st.integers(1, 130), after=st.integers(1, 130))
@settings(max_examples=40, deadline=None)
def test_a_restored_stream_goes_on_where_it_was(folder, lengths, before, after):
    files = split_into(folder, lengths)
    stream, other = TokenStream(files), TokenStream(files)
    stream.take(before)
    position = stream.position
    other.restore(position)
    assert other.position == position
    assert torch.equal(other.take(after), stream.take(after))
    assert other.position == stream.position


@pytest.mark.parametrize("position", [(2, 0), (-1, 0), (0, 4), (1, -1)])
def test_a_position_that_the_files_do_not_have_is_refused(tmp_path, position):
    stream = TokenStream(split_into(tmp_path, [3, 3]))
    with pytest.raises(UsageError, match=r"no (shard|offset)"):
        stream.restore(position)


def test_a_later_shard_is_checked_when_the_stream_reaches_it(tmp_path):
    stream = TokenStream(split_into(tmp_path, [3, 3]), vocab_size=5)
    stream.take(3)
    with pytest.raises(UsageError, match=r"some_train_000001.bin: token 2 is 5"):
        stream.take(1)


@given(
    lengths=lengths,
    world_size=st.integers(1, 3),
    micro_batches=st.integers(1, 3),
    rows=st.integers(1, 3),
    seq_len=st.integers(1, 6),
)
@settings(max_examples=40, deadline=None)
def test_ranks_and_micro_batches_together_read_the_stream_without_gap(
    folder, lengths, world_size, micro_batches, rows, seq_len
):
    files = split_into(folder, lengths)
    per_rank = rows * seq_len
    global_tokens = per_rank * world_size * micro_batches
    loaders = [DistributedTokenLoader(files, r, world_size, "cpu") for r in range(world_size)]
    seen = []
    for _ in range(micro_batches):
        for loader in loaders:
            x, y = loader.next_batch(global_tokens, seq_len, micro_batches)
            assert x.shape == y.shape == (rows, seq_len)
            assert x.dtype == y.dtype == torch.int64
            span = [*x.flatten().tolist(), y.flatten()[-1].item()]
            assert y.flatten().tolist() == span[1:]
            seen += span
    assert seen == [i % sum(lengths) for i in range((per_rank + 1) * world_size * micro_batches)]
