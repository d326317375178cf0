"""pytest tests/verify/disk/test_events.py

Event files are held against TensorBoard's own writer and loader.
"""

import io
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenseal.audit.series import as_written
from goldenseal.disk import events
from goldenseal.errors import UsageError

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_ndarray


class Kept(io.BytesIO):
    """Bytes that stay when the writer closes them."""

    def close(self):
        pass


def written(values):
    """An event file of (tag, step, summary value without its tag)."""
    buffer = Kept()
    writer = RecordWriter(buffer)
    writer.write(event_pb2.Event(wall_time=1.5, file_version="brain.Event:2").SerializeToString())
    for tag, step, value in values:
        summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, **value)])
        event = event_pb2.Event(wall_time=2.25, step=step, summary=summary)
        writer.write(event.SerializeToString())
    return buffer.getvalue()


def tensor(kind, **content):
    return {"tensor": tensor_pb2.TensorProto(dtype=kind, **content)}


def of_the_library(path):
    """Every scalar as TensorBoard's own loader gives it."""
    found = []
    for count, event in enumerate(EventFileLoader(str(path)).Load(), start=1):
        for value in event.summary.value:  # the loader makes a tensor of a simple value, too
            number = make_ndarray(value.tensor).item()
            found.append(events.Scalar(value.tag, event.step, event.wall_time, number, count))
    return found


ONE = st.one_of(
    st.floats(width=32).map(lambda x: {"simple_value": x}),
    st.floats(width=32).map(lambda x: tensor(1, float_val=[x])),
    st.floats().map(lambda x: tensor(2, double_val=[x])),
)
ROWS = st.lists(st.tuples(st.text(max_size=9), st.integers(-(2**63), 2**63 - 1), ONE), max_size=5)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
def test_the_scalars_are_those_of_tensorboards_own_loader(rows, tmp_path):
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(written(rows))
    assert [repr(s) for s in events.scalars(path)] == [repr(s) for s in of_the_library(path)]


def test_what_is_no_scalar_is_none(tmp_path):
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

    one = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(
        written(
            [
                ("vector", 1, tensor(1, float_val=[0.5], tensor_shape=one)),
                ("whole", 1, tensor(3, int_val=[5])),
                ("text", 1, tensor(7, string_val=[b"0.5"])),
                ("empty", 1, tensor(1)),
            ]
        )
    )
    assert list(events.scalars(path)) == []


def test_a_file_that_was_cut_short_says_so_after_what_came_before(tmp_path):
    whole = written([("loss", step, {"simple_value": 0.5 * step}) for step in range(4)])
    path = tmp_path / "events.out.tfevents.1"
    counts = set()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        found = []
        try:
            for scalar in events.scalars(path):
                found.append(scalar.step)
        except events.CutShort:
            counts.add(len(found))
        assert found == list(range(len(found)))
    assert counts == {0, 1, 2, 3}


def test_a_flipped_bit_anywhere_is_told_with_its_place():
    whole = written([("loss", step, {"simple_value": 0.5}) for step in range(2)])
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 4
        with pytest.raises(UsageError, match=r"damaged|cut short|larger"):
            list(events.records(io.BytesIO(bytes(data))))


def test_the_checksum_of_tfrecords_is_the_published_one():
    """123456789 has the CRC-32C e3069283, by RFC 3720."""
    unmasked = (events.masked(b"123456789") - 0xA282EAD8) & 0xFFFFFFFF
    assert (unmasked << 15 | unmasked >> 17) & 0xFFFFFFFF == 0xE3069283


SIZE = st.floats(1e-9, 1e29) | st.floats(2.0**-30, 2.0**90, width=32) | st.just(math.inf)


@given(value=SIZE | SIZE.map(lambda x: -x) | st.sampled_from([0.0, math.nan]))
def test_a_number_is_written_in_digits_that_give_it_back(value):
    import struct

    made = as_written(value)
    assert (made is None) is not math.isfinite(value)
    if made is not None and float(made.text) != value:
        assert struct.pack("<f", float(made.text)) == struct.pack("<f", value)
