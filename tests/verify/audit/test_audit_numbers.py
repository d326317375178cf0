"""pytest tests/verify/audit/test_audit_numbers.py — rounding, deviations, and bytes of any kind."""

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenseal.audit.auditor import audit_record
from goldenseal.audit.checks.spread import deviation
from goldenseal.audit.golf import GolfForm
from goldenseal.audit.logs import read_log
from goldenseal.audit.numbers import Agreement, agreement, parse
from goldenseal.audit.reader import parse_json
from goldenseal.audit.readme_tables import read_readme
from goldenseal.audit.submission import read_submission
from tests.verify.audit.conftest import three_seeds

values = st.decimals(min_value=Decimal("0.5"), max_value=Decimal("20"), places=8)


@given(values, st.integers(1, 7), st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]))
def test_a_value_rounded_to_any_digits_agrees(value, digits, how):
    shown = value.quantize(Decimal(1).scaleb(-digits), rounding=how)
    assert agreement(parse(str(shown)), value) is Agreement.ROUNDED


@given(values, st.integers(1, 7), st.sampled_from([1, -1]))
def test_a_claim_off_by_one_in_its_last_digit_does_not_agree(value, digits, sign):
    last = Decimal(1).scaleb(-digits)
    shown = value.quantize(last, rounding=ROUND_HALF_EVEN)
    tie = abs(value - shown) == last / 2
    other = agreement(parse(str(shown + sign * last)), value)
    cut = value.quantize(last, rounding=ROUND_DOWN) == shown + sign * last
    assert other is (Agreement.TRUNCATED if cut else Agreement.NONE) or tie


@given(values, st.integers(2, 5))
def test_a_log_with_fewer_digits_supports_only_as_many(value, digits):
    logged = value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
    claim = parse(str(value))
    assert agreement(claim, logged, digits) in (Agreement.FEWER, Agreement.ROUNDED)
    off = parse(str(value + Decimal("1.1").scaleb(-digits)))
    assert agreement(off, logged, digits) is Agreement.NONE


def test_the_examples_of_the_rounding_rule():
    for claim, logged in (("1.1929", "1.19292"), ("1.1556", "1.15555486"), ("1.08100", "1.081")):
        assert agreement(parse(claim), Decimal(logged)) is Agreement.ROUNDED
    assert parse("1.08100").digits == 5
    assert parse("15,928,974").value == 15928974
    for odd in ("", "TBD", "1.2.3", "1e999999999", "9" * 99, None, "١٢", "0x10", "nan", "1,23"):
        number = parse(odd)
        assert number is None or number.value.is_finite()


@given(st.lists(values, min_size=2, max_size=9), st.integers(0, 1))
def test_a_deviation_is_the_textbook_s(listed, ddof):
    floats = [float(v) for v in listed]
    centre = math.fsum(floats) / len(floats)
    expected = math.sqrt(sum((v - centre) ** 2 for v in floats) / (len(floats) - ddof))
    assert float(deviation(listed, ddof)) == pytest.approx(expected, rel=1e-6, abs=1e-12)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
trees = st.recursive(
    scalars, lambda c: st.lists(c, max_size=4) | st.dictionaries(st.text(max_size=9), c, max_size=4)
)
NAMES = st.sampled_from(
    ["val_bpb", "val_loss", "seeds", "seed_results", "seed_scores", "bytes_total", "p_value", "t"]
)


@given(st.dictionaries(NAMES | st.text(max_size=8), trees, max_size=6))
def test_any_json_object_is_read_as_claims_without_failing(facts):
    import json

    value, problem = parse_json(json.dumps(facts).encode())
    assert value is not None, problem
    read_submission("submission.json", value)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_as_json_log_and_readme_without_failing(data):
    parse_json(data)
    read_log("train_seed1.log", data)
    read_readme("README.md", data.decode("utf-8", errors="replace"))


WORDS = st.sampled_from(
    "seed: val_bpb:1.2 val_loss:2 1/9 step:5/9 | Seed |---| ±0.1 1337 ==== \n Total submission "
    "size bytes 1e999 code:99999 p<0.01 t=3.2 - 0.0 MB × 10^-5 final_ 8xH100 train_time: ms".split(
        " "
    )
)


SHARED = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
]  # every example writes all its files anew


@settings(max_examples=60, deadline=None, suppress_health_check=SHARED)
@given(
    st.lists(WORDS, max_size=60).map(" ".join),
    st.lists(WORDS, max_size=60).map(" ".join),
    st.dictionaries(NAMES, trees, max_size=5),
)
def test_a_record_of_nonsense_never_makes_a_check_fail(tmp_path, log, readme, facts):
    import json

    golf = three_seeds(tmp_path / "record")
    folder = golf.write()
    (folder / "train_seed42.log").write_text(golf.runs[1].text() + log)
    (folder / "README.md").write_text(golf.readme + "\n" + readme.replace("| ", "|\n|"))
    (folder / "submission.json").write_text(json.dumps({**golf.facts, **facts}))
    form = GolfForm()
    audit_record(form, form.read(folder), "record")
