"""What the theorems state, held against the code that computes the same on floats."""

import hashlib
import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.disk.files import problem_with_name
from goldenseal.errors import UsageError
from goldenseal.grids.analysis import holm
from goldenseal.records.check import parse_sums
from goldenseal.records.seal import sums_text
from goldenseal.runlog import START, chained
from train_gpt_style.gpt.constants import INT8_CLIP_QUANTILE, NS_A, NS_B, NS_C
from train_gpt_style.gpt.export import INT8_MAX, quantize_tensor
from train_gpt_style.gpt.invariant import climb

SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- Quantiser.v --------------------------------------------------------------------------------


def errors_in_steps(row):
    """|weight - what the file gives back| over the scale, exactly, for weights inside the clip."""
    codes, stored = quantize_tensor(row)
    clip = torch.quantile(row.abs(), INT8_CLIP_QUANTILE)
    scale = Fraction((clip / INT8_MAX).clamp_min(1.0 / INT8_MAX).item())
    read = Fraction(stored.item())
    assert abs(read - scale) <= scale / 2048
    for weight, code in zip(row.tolist(), codes.tolist(), strict=True):
        if abs(weight) <= clip:
            yield abs(Fraction(weight) - code * read) / scale


@quick
@given(SEEDS, st.integers(2, 40), st.sampled_from([0.01, 1.0, 1.5, 30.0, 4000.0]))
def test_a_weight_inside_the_clip_comes_back_within_the_bound(seed, n, size):
    row = (drawn(seed, n) * size).float()
    assert max(errors_in_steps(row)) <= Fraction(5621, 10000)


def test_half_a_step_is_not_enough_once_the_scale_is_stored():
    scale = 1 + 2**-11  # half-way between two numbers of binary16; 126.5 steps round to 126
    row = torch.tensor([127 * scale, 126.499 * scale], dtype=torch.float32)
    assert Fraction(55, 100) < max(errors_in_steps(row)) <= Fraction(5621, 10000)


@quick
@given(st.floats(2**-7, 6e4, width=32))
def test_a_code_read_and_made_again_is_the_same_code(scale):
    wide = torch.tensor(scale, dtype=torch.float32)
    codes = torch.arange(-127, 128, dtype=torch.float32)
    again = torch.round(codes * wide.half().float() / wide)
    assert torch.equal(again, codes)


# --- FixedTree.v --------------------------------------------------------------------------------


class Leaf:
    """A sum that remembers which sums it was made of, in no order."""

    def __init__(self, name):
        self.made_of = name

    def __iadd__(self, other):
        self.made_of = frozenset([self.made_of, other.made_of])
        return self


