"""pytest tests/verify/audit/test_audit_prose_logs.py — logs that were printed for people.

Of each way of printing: a README that follows from the logs, and its twins that do not.
"""

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Certainty, Outcome
from goldenseal.audit.prose_log import ProseLog
from goldenseal.audit.series import Metrics
from tests.verify.audit.conftest import kinds

AMBIGUOUS = Certainty.AMBIGUOUS
LOSS = ("0.9214", "0.5137", "0.4302", "0.4475")
ACCURACY = ("71.25", "83.10", "88.46", "87.93")  # the last epoch is not the best
ROWS = list(zip(range(1, 5), LOSS, ACCURACY, strict=True))


def bars(text):
    return "\r" + text


def plain():
    for e, loss, acc in ROWS:
        yield f"epoch {e} | val loss {loss} | val acc {acc}%"


def colons():
    for e, loss, acc in ROWS:
        yield f"[2026-01-0{e} 10:00:00,123] INFO Epoch {e}/4: val_loss: {loss}, val_acc: {acc}"


def equals():
    yield "Namespace(lr=0.1, seed=7, epochs=4, name='a b')"
    for e, loss, acc in ROWS:
        yield f"Epoch={e} train_loss={float(loss) / 2:.4f} val_loss={loss} val_acc={acc}"


def meters():
    for e, loss, acc in ROWS:
        for i in (0, 50):
            of = f"Epoch: [{e}][{i}/100]\tTime 0.1 (0.2)"
            yield f"{of}\tLoss 1.5000 (1.6000)\tAcc@1 50.00 (49.00)"
        yield "Test: [0/10]\tTime 0.1 (0.1)\tLoss 0.7000 (0.8000)\tAcc@1 60.00 (61.00)"
        yield f" * Loss {loss} Acc@1 {acc} Acc@5 99.000"


def bar_of_keras():
    for e, loss, acc in ROWS:
        yield f"Epoch {e}/4"
        share = float(acc) / 100
        steps = [f"{i}/9 [==>....] - ETA: {9 - i}s - loss: 3.{i}000" for i in range(1, 9)]
        known = f"loss: 1.0000 - val_loss: {loss} - val_accuracy: {share:.4f}"
        end = f"9/9 [=====] - 1s 9ms/step - {known}"
        yield "\x08\x08\x08".join([*steps, end])


def bar_of_tqdm():
    parts = []
    for e, loss, acc in ROWS:
        for i in range(0, 101, 25):
            known = f", val_loss={loss}, val_acc={acc}" if i == 100 else ""
            parts.append(
                f"Epoch {e}: {i:3}%|##  | {i}/100 [00:01<00:01, 33.3it/s, loss=2.{i}{known}]"
            )
    yield "\r".join(parts)


def sets():
    for e, loss, acc in ROWS:
        yield f"Train Epoch: {e} [0/60000 (0%)]\tLoss: 2.300000"
        right = round(float(acc) * 100)
        yield f"Test set: Average loss: {loss}, Accuracy: {right}/10000 ({float(acc):.0f}%)"


def dictionaries():
    for e, loss, acc in ROWS:
        yield "{'loss': '1.5', 'learning_rate': '0.01', 'epoch': '%s.5'}" % (e - 1)
        yield f"{{'eval_loss': {loss}, 'eval_accuracy': {float(acc) / 100:.4f}, 'epoch': {e}.0}}"


def pipes():
    for e, loss, acc in ROWS:
        yield f"2026-01-01 10:00:00 | INFO | train | epoch 00{e} | loss 2.5 | lr 0.1"
        yield f"2026-01-01 10:00:00 | INFO | valid | epoch 00{e} | loss {loss} | accuracy {acc}"


def colours():
    for e, loss, acc in ROWS:
        yield f"\x1b[32mepoch {e}\x1b[0m val_loss \x1b[1m{loss}\x1b[0m val_acc \x1b[1m{acc}\x1b[0m"


def two_in_a_line():
    for e, loss, acc in ROWS:
        share = float(acc) / 100
        yield (
            f"2026-05-09 19:17:05,018 - Epoch [{e}/4] | Train Loss: 0.1{e}00 Acc: 0.99{e}0 | "
            f"Test Loss: {loss} Acc: {share:.4f}"
        )


def two_headings():
    for e, loss, acc in ROWS:
        yield f"[{e:03}/004] Train - loss: 0.1{e}00, acc: 99.{e}0  Val - loss: {loss}, acc: {acc}"


STYLES = {
    each.__name__: each
    for each in (plain, colons, equals, meters, bar_of_keras, bar_of_tqdm, sets, dictionaries)
} | {"pipes": pipes, "colours": colours, "two": two_in_a_line, "headings": two_headings}
README = """# A run

The final accuracy is {acc} %, at a loss of {loss}.
The best accuracy was {best} %.
"""


@pytest.fixture(params=STYLES)
def folder(request, tmp_path):
    (tmp_path / "train.log").write_text("\n".join([*STYLES[request.param](), ""]), newline="")
    return tmp_path


