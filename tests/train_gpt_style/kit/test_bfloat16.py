"""pytest tests/train_gpt_style/kit/test_bfloat16.py — who multiplies bfloat16, and who says so."""

import contextlib
import io
from types import SimpleNamespace

import pytest
import torch

from train_gpt_style.kit import bfloat16

HAS = {"avx512_bf16": True, "amx_bf16": False, "avx2": True, "cpu_name": "bf16"}
HAS_NOT = {"avx2": True, "avx512_f": True, "avx_ne_convert": True, "l1d_cache_size": 49152}


@pytest.mark.parametrize(
    ("capabilities", "environ", "native"),
    [
        (HAS, {}, True),
        ({"amx_bf16": True}, {}, True),
        ({"arm_bf16": True}, {}, True),
        (HAS_NOT, {}, False),
        ({}, {}, False),
        ({"avx512_bf16": False}, {}, False),
        (HAS, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, False),
        (HAS, {"ONEDNN_MAX_CPU_ISA": "avx512_core"}, False),
        (HAS, {"DNNL_MAX_CPU_ISA": "SSE41"}, False),
        (HAS, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}, True),
        (HAS, {"ONEDNN_MAX_CPU_ISA": "ALL", "DNNL_MAX_CPU_ISA": "AVX2"}, True),
        (HAS, {"ONEDNN_MAX_CPU_ISA": "", "DNNL_MAX_CPU_ISA": "AVX2"}, False),
        (HAS_NOT, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}, False),
    ],
)
def test_it_takes_instructions_and_leave_to_use_them(capabilities, environ, native):
    assert bfloat16.multiplies_bfloat16(capabilities, environ) is native


@pytest.mark.parametrize(
    ("cuda", "rank", "native", "lines"),
    [(False, 0, False, 1), (True, 0, False, 0), (False, 1, False, 0), (False, 0, True, 0)],
)
def test_one_rank_of_a_slow_cpu_says_it_in_one_line(monkeypatch, cuda, rank, native, lines):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: HAS if native else HAS_NOT)
    for name in bfloat16.LIMITS:
        monkeypatch.delenv(name, raising=False)
    said, printed = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(printed):
        bfloat16.note_slow_products(SimpleNamespace(cuda=cuda, rank=rank), "Muon", "Do that")
    assert said.getvalue().count("\n") == lines
    assert said.getvalue().startswith("note: Muon multiplies in bfloat16" if lines else "")
    assert printed.getvalue() == ""
