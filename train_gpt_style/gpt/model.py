"""The model: a small GPT with U-Net skips, whose seams are empty until a feature fills them.

Shape letters: B batch, T time, D model width, H query heads, K key/value heads, d head width,
V vocabulary.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

# Parameters named here stay in fp32, go to Adam whatever their shape, and are never quantised.
CONTROL_NAMES = ("attn_scale", "mlp_scale", "resid_mix", "q_gain", "skip_weight")


def is_control(name):
    """Whether a parameter of this name steers the stream rather than transforming it."""
    return any(control in name for control in CONTROL_NAMES)


class CastedLinear(nn.Linear):
    """Weights in fp32 for the optimizer, cast to the activations' type at use. No bias."""

    def __init__(self, in_features, out_features, zero_init=False):
        super().__init__(in_features, out_features, bias=False)
        self.zero_init = zero_init

    def forward(self, x):
        """Map the last axis: (..., in) to (..., out)."""
        return F.linear(x, self.weight.to(x.dtype))


class Rotary(nn.Module):
    """Rotary position embedding, half-split form. Tables are cached per length and device."""

    def __init__(self, head_dim, base):
        super().__init__()
        inv_freq = 1.0 / base ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
        self.register_buffer("inv_freq", inv_freq, persistent=False)
        self.cache = None

    def forward(self, x_BHTd):
        """Rotate each position's pairs by an angle that grows with the position."""
        T, device = x_BHTd.size(2), x_BHTd.device
        if self.cache is None or self.cache[0] != (T, device):
            t = torch.arange(T, device=device, dtype=torch.float32)
            angles_Td = torch.outer(t, self.inv_freq)
            self.cache = (T, device), angles_Td.cos(), angles_Td.sin()
        cos, sin = (table.to(x_BHTd.dtype)[None, None] for table in self.cache[1:])
        x1, x2 = x_BHTd.chunk(2, dim=-1)
        return torch.cat((x1 * cos + x2 * sin, x2 * cos - x1 * sin), dim=-1)


class CausalSelfAttention(nn.Module):
    """Grouped-query attention with normalised queries and keys and a learned gain per head."""

    def __init__(self, dim, num_heads, num_kv_heads, rope_base, qk_gain_init):
        super().__init__()
        self.num_heads, self.num_kv_heads, self.head_dim = num_heads, num_kv_heads, dim // num_heads
        kv_dim = num_kv_heads * self.head_dim
        self.c_q = CastedLinear(dim, dim)
        self.c_k = CastedLinear(dim, kv_dim)
        self.c_v = CastedLinear(dim, kv_dim)
        self.proj = CastedLinear(dim, dim, zero_init=True)
        self.q_gain = nn.Parameter(torch.full((num_heads,), qk_gain_init, dtype=torch.float32))
        self.rotary = Rotary(self.head_dim, rope_base)

    def forward(self, x_BTD, q_delta=None, v_delta=None):
        """Mix over time; the deltas are added to the queries (B, T, Hd) and values (B, T, Kd)."""
        B, T, D = x_BTD.shape
        q, k, v = self.c_q(x_BTD), self.c_k(x_BTD), self.c_v(x_BTD)
        if q_delta is not None:
            q, v = q + q_delta, v + v_delta
        q = q.reshape(B, T, self.num_heads, self.head_dim).transpose(1, 2)
        k = k.reshape(B, T, self.num_kv_heads, self.head_dim).transpose(1, 2)
        v = v.reshape(B, T, self.num_kv_heads, self.head_dim).transpose(1, 2)
        q = self.rotary(F.rms_norm(q, (self.head_dim,)))
        k = self.rotary(F.rms_norm(k, (self.head_dim,)))
        q = q * self.q_gain.to(q.dtype)[None, :, None, None]
        y = F.scaled_dot_product_attention(
            q, k, v, is_causal=True, enable_gqa=self.num_kv_heads != self.num_heads
        )
        return self.proj(y.transpose(1, 2).reshape(B, T, D))


class MLP(nn.Module):
    """Squared ReLU between two linear maps."""

    def __init__(self, dim, mult):
        super().__init__()
        self.fc = CastedLinear(dim, mult * dim)
        self.proj = CastedLinear(mult * dim, dim, zero_init=True)

    def forward(self, x_BTD):
        """Transform each position by itself."""
        return self.proj(torch.relu(self.fc(x_BTD)).square())


class Block(nn.Module):
    """Re-mix with the embedding, then attention, then MLP, each scaled per channel."""

    def __init__(self, dim, num_heads, num_kv_heads, mlp_mult, rope_base, qk_gain_init):
        super().__init__()
        self.attn = CausalSelfAttention(dim, num_heads, num_kv_heads, rope_base, qk_gain_init)
        self.mlp = MLP(dim, mlp_mult)
        self.attn_scale = nn.Parameter(torch.ones(dim, dtype=torch.float32))
        self.mlp_scale = nn.Parameter(torch.ones(dim, dtype=torch.float32))
        self.resid_mix = nn.Parameter(torch.stack((torch.ones(dim), torch.zeros(dim))))

    def forward(self, x_BTD, x0_BTD, q_lora=None, v_lora=None):
        """One layer; the adapters see the normalised input of the attention."""
        D, dtype = x_BTD.size(-1), x_BTD.dtype
        mix = self.resid_mix.to(dtype)
        x = mix[0] * x_BTD + mix[1] * x0_BTD
        n = F.rms_norm(x, (D,))
        deltas = () if q_lora is None else (q_lora(n), v_lora(n))
        x = x + self.attn_scale.to(dtype) * self.attn(n, *deltas)
        return x + self.mlp_scale.to(dtype) * self.mlp(F.rms_norm(x, (D,)))