def verdict_of(folder, acc="87.93", loss="0.4475", best="88.46"):
    (folder / "README.md").write_text(README.format(acc=acc, loss=loss, best=best))
    return audit_folder(folder)


def test_what_follows_from_the_log_is_consistent(folder):
    verdict = verdict_of(folder)
    assert verdict.form == "research"
    assert verdict.outcome is Outcome.CONSISTENT, (verdict.reason, verdict.findings)
    assert kinds(verdict) == set()
    assert len(verdict.confirmed) >= 3, verdict.confirmed


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"acc": "86.93"}, "not-in-log"),
        ({"acc": "88.46"}, "best-for-last"),
        ({"best": "89.46"}, "not-in-log"),
        ({"best": "87.93"}, "best-for-last"),
        ({"loss": "0.3475"}, "not-in-log"),
    ],
)
def test_what_does_not_is_found(folder, changed, kind):
    verdict = verdict_of(folder, **changed)
    assert kinds(verdict) == {kind}, (verdict.findings, verdict.confirmed)


def test_a_log_of_llm_c_is_read(tmp_path):
    (tmp_path / "main.log").write_text(
        "s:0 tel:11.0092\ns:0 trl:11.0091 lr:0.000001 norm:15.37\ns:9 trl:3.2217 lr:0.0 norm:0.2\n"
        "s:10 tel:3.2722\n"
    )
    text = "# A run\n\nThe final validation loss was **{}**.\n"
    (tmp_path / "README.md").write_text(text.format("3.2722"))
    assert audit_folder(tmp_path).outcome is Outcome.CONSISTENT
    (tmp_path / "README.md").write_text(text.format("3.2622"))
    assert kinds(audit_folder(tmp_path)) == {"not-in-log"}
    (tmp_path / "README.md").write_text(text.format("3.2217"))  # it is that of training
    assert kinds(audit_folder(tmp_path)) == {"not-in-log"}


def test_seeds_and_tables(tmp_path):
    finals = {1: "87.93", 2: "88.11", 3: "86.85"}
    for seed, acc in finals.items():
        rows = [f"seed: {seed}", *list(plain())[:3], f"epoch 4 | val loss 0.44 | val acc {acc}%"]
        (tmp_path / f"run{seed}.txt").write_text("\n".join(rows))
    table = "# Runs\n\n| seed | final val acc (%) |\n|---|---|\n"
    rows = [f"| {seed} | {acc} |\n" for seed, acc in finals.items()]
    (tmp_path / "README.md").write_text(table + "".join(rows) + "| mean | 87.63 ± 0.68 |\n")
    verdict = audit_folder(tmp_path)
    assert verdict.outcome is Outcome.CONSISTENT, (verdict.reason, verdict.findings)
    rows[1] = "| 2 | 88.91 |\n"
    (tmp_path / "README.md").write_text(table + "".join(rows))
    assert kinds(audit_folder(tmp_path)) == {"not-in-log"}


@pytest.mark.parametrize(
    "line",
    [
        "Loading checkpoint: val acc 93.10",
        "previous best: val acc 93.10, target acc 95.00",
        "baseline accuracy: 93.10",
        "Validation loss decreased (0.5 --> 0.4)",
        "lr 0.1 | time 12.5 | memory 93.10",
        "x" * 3000 + " acc 93.1",
        "",
        "epoch 1",
        "lossless 93.1 and accuracies 5",
    ],
)
def test_what_a_line_says_of_something_else_is_no_value(line):
    log = ProseLog(Metrics("x"))
    log.take(1, line)
    assert log.metrics.series == {}


def test_a_best_value_that_the_log_itself_prints_is_no_last_one(tmp_path):
    lines = [*plain(), "Best val acc: 88.46 at epoch 3"]
    (tmp_path / "train.log").write_text("\n".join(lines))
    verdict = verdict_of(tmp_path)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert kinds(verdict_of(tmp_path, acc="88.46")) == {"best-for-last"}


def test_a_quantity_that_only_the_readme_ties_to_a_split_is_not_accused(tmp_path):
    (tmp_path / "train.log").write_text("epoch 1 | loss 0.91\nepoch 2 | loss 0.52\n")
    (tmp_path / "README.md").write_text("# A run\n\nThe final test loss is 0.61.\n")
    verdict = audit_folder(tmp_path)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert kinds(verdict, AMBIGUOUS) == {"not-in-log"}
    (tmp_path / "README.md").write_text("# A run\n\nThe final loss is 0.61.\n")
    assert kinds(audit_folder(tmp_path)) == {"not-in-log"}


@pytest.mark.parametrize(
    "text",
    [
        "The balanced accuracy is 80.00 %.",
        "The top-5 accuracy is 99.00 %.",
        "Its calibration loss is 0.1200.",
        "A reference accuracy of 93.00 %.",
    ],
)
def test_another_quantity_with_the_name_in_it_is_not_accused(tmp_path, text):
    (tmp_path / "train.log").write_text("\n".join(plain()))
    (tmp_path / "README.md").write_text(f"# A run\n\nFinal accuracy: 87.93 %\n\n{text}\n")
    verdict = audit_folder(tmp_path)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
