"""Code that no run of a probe can reach, with the reason, and who looks at it instead.

Patterns are matched against `file:line: text`. Everything else that differs from the baseline and
is not executed makes the gate `changed lines` say so.
"""

UNREACHED = {
    r": raise ": "refuses bad input: a unit test for each, and the rung `refusals` for many",
    r"^kit/energy/": "reads a meter, which this machine has not: kit/test_energy.py, with fakes",
    r"^kit/numerics\.py": "enters a lane before torch is imported: make portable",
    r"\bcuda\b|torch\.compile|allow_tf32": "runs on a GPU: not run here",
    r"^[a-z_]+/seams\.py": "what a seam does when nobody fills it: nothing",
    r"^kit/shards\.py:[23]\d:|^kit/shards\.py:40:": "writes shards: kit/test_shards.py",
}