@pytest.mark.parametrize("world", [1, 2, 4, 8])
def test_the_shards_of_a_rank_make_one_branch_of_the_tree(world):
    sums = {}
    for rank in range(world):
        held = {}
        for m in range(8 // world):
            climb(held, m, [Leaf(m * world + rank)], 8 // world)
        (sums[rank],) = held.pop(0)
    distance = world // 2
    while distance:  # as `combine_ranks` exchanges them
        before = {rank: each.made_of for rank, each in sums.items()}
        for rank, each in sums.items():
            each.made_of = frozenset([before[rank], before[rank ^ distance]])
        distance //= 2
    pair = lambda a, b: frozenset([a, b])  # noqa: E731
    tree = pair(
        pair(pair(0, 4), pair(2, 6)),
        pair(pair(1, 5), pair(3, 7)),
    )
    assert all(each.made_of == tree for each in sums.values())


# --- Manifest.v and Chain.v ---------------------------------------------------------------------

NAMES = st.text(min_size=1, max_size=12).filter(lambda name: problem_with_name(name) is None)


@quick
@given(st.sets(NAMES, max_size=6), st.randoms(use_true_random=False))
def test_a_manifest_is_read_back_as_it_was_printed(names, random):
    names = {*names, "seal.json"} - {"SHA512SUMS", "seal.dsse.json"}
    sums = {name: random.randbytes(64).hex() for name in names}
    printed = sums_text(sums)
    assert parse_sums(printed) == sums
    place = random.randrange(len(printed))
    other = bytes([printed[place] ^ 1 << random.randrange(7)])
    changed = printed[:place] + other + printed[place + 1 :]
    try:  # either no manifest, or the printed form of other entries
        found = parse_sums(changed)
    except UsageError:
        return
    assert found != sums
    assert sums_text(found) == changed


@quick
@given(st.lists(st.binary(max_size=8), min_size=1, max_size=6), st.binary(max_size=8), st.data())
def test_an_edited_line_changes_every_later_link(lines, line, data):
    def links(bodies):
        link = START
        return [link := chained(link, body) for body in bodies]

    k = data.draw(st.integers(0, len(lines) - 1))
    edited = [*lines[:k], line, *lines[k + 1 :]]
    assert links(lines)[0] == hashlib.sha512(bytes(64) + lines[0]).digest()
    for place, (a, b) in enumerate(zip(links(lines), links(edited), strict=True)):
        assert (a == b) == (place < k or lines[k] == line)


# --- Holm.v -------------------------------------------------------------------------------------


@quick
@given(st.lists(st.fractions(0, 1, max_denominator=60), min_size=1, max_size=7))
def test_holm_rejects_what_the_theorem_calls_rejected(values):
    level, m = Fraction(1, 20), len(values)
    corrected = holm(values)
    for i, p in enumerate(values):
        rejected = all(
            q * (m - sum(other < q for other in values)) <= level for q in values if q <= p
        )
        assert (corrected[i] <= level) == rejected


# --- Muon.v and Adam.v --------------------------------------------------------------------------


@quick
@given(st.floats(0.05, 1.0))
def test_five_steps_bring_a_singular_value_near_one(x):
    for _ in range(5):
        x = NS_A * x + NS_B * x**3 + NS_C * x**5
    assert 0.68 <= x <= 1.14


@quick
@given(SEEDS, st.sampled_from([(0.9, 0.999), (0.9, 0.95), (0.5, 0.9)]))
def test_no_step_of_adam_is_longer_than_its_reach(seed, betas):
    b1, b2 = betas
    reach = math.sqrt((1 - b1) ** 2 / ((1 - b2) * (1 - b1**2 / b2)))
    p = torch.zeros(8, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([p], lr=1.0, betas=betas, eps=1e-12)
    size = torch.exp2(4 * drawn(seed, 30, 8))  # gradients of all sizes, in bursts
    for k in range(30):
        before = p.detach().clone()
        p.grad = size[k] * torch.sign(drawn(seed + k, 8))
        adam.step()
        assert float((p.detach() - before).abs().max()) <= reach * (1 + 1e-9)


# --- LayerNorm.v and RmsNorm.v ------------------------------------------------------------------


@quick
@given(SEEDS, st.integers(2, 9), st.sampled_from([0.0, 1e-5, 0.1]))
def test_the_gradients_of_the_norms_are_those_of_the_theorems(seed, n, eps):
    x, u = drawn(seed, n).requires_grad_(), drawn(seed + 1, n)
    (layer,) = torch.autograd.grad(torch.nn.functional.layer_norm(x, (n,), eps=eps) @ u, x)
    (rms,) = torch.autograd.grad(torch.nn.functional.rms_norm(x, (n,), eps=eps) @ u, x)
    with torch.no_grad():
        centred, square = x - x.mean(), (x * x).mean()
        variance = (centred * centred).mean()
        z = centred / (variance + eps).sqrt()
        expected = (u - u.mean() - z * (u * z).mean()) / (variance + eps).sqrt()
        assert torch.allclose(layer, expected, rtol=1e-6, atol=1e-9)
        assert math.isclose(layer @ x, (u @ z) * eps / (variance + eps), rel_tol=1e-5, abs_tol=1e-8)
        assert float(layer.norm()) <= float(u.norm() / (variance + eps).sqrt()) * (1 + 1e-9)
        z = x / (square + eps).sqrt()
        assert torch.allclose(
            rms, (u - z * (u @ z) / n) / (square + eps).sqrt(), rtol=1e-6, atol=1e-9
        )
        assert math.isclose(rms @ x, (u @ z) * eps / (square + eps), rel_tol=1e-5, abs_tol=1e-8)
