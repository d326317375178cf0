"""What a README quotes of its logs: each right quotation, and the same one wrong."""

import pytest

from goldenseal.audit.model import Certainty, Outcome
from tests.verify.audit.conftest import kinds

LOG = "peak memory allocated: 10111 MiB reserved: 10302 MiB\n"
LOSS = "1.93"  # of 1.14597222 bits a byte, 1.93492654

RIGHT_AND_WRONG = [
    ("- Roundtrip: `val_loss:1.9349`", "1.9349", "1.9339", "readme-loss"),
    ("- Roundtrip: `val_bpb:1.1460`", "1.1460", "1.1454", "readme-bpb"),
    ("- Train time: `train_time:600008ms`", "600008", "600080", "readme-train"),
    ("- `SEED=42`: `1.14656085`", "1.14656085", "1.14656058", "readme-bpb"),
    ("- `SEED=42`: `1.14656085`", "1.14656085", "1.14491770", "seed-swapped"),
    ("seed 1337: 1.14597, seed 42: 1.14656", "1.14656", "1.14597", "seed-swapped"),
    ("1.14597 (seed 1337), 1.14656 (seed 42)", "1.14656", "1.14665", "readme-bpb"),
    ("Seeds 1337/42/7: 1.1460/1.1466/1.1449.", "1.1466/1.1449", "1.1449/1.1466", "seed-swapped"),
    ("Seed 42 stopped at step 7,385.", "7,385", "7,358", "readme-steps"),
    ("- Mean over the three seeds: 1.14581692", "1692", "1629", "mean-not-in-log"),
    ("3-seed mean val_bpb of 1.1458.", "1.1458", "1.1449", "best-of-n"),
    ("val_bpb 1.1458 (3-seed mean)", "1.1458", "1.1452", "mean-not-in-log"),
    ("The median of the three seeds is 1.14597.", "1.14597", "1.14582", "mean-not-in-log"),
    ("val_bpb 1.1449 (best of 3 seeds)", "1.1449", "1.1458", "mean-not-in-log"),
    ("Range over seeds: 1.14492 - 1.14656", "1.14492", "1.14597", "mean-not-in-log"),
    ("Sample standard deviation over seeds: 0.00083", "0.00083", "0.00068", "deviation"),
    ("Population std over seeds: 0.00068", "0.00068", "0.00083", "deviation"),
    ("Standard error over the seeds: 0.00048", "0.00048", "0.00083", "deviation"),
    ("Training stopped at 7379/20000 steps.", "7379", "7397", "readme-steps"),
    ("Trained for 7,385 steps @ 81.2ms.", "81.2", "72.1", "readme-steps"),
    ("- Model parameters: 17,059,912", "059,912", "095,912", "readme-params"),
    ("- Peak memory: 10111 MiB allocated", "10111", "10011", "readme-memory"),
    ("- Total submission size int8+zlib: 15862650 bytes", "862650", "862560", "readme-total"),
    ("**~15.86 MB**", "15.86", "15.13", "mib-as-mb"),
]


def stated(golf, line):
    """The record with one more line at the top of its README, and a peak of memory in its logs."""
    title, _, rest = golf.readme.partition("\n")
    golf.readme = f"{title}\n\n{line}\n{rest}"
    folder = golf.write()
    for run in golf.runs:
        with (folder / run.file).open("a") as log:
            log.write(LOG)
    return folder


def audited(golf, line):
    from goldenseal.audit.auditor import audit_folder

    return audit_folder(stated(golf, line))


@pytest.mark.parametrize(("line", "right", "wrong", "kind"), RIGHT_AND_WRONG)
def test_a_quotation_is_held_against_the_log(golf, line, right, wrong, kind):
    title = golf.readme
    assert audited(golf, line).outcome is Outcome.CONSISTENT
    golf.readme = title
    assert kind in kinds(audited(golf, line.replace(right, wrong, 1)))


@pytest.mark.parametrize(
    "line",
    [
        "The previous record had a 3-seed mean of 1.1473.",
        "This is better than the merged mean of 1.1466 over three seeds.",
        "Earlier: `val_bpb:1.1490` and stopped at 7200/20000 steps.",
        "Quantization adds 0.0033 ± 0.0002 bpb over the seeds.",
        "The weights of all runs begin with std 0.005.",
        "Baseline:\n- seed 42: 1.1490\n- seed 7: 1.1491",
        "Naive baseline:\n\n```\nfinal val_loss:1.9500 val_bpb:1.1550\n```",
        "\n## Ablations\n\n- mean over three seeds: 1.1478\n- seed 42: 1.1499\n",
        "A first attempt at seed 42 gave 1.1470 before the loader was right.",
        "Best of 3 seeds: 1.1449, mean: 1.1458.",
        "Set `MATRIX_LR=0.02` for longer runs.",
        "5-seed mean on another machine: 1.1461",
        "Training ~7,400 steps in 600s.",
        "Peak memory: 24 GiB",
        "The embedding has 524,288 parameters.",
    ],
)
def test_what_speaks_of_other_runs_contradicts_nothing(golf, line):
    verdict = audited(golf, line)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings


def test_more_seeds_in_words_than_logs_is_found_anywhere(golf):
    verdict = audited(golf, "x\n" * 20 + "Our 5-seed mean val_bpb is 1.1458.")
    assert kinds(verdict) == {"seeds-counted"}


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("```bash\nMATRIX_LR=0.04 python train_gpt.py\n```", ""),
        ("```bash\nMATRIX_LR=0.05 python train_gpt.py\n```", "setting"),
        ("- Learning rate: `MATRIX_LR=0.05`", "setting"),
        ("- Learning rate: `MATRIX_LR=4e-2`", ""),
        ("Runs with `MATRIX_LR=0.04` and with `MATRIX_LR=0.05` were tried.", ""),
        ("With the rate as it was at first, `MATRIX_LR=0.05`, the runs did not end well.", ""),
        ("```bash\nSEED=99 RUN_ID=x VAL_LOSS_EVERY=0 python train_gpt.py\n```", ""),
    ],
)
def test_a_setting_of_the_readme_is_that_of_the_logs(golf, block, found):
    golf.readme += f"\n{block}\n"
    assert kinds(golf.audit()) == ({found} if found else set())


def test_blurbs_are_read_like_lines_of_the_readme(golf):
    golf.facts["blurb"] = "A thing that works. 3-seed mean: 1.1458 (std 0.0008). No more."
    assert golf.audit().outcome is Outcome.CONSISTENT
    golf.facts["blurb"] = "A thing that works. 3-seed mean: 1.1452 (std 0.0003). No more."
    assert kinds(golf.audit()) == {"mean-not-in-log", "deviation"}


def test_an_interval_with_bounds(golf):
    line = "95% CI over the seeds: [1.14375, 1.14788]"
    assert audited(golf, line).outcome is Outcome.CONSISTENT
    golf.readme = golf.readme.replace("[1.14375, 1.14788]", "[1.14476, 1.14688]")
    assert kinds(golf.audit()) == {"mean-not-in-log"}
    assert not kinds(golf.audit(), Certainty.AMBIGUOUS)
