"""Changed code that no run of a probe executes, with the reason, and who looks at it instead.

Patterns are matched against `file:line: text`. Everything else that differs from the baseline and
is not executed makes the gate `changed lines` say so.
"""

UNREACHED = {
    r": raise ": "refuses bad input: a unit test for each, and the rung `refusals` for many",
    r"^\w+/features/": "runs with a feature on: its unit tests, by `goldenseal mutate --on`",
    r"^\w+/probe\w*\.py": "drives the gates, and is no part of a run",
    r"^kit/energy/": "reads a meter, which this machine has not: kit/test_energy.py, with fakes",
    r"^kit/numerics\.py": "enters a lane before torch is imported: make portable",
    r"\bcuda\b|torch\.compile|allow_tf32": "runs on a GPU: not run here",
    r"^\w+/seams\.py": "what a seam does when no feature fills it: nothing",
    r"^kit/system\.py.*(def |return \{\}|load_features)": "of a system without own checks or data",
    r"^kit/context\.py.*\b(dist|gc|started_group|parts|world_size != 1)\b": "several ranks: "
    "test_gpt_torchrun",
    r"^kit/context\.py.*\b(synchronize|perf_counter|tolist)\b": "a clock that only some ask",
    r"^kit/bfloat16\.py": "a CPU without bfloat16 instructions: kit/test_bfloat16.py",
    r"\bbundle\b": "runs from a bundle: test_every_system.py",
    r"^kit/(checkpoints|optimizers|resuming)\.py": "resumes a run: test_killed_runs.py",
    r"^kit/start\.py.*\b(start|kept|go_on|loader|self\.rank|read|path|file)\b": "resumes a run, or "
    "keeps a log: test_killed_runs.py",
    r"^kit/start\.py.*(return$|return \{)": "keeps no log on other ranks: test_killed_runs.py",
    r"\b(run|train)\.py:.*\b(start|resumed|go_on)\b": "resumes a run",
    r"^kit/batches\.py.*\b(position|self\.drawn|self\.next_rows)\b": "goes on within an epoch",
}
