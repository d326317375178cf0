#!/bin/sh
# The evaluation after training with load_best_model_at_end is of the best checkpoint, and is logged as the last step's.
#
# One would guess that a line {"step": 15, "epoch": 3.0, "eval_loss": ...} of trainer_state.json, and the epoch 3.0 of
# eval_results.json, speak of the model after 15 steps. With transformers 5.23.0 `trainer.evaluate()` then evaluates
# the checkpoint that was loaded, of step 5 here, and logs it at step 15: the log has two losses of step 15, which are
# of two models, and the results file gives the loss of step 5 under the epoch of the end. Whoever compares runs by
# "the last evaluation" compares best with last. What helps: best_global_step and best_model_checkpoint of the state.
# Exits 1 when the evaluation is logged at the step of its model.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check transformers==5.23.0 accelerate==1.15.0 torch==2.13.0 || exit 3
cat > "$work/run.py" <<'PY'
import sys
import torch
import transformers
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments
from transformers.modeling_outputs import SequenceClassifierOutput


class Config(PretrainedConfig):
    model_type = "toy"


class Toy(PreTrainedModel):
    config_class = Config

    def __init__(self, config):
        super().__init__(config)
        self.net = torch.nn.Linear(4, 2)
        self.post_init()

    def _init_weights(self, module):
        pass

    def forward(self, x=None, labels=None):
        logits = self.net(x)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def rows(count, flip):
    x = torch.randn(count, 4, generator=torch.Generator().manual_seed(1))
    return [{"x": row, "labels": ((row.sum() > 0) ^ flip).long()} for row in x]


arguments = TrainingArguments(
    sys.argv[1], num_train_epochs=3, per_device_train_batch_size=8, eval_strategy="epoch",
    save_strategy="epoch", learning_rate=0.1, seed=7, report_to=[], load_best_model_at_end=True,
    use_cpu=True, disable_tqdm=True,
)
# What is learnt is wrong for the validation set, so that the first epoch is the best one.
trainer = Trainer(model=Toy(Config()), args=arguments, train_dataset=rows(40, False), eval_dataset=rows(16, True))
trainer.train()
final = trainer.evaluate()
logged = [(line["step"], line["eval_loss"]) for line in trainer.state.log_history if "eval_loss" in line]
shown = [(step, round(loss, 4)) for step, loss in logged]
print("transformers", transformers.__version__)
print("best step", trainer.state.best_global_step, "of", trainer.state.max_steps)
print("evaluations that are logged (step, loss):", shown)
print("the last one says epoch", final["epoch"])
if shown[-1][0] != trainer.state.max_steps or shown[-1][1] != shown[0][1] or final["epoch"] != 3.0:
    sys.exit("CHANGED: it is logged at another step")
PY
"$work/venv/bin/python" "$work/run.py" "$work/out" 2>"$work/log" >"$work/said" || { tail -n 3 "$work/log"; exit 1; }
grep -v "^{" "$work/said"
# Seen:
#   transformers 5.23.0
#   best step 5 of 15
#   evaluations that are logged (step, loss): [(5, 1.5025), (10, 2.016), (15, 2.1828), (15, 1.5025)]
#   the last one says epoch 3.0
