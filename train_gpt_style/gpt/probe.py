"""How the gates drive this system: the frozen baseline, the candidate, small runs of both."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from train_gpt_style.gpt import SYSTEM
from train_gpt_style.kit.system import KIT_KNOBS
from train_gpt_style.kit.unreached import UNREACHED
from verify.probe import Probe, Scenario, Script

ROOT = Path(__file__).parents[2]
BASELINE = ROOT / "records/track_10min_16mb/2026-03-17_LoRA_TTT/train_gpt.py"


def prepare(folder: Path) -> dict[str, str]:
    """Write the probe's data; imported late, so that listing the knobs stays quick."""
    from train_gpt_style.gpt.probe_data import write

    return write(folder)


def smoke() -> list[tuple[str, str, str]]:
    """(name, published, computed) of each published figure."""
    from train_gpt_style.gpt.figures import figures

    return figures()


def scenarios() -> tuple[Scenario, ...]:
    """Small environments which, together, take each path of the script."""
    from train_gpt_style.gpt.probe_data import SCENARIOS

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


def refusals() -> dict[str, str]:
    """Kinds of bad input, each with words that its error must hold."""
    from train_gpt_style.gpt.probe_refusals import REFUSALS

    return REFUSALS


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """Make the bad input of that kind; returns the variables that lead to it."""
    from train_gpt_style.gpt.probe_refusals import spoil

    return spoil(kind, folder, data)


PROBE = Probe(
    name="gpt",
    baseline=Script(
        "baseline",
        str(BASELINE),
        build="build_model(Hyperparameters.from_env(os.environ), Context(os.environ))",
        entry="main()",
    ),
    candidate=Script(
        "candidate",
        "train_gpt_style.gpt.run",
        build="build_model(SYSTEM.read(os.environ), Context(os.environ, 8))",
        entry="main()",
    ),
    scenarios=scenarios(),
    vocab_size=320,
    features=tuple(feature.declaration for feature in SYSTEM.features),
    baseline_knobs=SYSTEM.baseline_knobs,
    kit_knobs=KIT_KNOBS,
    prepare=prepare,
    smoke=smoke,
    refusals=refusals(),
    spoil=spoil,
    # The source is part of a run's log, and its size of the byte count: the two sources differ.
    volatile=(r"^Code size: .*", r"^Total submission size .*"),
    logs={"logs/*": "=" * 100},
    unreached=UNREACHED
    | {
        r"^kit/(resuming|checkpoints|optimizers)\.py": "resumes a run: test_gpt_checkpoint.py",
        r"^gpt/(run|train)\.py.*\b(start|resumed|kept|go_on|return$|self\.rank)": "resumes a run",
        r"^kit/start\.py.*\b(start|kept|go_on|return$|return \{\}|self\.rank)": "resumes a run",
        r"^gpt/invariant\.py": "several ranks that add up alike: test_gpt_invariance.py",
        r"^kit/shards\.py:(2\d|3\d|40):": "writes shards: kit/test_shards.py",
        r"^kit/shards\.py:1[12]\d:": "goes on in the middle of a shard: test_gpt_checkpoint.py",
        r"^kit/tokenizer\.py.*except RuntimeError": "a broken tokenizer: kit/test_tokenizer.py",
        r"^gpt/optim\.py.*wrong": "says what is wrong with the optimizers: test_gpt_optim.py",
        r"^gpt/schedule\.py.*elapsed_ms": "of features that begin after a share of the time",
        r"^gpt/export\.py.*t\.ndim == 2": "a tensor that is no matrix: test_gpt_export.py",
        r"isinstance\(module, CastedLinear|module\.float\(\)": "runs on a GPU: not run here",
    },
    brief={"ITERATIONS": "2", "WARMUP_STEPS": "0", "TTT_CHUNK_SIZE": "64", "VAL_LOSS_EVERY": "0"},
)
