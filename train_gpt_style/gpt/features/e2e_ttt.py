"""TTT_INNER_STEPS: more test-time steps on each chunk, after it was scored.

Idea: end-to-end test-time training (arXiv 2512.23675) learns from the context by several inner
steps where the LoRA evaluation takes one. Each chunk is scored first; then the document's adapters
take TTT_INNER_STEPS Adam steps at TTT_LR_INNER on that same chunk; then follows the one step of
the baseline, at TTT_LORA_LR, on the loss at the adapters so reached. So no token's loss depends on
itself or on a later token, and a document's last chunk still trains nothing.

Each inner step is a forward and a backward pass of its own. All steps share the Adam moments. The
paper's recommendation is 4 inner steps; the rate is chosen by hand. No parameter is added.
Off (0): nothing is called.
"""

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.seams import GatedFeature


class E2eTtt(GatedFeature):
    """Fills one seam: before the step on a scored chunk."""

    declaration = Feature(
        name="e2e_ttt",
        summary="take more test-time steps on each scored chunk",
        master=Knob(
            "TTT_INNER_STEPS", int, 0, "Adam steps before the usual one", 0, 64, "steps", on="2"
        ),
        knobs=(Knob("TTT_LR_INNER", float, 0.0, "Adam, those steps", 0.0, on="0.125"),),
        example={"TTT_INNER_STEPS": "2", "TTT_LR_INNER": "0.0625"},
    )

    def check(self, settings):
        """Steps of no length would be a silent no-op on the weights."""
        if settings.ttt_lr_inner == 0:
            raise UsageError(
                f"TTT_INNER_STEPS={settings.ttt_inner_steps} needs TTT_LR_INNER above 0"
            )
        if settings.ttt_lora_lr == 0:
            raise UsageError("TTT_INNER_STEPS needs TTT_LORA_LR above 0: with 0, nothing adapts")

    def before_adapter_step(self, settings, optimizer, chunk_loss):
        """The inner steps. The chunk was scored before; its loss is computed anew each time."""
        (group,) = optimizer.param_groups
        usual = group["lr"]
        group["lr"] = settings.ttt_lr_inner
        for _ in range(settings.ttt_inner_steps):
            optimizer.zero_grad()
            chunk_loss().backward()
            optimizer.step()
        group["lr"] = usual
        return True


E2E_TTT = E2eTtt()
