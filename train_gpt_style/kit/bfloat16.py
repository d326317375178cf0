"""Whether this CPU multiplies bfloat16 itself; where it does not, a run says so as it starts.

torch hands bfloat16 products to oneDNN. On a CPU without instructions for them, oneDNN falls back
to code that is up to a hundred times slower than the same product in fp32. Source: measured, see
docs/benchmarks.md.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

import torch

# Instructions that multiply bfloat16, as torch names them; the last two on Arm.
PRODUCT_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16")
# oneDNN may be held to fewer instructions than the CPU has: to these, which have no such product.
WITHOUT = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI")
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")  # the first that is set counts


def multiplies_bfloat16(capabilities: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether products in bfloat16 are instructions of the CPU.

    capabilities: as of `torch.cpu.get_capabilities`. environ: what oneDNN read when it started.
    """
    limit = next((environ[name] for name in LIMITS if environ.get(name)), "")
    if limit.upper() in WITHOUT:
        return False
    return any(capabilities.get(name) is True for name in PRODUCT_INSTRUCTIONS)


def note_slow_products(ctx, who: str, remedy: str) -> None:
    """One line on standard error, of rank 0, where `who` takes products in bfloat16 the slow way.

    Not in the log, which is the same on every CPU.
    """
    if ctx.cuda or ctx.rank:
        return
    if not multiplies_bfloat16(torch.cpu.get_capabilities(), os.environ):
        print(
            f"note: {who} multiplies in bfloat16, for which this CPU has no instructions in use: "
            f"many times slower than fp32. {remedy}",
            file=sys.stderr,
            flush=True,
        )