class GPT(nn.Module):
    """U-Net skips: the first half of the blocks push their output, the second half pop it.

    `around_block`, `before_head` and `auxiliary_losses` are the seams, by feature name, in order of
    installation: see `seams.GatedFeature.install`. Empty, they hold no tensor and do nothing.
    """

    def __init__(
        self,
        vocab_size,
        num_layers,
        model_dim,
        num_heads,
        num_kv_heads,
        mlp_mult,
        tie_embeddings,
        tied_embed_init_std,
        logit_softcap,
        rope_base,
        qk_gain_init,
    ):
        super().__init__()
        self.tie_embeddings, self.logit_softcap = tie_embeddings, logit_softcap
        self.tok_emb = nn.Embedding(vocab_size, model_dim)
        self.num_encoder_layers = num_layers // 2
        # As many skips as encoder layers: there are at least as many decoder layers to take them.
        self.skip_weights = nn.Parameter(
            torch.ones(self.num_encoder_layers, model_dim, dtype=torch.float32)
        )
        self.blocks = nn.ModuleList(
            Block(model_dim, num_heads, num_kv_heads, mlp_mult, rope_base, qk_gain_init)
            for _ in range(num_layers)
        )
        self.lm_head = (
            None if tie_embeddings else CastedLinear(model_dim, vocab_size, zero_init=True)
        )
        self.around_block, self.before_head = nn.ModuleDict(), nn.ModuleDict()
        self.auxiliary_losses = nn.ModuleDict()
        if tie_embeddings:
            nn.init.normal_(self.tok_emb.weight, std=tied_embed_init_std)
        for module in self.modules():
            if getattr(module, "zero_init", False):
                nn.init.zeros_(module.weight)

    def apply_block(self, i, x, x0, lora):
        """Block i, inside the features that wrap it, the first installed innermost."""
        loras = () if lora is None else (lora.q[i], lora.v[i])

        def apply(x):
            return self.blocks[i](x, x0, *loras)

        for wrapper in self.around_block.values():
            apply = partial(wrapper, apply, i)
        return apply(x)

    def forward(self, input_ids, target_ids, lora=None):
        """Mean cross-entropy; with adapters, the loss of each token, (B, T)."""
        x = self.tok_emb(input_ids)  # (B, T, D)
        x = F.rms_norm(x, (x.size(-1),))
        x0, skips, auxiliary = x, [], []
        for i in range(len(self.blocks)):
            decoder_index = i - self.num_encoder_layers
            if decoder_index >= 0 and skips:
                x = x + self.skip_weights[decoder_index].to(x.dtype) * skips.pop()
            x = self.apply_block(i, x, x0, lora)
            if decoder_index < 0:
                skips.append(x)
            for loss in self.auxiliary_losses.values():
                if loss.layer == i and self.training and lora is None:
                    auxiliary.append(loss(x))
        x = F.rms_norm(x, (x.size(-1),))
        for transform in self.before_head.values():
            x = transform(x)
        logits = F.linear(x, self.tok_emb.weight) if self.tie_embeddings else self.lm_head(x)
        if lora is not None:
            logits = logits + lora.head(x)
        logits = self.logit_softcap * torch.tanh(logits / self.logit_softcap)  # (B, T, V)
        flat_logits, flat_targets = logits.float().flatten(0, 1), target_ids.flatten()
        if lora is None:
            return sum(auxiliary, F.cross_entropy(flat_logits, flat_targets))
        return F.cross_entropy(flat_logits, flat_targets, reduction="none").view_as(target_ids)


def build_model(settings, ctx):
    """The model as it trains, with the features that are on.

    On CUDA it is mostly bfloat16, with fp32 for what optimizers need exact.
    """
    model = GPT(
        vocab_size=settings.vocab_size,
        num_layers=settings.num_layers,
        model_dim=settings.model_dim,
        num_heads=settings.num_heads,
        num_kv_heads=settings.num_kv_heads,
        mlp_mult=settings.mlp_mult,
        tie_embeddings=settings.tie_embeddings,
        tied_embed_init_std=settings.tied_embed_init_std,
        logit_softcap=settings.logit_softcap,
        rope_base=settings.rope_base,
        qk_gain_init=settings.qk_gain_init,
    ).to(ctx.device)
    if ctx.cuda:
        model.bfloat16()
        for module in model.modules():
            if isinstance(module, CastedLinear | Rotary):
                module.float()
        for name, p in model.named_parameters():
            if p.ndim < 2 or is_control(name):
                p.data = p.data.float()
    for feature in settings.features:
        feature.install(model, settings)
        model.to(ctx.device)
    return model
