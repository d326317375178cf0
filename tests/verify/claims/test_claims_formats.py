"""pytest tests/verify/claims/test_claims_formats.py — CSV, JSON lines, event files."""

import struct

import pytest

from goldenseal.claims.findings import ClaimError
from goldenseal.claims.formats import rows_of
from goldenseal.records.seal import seal

CSV = "epoch,step,train_loss,val_loss\n0,100,0.75,\n0,100,,1.25\n1,200,0.5,\n1,200,,0.875\n"


@pytest.fixture
def record(repository):
    """Seals a record with one more file; returns the start of a definition on that file."""

    def make(file, data):
        folder = repository.draft("run", {1: 1.0})
        (folder / file).write_bytes(data if isinstance(data, bytes) else data.encode())
        seal(folder)
        return f"record = 'toy/run', file = '{file}'"

    return make


def kinds(repository, text, body):
    return repository.kinds(text, f"v = {{ {body} }}")


def test_a_row_of_a_csv_is_chosen_by_its_cells(repository, record):
    file = record("metrics.csv", CSV)
    body = f"{file}, line = {{ step = 200 }}, pointer = '/val_loss'"
    assert kinds(repository, "0.875<!--=v-->", body) == []
    assert kinds(repository, "0.88<!--=v-->", body) == []
    assert kinds(repository, "0.89<!--=v-->", body) == ["hard-coded"]
    assert kinds(repository, "1.25<!--=v-->", body) == ["misplaced"]
    assert kinds(repository, "0.5<!--=v-->", body.replace("val_", "train_")) == []


@pytest.mark.parametrize(
    ("line", "pointer", "kind"),
    [
        ("step = 300", "/val_loss", "no-evidence"),
        ("epoch = 1, step = 100", "/val_loss", "no-evidence"),
        ("step = 200", "/loss", "no-evidence"),
        ("stepp = 200", "/val_loss", "no-evidence"),
        ("", "/val_loss", "bad-claim"),
        ("step = true", "/val_loss", "no-evidence"),
    ],
)
def test_a_row_that_is_not_one_is_no_evidence(repository, record, line, pointer, kind):
    body = f"{record('metrics.csv', CSV)}, line = {{ {line} }}, pointer = '{pointer}'"
    assert kinds(repository, "0.875<!--=v-->", body) == [kind]


def test_a_csv_of_one_row_needs_no_line(repository, record):
    file = record("result.csv", "loss,note\n0.875,final\n")
    assert kinds(repository, "0.875<!--=v-->", f"{file}, pointer = '/loss'") == []


def test_a_csv_that_was_changed_after_it_was_sealed_is_none(repository, record):
    body = f"{record('metrics.csv', CSV)}, line = {{ step = 200 }}, pointer = '/val_loss'"
    (repository.folder("run") / "metrics.csv").write_text(CSV.replace("0.875", "0.870"))
    assert kinds(repository, "0.870<!--=v-->", body) == ["unsealed"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "a,b\r\n1,2\r\n"),
        ("a.csv", "\ufeffa;b\n1;2\n"),
        ("a.tsv", "a\tb\n1\t2\n"),
        ("a.csv", 'a , b\n"1", 2 \n\n'),
    ],
)
def test_the_usual_dialects_of_csv(name, text):
    assert rows_of(text.encode(), name, name) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,a\n1,2\n", "two columns are called 'a'"),
        ("a,b\n1\n", "row 2 has 1 cells, the head 2"),
        ("a,b\n1,2,3\n", "row 2 has 3 cells, the head 2"),
        (b"a,b\n\xff,1\n", "not UTF-8"),
    ],
)
def test_a_csv_that_can_be_read_in_two_ways_is_not_read(text, why):
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(ClaimError, match=why):
        rows_of(data, "a.csv", "a.csv")


def test_json_lines_under_another_name(repository, record):
    file = record("log.ndjson", '{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 1.5}\n')
    body = f"{file}, line = {{ step = 2 }}, pointer = '/loss'"
    assert kinds(repository, "1.5<!--=v-->", body) == []
    assert kinds(repository, "2.5<!--=v-->", body) == ["misplaced"]


# -- event files -----------------------------------------------------------------------------------


def events(scalars):
    """The bytes of an event file, written by tensorboard's own writer."""
    import io

    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    class Kept(io.BytesIO):
        def close(self):
            pass

    buffer = Kept()
    writer = RecordWriter(buffer)
    writer.write(Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())
    for tag, step, value in scalars:
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        event = Event(wall_time=2.0, step=step, summary=summary)
        writer.write(event.SerializeToString())
    return buffer.getvalue()


NAME = "events.out.tfevents.1.host"


def test_a_scalar_of_an_event_file_is_chosen_by_tag_and_step(repository, record):
    data = events([("val/loss", 100, 1.25), ("val/loss", 200, 0.1), ("train/loss", 200, 0.5)])
    body = f"{record(NAME, data)}, line = {{ tag = 'val/loss', step = 200 }}, pointer = '/value'"
    assert kinds(repository, "0.1<!--=v-->", body) == []
    assert kinds(repository, "0.5<!--=v-->", body) == ["misplaced"]
    assert kinds(repository, "0.30<!--=v-->", body) == ["hard-coded"]
    assert kinds(repository, "0.1<!--=v-->", body.replace("200", "300")) == ["no-evidence"]
    assert kinds(repository, "0.1<!--=v-->", body.replace(", step = 200", "")) == ["no-evidence"]


def test_every_scalar_is_read_and_none_is_sampled():
    rows = rows_of(events([("loss", step, float(step)) for step in range(10_050)]), NAME, NAME)
    assert [row["step"] for row in rows] == list(range(10_050))


def test_scalars_are_float32_in_an_event_file():
    """What docs/claims.md says: 16777217 is 16777216, and 0.1 is not 0.1."""
    rows = rows_of(events([("tokens", 1, 16_777_217.0), ("x", 1, 0.1)]), NAME, NAME)
    assert [row["value"] for row in rows] == [
        16_777_216.0,
        struct.unpack("f", struct.pack("f", 0.1))[0],
    ]


TWO = events([("a", 1, 0.5), ("a", 2, 0.25)])
FLIPPED = TWO[:-5] + bytes([TWO[-5] ^ 1]) + TWO[-4:]


@pytest.mark.parametrize(
    ("data", "of_first", "of_second"),
    [
        (TWO, [], []),
        (TWO[:-5], [], ["no-evidence"]),
        (FLIPPED, ["no-evidence"], ["no-evidence"]),
    ],
    ids=["whole", "cut short", "damaged"],
)
def test_of_an_event_file_that_was_cut_short_stays_what_came_before_and_of_a_damaged_one_nothing(
    repository, record, data, of_first, of_second
):
    body = f"{record(NAME, data)}, line = {{ tag = 'a', step = 1 }}, pointer = '/value'"
    assert kinds(repository, "0.5<!--=v-->", body) == of_first
    assert kinds(repository, "0.25<!--=v-->", body.replace("step = 1", "step = 2")) == of_second
