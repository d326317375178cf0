"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

from dataclasses import replace

from goldenseal.ladder.probe import Scenario
from train_gpt_style.gpt import SYSTEM
from train_gpt_style.gpt.probe_data import SCENARIOS
from train_gpt_style.kit.probing import probe_of


def scenarios() -> tuple[Scenario, ...]:
    """Small environments which, together, take each path of the script."""
    # Fewer, larger evaluation batches than in the unit tests: whole runs spend their time there.
    # With chunks of 34 or 35 tokens a document ends just behind, or on, the end of a chunk.
    chunks = {"tied": "34", "untied": "35", "single": "34"}
    alone = tuple(
        Scenario(name, {**make(), "TTT_CHUNK_SIZE": chunks[name], "VAL_BATCH_SIZE": "2048"})
        for name, make in SCENARIOS.items()
    )
    # In the last of them an earlier run has left its log; then, the second of two ranks.
    log = {"logs/single.txt": "of an earlier run\n"}
    *others, single = alone
    shorter = {**alone[0].environment, "WARMDOWN_ITERS": "1", "VAL_LOSS_EVERY": "1"}
    shorter["MAX_WALLCLOCK_SECONDS"] = "60"  # never reached, but the ranks agree on that each step
    return (*others, replace(single, leftovers=log), Scenario("two ranks", shorter, ranks=2))


PROBE = probe_of(
    SYSTEM,
    "records/track_10min_16mb/2026-03-17_LoRA_TTT/train_gpt.py",
    scenarios(),
    model_class="GPT",
    parts="MICRO_BATCHES",
    vocab_size=320,
    # The source is part of a run's log, and its size of the byte count: the two sources differ.
    volatile=(r"^Code size: .*", r"^Total submission size .*"),
    logs={"logs/*": "=" * 100},
    unreached={
        r"^gpt/invariant\.py": "several ranks that add up alike: test_gpt_invariance.py",
        r"^kit/shards\.py:(2\d|3\d|40):": "writes shards: kit/test_shards.py",
        r"^kit/shards\.py:1[12]\d:": "goes on in the middle of a shard: test_gpt_checkpoint.py",
        r"^kit/tokenizer\.py.*except RuntimeError": "a broken tokenizer: kit/test_tokenizer.py",
        r"^gpt/muon\.py.*nesterov": "momentum without Nesterov: test_gpt_muon.py",
        r"^gpt/optim\.py.*wrong": "says what is wrong with the optimizers: test_gpt_optim.py",
        r"^gpt/schedule\.py.*elapsed_ms": "of features that begin after a share of the time",
        r"^gpt/export\.py.*t\.ndim == 2": "a tensor that is no matrix: test_gpt_export.py",
        r"isinstance\(module, CastedLinear|module\.float\(\)": "runs on a GPU: not run here",
    },
    brief={"ITERATIONS": "2", "WARMUP_STEPS": "0", "TTT_CHUNK_SIZE": "64", "VAL_LOSS_EVERY": "0"},
)
