"""The frozen baseline: a small GPT, trained against the clock, shipped in 16 MB, adapted at test time.

    python train_gpt.py                                   # one process, CPU or CUDA
    torchrun --standalone --nproc_per_node=8 train_gpt.py # eight ranks share one global batch

Every setting is an environment variable of `Hyperparameters`. Importing this file has no effect.
An independent implementation of the parameter-golf record `2026-03-17_LoRA_TTT`; this folder is
sealed, so this file never changes: features live in `train_gpt_style/gpt`, which must equal it.

Shape letters: B batch, T time, D model width, H query heads, K key/value heads, V vocabulary,
R adapter rank.
"""

import gc
import glob
import json
import math
import os
import random
import sys
import time
import zlib
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import safetensors.torch
import sentencepiece as spm
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

# ----------------------------------------------------------------------------------------------
# Hyperparameters
# ----------------------------------------------------------------------------------------------


class InputError(ValueError):
    """The environment or the data is wrong; the message says what would be right."""


def knob(env, default, low=None, high=None):
    """One environment variable: its name, its default, and the closed range of legal values."""
    return field(default=default, metadata={"env": env, "low": low, "high": high})


@dataclass(frozen=True)
class Hyperparameters:
    # data and run
    data_path: str = knob("DATA_PATH", "./data/shakespeare")
    tokenizer_path: str = knob("TOKENIZER_PATH", "./data/shakespeare/tokenizer.model")
    run_id: str = knob("RUN_ID", "train_gpt")
    seed: int = knob("SEED", 1337, 0, 2**63 - 1)
    # length, batch and validation cadence
    val_batch_size: int = knob("VAL_BATCH_SIZE", 524288, 1)
    val_loss_every: int = knob("VAL_LOSS_EVERY", 1000, 0)
    train_log_every: int = knob("TRAIN_LOG_EVERY", 200, 0)
    iterations: int = knob("ITERATIONS", 20000, 0)
    warmdown_iters: int = knob("WARMDOWN_ITERS", 1200, 0)
    warmup_steps: int = knob("WARMUP_STEPS", 20, 0)
    train_batch_tokens: int = knob("TRAIN_BATCH_TOKENS", 524288, 1)
    train_seq_len: int = knob("TRAIN_SEQ_LEN", 1024, 1)
    max_wallclock_seconds: float = knob("MAX_WALLCLOCK_SECONDS", 600.0, 0.0)
    # model
    qk_gain_init: float = knob("QK_GAIN_INIT", 1.5)
    vocab_size: int = knob("VOCAB_SIZE", 1024, 1, 65536)
    num_layers: int = knob("NUM_LAYERS", 9, 1)
    num_kv_heads: int = knob("NUM_KV_HEADS", 4, 1)
    model_dim: int = knob("MODEL_DIM", 512, 1)
    num_heads: int = knob("NUM_HEADS", 8, 1)
    mlp_mult: int = knob("MLP_MULT", 2, 1)
    tie_embeddings: bool = knob("TIE_EMBEDDINGS", True)
    rope_base: float = knob("ROPE_BASE", 10000.0, 1.0)
    logit_softcap: float = knob("LOGIT_SOFTCAP", 30.0, 1e-6)
    # optimizers
    embed_lr: float = knob("EMBED_LR", 0.6, 0.0)
    head_lr: float = knob("HEAD_LR", 0.008, 0.0)
    tied_embed_lr: float = knob("TIED_EMBED_LR", 0.05, 0.0)
    tied_embed_init_std: float = knob("TIED_EMBED_INIT_STD", 0.005, 0.0)
    matrix_lr: float = knob("MATRIX_LR", 0.04, 0.0)
    scalar_lr: float = knob("SCALAR_LR", 0.04, 0.0)
    muon_momentum: float = knob("MUON_MOMENTUM", 0.95, 0.0, 1.0)
    muon_backend_steps: int = knob("MUON_BACKEND_STEPS", 5, 1)
    muon_momentum_warmup_start: float = knob("MUON_MOMENTUM_WARMUP_START", 0.85, 0.0, 1.0)
    muon_momentum_warmup_steps: int = knob("MUON_MOMENTUM_WARMUP_STEPS", 500, 0)
    beta1: float = knob("BETA1", 0.9, 0.0, 1.0)
    beta2: float = knob("BETA2", 0.95, 0.0, 1.0)
    adam_eps: float = knob("ADAM_EPS", 1e-8, 0.0)
    grad_clip_norm: float = knob("GRAD_CLIP_NORM", 0.0, 0.0)
    # LoRA test-time training, after the run
    ttt_lora_rank: int = knob("TTT_LORA_RANK", 8, 1)
    ttt_lora_lr: float = knob("TTT_LORA_LR", 0.01, 0.0)
    ttt_chunk_size: int = knob("TTT_CHUNK_SIZE", 256, 1)
    ttt_eval_seq_len: int = knob("TTT_EVAL_SEQ_LEN", 1024, 1)
    ttt_batch_size: int = knob("TTT_BATCH_SIZE", 64, 1)

    def __post_init__(self):
        for f in fields(self):
            value, env, low, high = getattr(self, f.name), *f.metadata.values()
            too_low = low is not None and not value >= low
            too_high = high is not None and not value <= high
            if too_low or too_high:
                raise InputError(f"{env}={value} is out of range: at least {low}, at most {high}")
        if self.model_dim % self.num_heads or (self.model_dim // self.num_heads) % 2:
            raise InputError(
                f"MODEL_DIM={self.model_dim} must be NUM_HEADS={self.num_heads} times an even number"
            )
        if self.num_heads % self.num_kv_heads:
            raise InputError(
                f"NUM_KV_HEADS={self.num_kv_heads} must divide NUM_HEADS={self.num_heads}"
            )
        if self.ttt_chunk_size > self.ttt_eval_seq_len:
            raise InputError(
                f"TTT_CHUNK_SIZE={self.ttt_chunk_size} must not exceed "
                f"TTT_EVAL_SEQ_LEN={self.ttt_eval_seq_len}"
            )

    @classmethod
    def from_env(cls, environ):
        """Read the environment once. An unset or empty variable means the default."""
        given = {}
        for f in fields(cls):
            text = environ.get(f.metadata["env"], "")
            if text == "":
                continue
            try:
                given[f.name] = bool(int(text)) if f.type is bool else f.type(text)
            except ValueError:
                raise InputError(f"{f.metadata['env']}={text} is not a {f.type.__name__}") from None
        return cls(**given)


# Parameters named here stay in fp32, go to Adam whatever their shape, and are never quantised.
CONTROL_NAMES = ("attn_scale", "mlp_scale", "resid_mix", "q_gain", "skip_weight")


def is_control(name):
    return any(control in name for control in CONTROL_NAMES)


# ----------------------------------------------------------------------------------------------
# Muon
# ----------------------------------------------------------------------------------------------


def newton_schulz(G, steps, eps=1e-7):
    """Push the singular values of G towards one: the quintic iteration, in bfloat16."""
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G.bfloat16()
    X = X / (X.norm() + eps)
    tall = G.size(0) > G.size(1)
    if tall:
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        B = b * A + c * A @ A  # reads as (c A) A: in bfloat16 the order is part of the result
        X = a * X + B @ X
    return X.T if tall else X


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised. Ranks share the work: each owns every W-th matrix."""

    def __init__(self, params, lr, momentum, backend_steps, nesterov=True):
        defaults = dict(
            lr=lr, momentum=momentum, backend_steps=backend_steps, nesterov=nesterov
        )
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        rank, world_size = (dist.get_rank(), dist.get_world_size()) if is_distributed() else (0, 1)
        for group in self.param_groups:
            params, momentum = group["params"], group["momentum"]
            if not params:
                continue
            sizes = [p.numel() for p in params]
            flat = torch.zeros(sum(sizes), device=params[0].device, dtype=torch.bfloat16)
            slots = flat.split(sizes)
            for i, (p, slot) in enumerate(zip(params, slots)):
                if i % world_size != rank or p.grad is None:
                    continue
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(p.grad)
                buffer = state["momentum_buffer"]
                buffer.mul_(momentum).add_(p.grad)
                g = p.grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
                g = newton_schulz(g, group["backend_steps"])
                g = g * max(1, g.size(0) / g.size(1)) ** 0.5
                slot.copy_(g.reshape(-1))
            if world_size > 1:
                dist.all_reduce(flat, op=dist.ReduceOp.SUM)
            for p, slot in zip(params, slots):
                p.add_(slot.view_as(p).to(p.dtype), alpha=-group["lr"])
        return loss


# ----------------------------------------------------------------------------------------------
# Model
# ----------------------------------------------------------------------------------------------


class CastedLinear(nn.Linear):
    """Weights in fp32 for the optimizer, cast to the activations' type at use. No bias."""

    def __init__(self, in_features, out_features, zero_init=False):
        super().__init__(in_features, out_features, bias=False)
        self.zero_init = zero_init

    def forward(self, x):
        return F.linear(x, self.weight.to(x.dtype))


class Rotary(nn.Module):
    """Rotary position embedding, half-split form. Tables are cached per length and device."""

    def __init__(self, head_dim, base):
        super().__init__()
        inv_freq = 1.0 / base ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
        self.register_buffer("inv_freq", inv_freq, persistent=False)
        self.cache = None

    def forward(self, x_BHTd):
        T, device = x_BHTd.size(2), x_BHTd.device
        if self.cache is None or self.cache[0] != (T, device):
            t = torch.arange(T, device=device, dtype=torch.float32)
            angles_Td = torch.outer(t, self.inv_freq.to(device=device, dtype=torch.float32))
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
        return self.proj(torch.relu(self.fc(x_BTD)).square())


class Block(nn.Module):
    """Re-mix with the embedding, then attention, then MLP, each scaled per channel."""

    def __init__(self, dim, num_heads, num_kv_heads, mlp_mult, rope_base, qk_gain_init):
        super().__init__()
        self.attn = CausalSelfAttention(dim, num_heads, num_kv_heads, rope_base, qk_gain_init)
        self.mlp = MLP(dim, mlp_mult)
        self.attn_scale = nn.Parameter(torch.ones(dim, dtype=torch.float32))
        self.mlp_scale = nn.Parameter(torch.ones(dim, dtype=torch.float32))
        self.resid_mix = nn.Parameter(torch.stack((torch.ones(dim), torch.zeros(dim))).float())

    def forward(self, x_BTD, x0_BTD, q_lora=None, v_lora=None):
        D, dtype = x_BTD.size(-1), x_BTD.dtype
        mix = self.resid_mix.to(dtype)
        x = mix[0] * x_BTD + mix[1] * x0_BTD
        n = F.rms_norm(x, (D,))
        deltas = () if q_lora is None else (q_lora(n), v_lora(n))
        x = x + self.attn_scale.to(dtype) * self.attn(n, *deltas)
        return x + self.mlp_scale.to(dtype) * self.mlp(F.rms_norm(x, (D,)))


class GPT(nn.Module):
    """U-Net skips: the first half of the blocks push their output, the second half pop it."""

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
        num_decoder_layers = num_layers - self.num_encoder_layers
        num_skips = min(self.num_encoder_layers, num_decoder_layers)
        self.skip_weights = nn.Parameter(torch.ones(num_skips, model_dim, dtype=torch.float32))
        self.blocks = nn.ModuleList(
            Block(model_dim, num_heads, num_kv_heads, mlp_mult, rope_base, qk_gain_init)
            for _ in range(num_layers)
        )
        self.lm_head = (
            None if tie_embeddings else CastedLinear(model_dim, vocab_size, zero_init=True)
        )
        if tie_embeddings:
            nn.init.normal_(self.tok_emb.weight, mean=0.0, std=tied_embed_init_std)
        for module in self.modules():
            if getattr(module, "zero_init", False):
                nn.init.zeros_(module.weight)

    def forward(self, input_ids, target_ids, lora=None):
        """Mean cross-entropy; with adapters, the loss of each token, (B, T)."""
        x = self.tok_emb(input_ids)  # (B, T, D)
        x = F.rms_norm(x, (x.size(-1),))
        x0, skips = x, []
        for i, block in enumerate(self.blocks):
            decoder_index = i - self.num_encoder_layers
            if decoder_index >= 0 and skips:
                x = x + self.skip_weights[decoder_index].to(x.dtype) * skips.pop()
            x = block(x, x0) if lora is None else block(x, x0, lora.q[i], lora.v[i])
            if decoder_index < 0:
                skips.append(x)
        x = F.rms_norm(x, (x.size(-1),))
        logits = F.linear(x, self.tok_emb.weight) if self.tie_embeddings else self.lm_head(x)
        if lora is not None:
            logits = logits + lora.head(x)
        logits = self.logit_softcap * torch.tanh(logits / self.logit_softcap)  # (B, T, V)
        flat_logits, flat_targets = logits.float().flatten(0, 1), target_ids.flatten()
        if lora is None:
            return F.cross_entropy(flat_logits, flat_targets)
        return F.cross_entropy(flat_logits, flat_targets, reduction="none").view_as(target_ids)


# ----------------------------------------------------------------------------------------------
# Data: token shards and the endless stream over them
# ----------------------------------------------------------------------------------------------

SHARD_MAGIC, SHARD_VERSION, SHARD_HEADER_INTS = 20240520, 1, 256


def load_shard(path):
    """A shard is 256 little-endian int32 (magic, version, token count, ...), then uint16 tokens."""
    header_bytes = SHARD_HEADER_INTS * 4
    size = os.path.getsize(path)
    if size < header_bytes:
        raise InputError(f"{path}: {size} bytes is shorter than the header of {header_bytes}")
    magic, version, count = (int(v) for v in np.fromfile(path, dtype="<i4", count=3))
    if (magic, version) != (SHARD_MAGIC, SHARD_VERSION):
        raise InputError(
            f"{path}: magic {magic} version {version}, "
            f"expected magic {SHARD_MAGIC} version {SHARD_VERSION}"
        )
    if size != header_bytes + 2 * count:
        raise InputError(f"{path}: {size} bytes, but {count} tokens need {header_bytes + 2 * count}")
    tokens = np.fromfile(path, dtype="<u2", count=count, offset=header_bytes)
    return torch.from_numpy(tokens.astype(np.uint16, copy=False))


def shard_files(data_path, split):
    pattern = os.path.join(data_path, f"*_{split}_*.bin")
    files = sorted(glob.glob(pattern))
    if not files:
        raise InputError(f"no token shards match {pattern}: set DATA_PATH to their folder")
    return files


class TokenStream:
    """The shards of the training split, end to end, for ever."""

    def __init__(self, files):
        self.files, self.index, self.offset = files, 0, 0
        self.tokens = load_shard(files[0])

    def take(self, n):
        pieces = []
        while n > 0:
            if self.offset >= self.tokens.numel():
                self.index = (self.index + 1) % len(self.files)
                self.tokens, self.offset = load_shard(self.files[self.index]), 0
                continue
            piece = self.tokens[self.offset : self.offset + n]
            pieces.append(piece)
            self.offset += piece.numel()
            n -= piece.numel()
        return torch.cat(pieces)


class DistributedTokenLoader:
    """Deals each micro-batch of the stream to the ranks, one contiguous span a rank."""

    def __init__(self, files, rank, world_size, device):
        self.stream = TokenStream(files)
        self.rank, self.world_size, self.device = rank, world_size, device

    def next_batch(self, global_tokens, seq_len, grad_accum_steps):
        span = global_tokens // (self.world_size * grad_accum_steps) + 1  # +1: targets are shifted
        tokens = self.stream.take(span * self.world_size)
        local = tokens[self.rank * span : (self.rank + 1) * span].to(torch.int64)
        x, y = local[:-1].reshape(-1, seq_len), local[1:].reshape(-1, seq_len)
        return x.to(self.device), y.to(self.device)


# ----------------------------------------------------------------------------------------------
# Validation in bits per byte
# ----------------------------------------------------------------------------------------------


class ByteCounter:
    """UTF-8 bytes that each target token stands for, given the token before it."""

    def __init__(self, tokenizer, vocab_size, device):
        if tokenizer.vocab_size() != vocab_size:
            raise InputError(
                f"VOCAB_SIZE={vocab_size}, but the tokenizer has {tokenizer.vocab_size()} pieces"
            )
        rows = [self.piece_facts(tokenizer, i) for i in range(vocab_size)]
        base, marker, boundary = zip(*rows)
        self.base = torch.tensor(base, dtype=torch.int64).to(device)
        self.marker = torch.tensor(marker, dtype=torch.bool).to(device)
        self.boundary = torch.tensor(boundary, dtype=torch.bool).to(device)

    @staticmethod
    def piece_facts(tokenizer, i):
        """(bytes without the word marker, starts with the marker, is a boundary) of piece i."""
        if tokenizer.is_control(i) or tokenizer.is_unknown(i) or tokenizer.is_unused(i):
            return 0, False, True
        if tokenizer.is_byte(i):
            return 1, False, False
        piece = tokenizer.id_to_piece(i)
        return len(piece.removeprefix("▁").encode("utf-8")), piece.startswith("▁"), False

    def __call__(self, previous_ids, target_ids):
        leading_space = self.marker[target_ids] & ~self.boundary[previous_ids]
        return self.base[target_ids] + leading_space  # int64, the shape of target_ids


def bits_per_byte(loss_sum, token_count, byte_count):
    """(mean loss in nats a token, bits a byte)."""
    return loss_sum / token_count, loss_sum / math.log(2.0) / byte_count


def validate(args, model, ctx, val_tokens, byte_counter):
    """Loss over whole sequences of the validation split, each rank taking its share of them."""
    seq_len = args.train_seq_len
    batch_seqs = args.val_batch_size // (ctx.world_size * ctx.grad_accum_steps * seq_len)
    if batch_seqs < 1:
        raise InputError(
            f"VAL_BATCH_SIZE={args.val_batch_size} must hold at least one sequence of "
            f"TRAIN_SEQ_LEN={seq_len} for each of {ctx.world_size * ctx.grad_accum_steps} micro-batches"
        )
    num_seqs = (val_tokens.numel() - 1) // seq_len
    if num_seqs < 1:
        raise InputError(f"the validation split is shorter than TRAIN_SEQ_LEN={seq_len}")
    first, last = (num_seqs * r // ctx.world_size for r in (ctx.rank, ctx.rank + 1))
    sums = torch.zeros(3, dtype=torch.float64, device=ctx.device)  # loss, tokens, bytes
    model.eval()
    with torch.no_grad():  # not inference_mode: training reuses the rotary tables made here
        for start in range(first, last, batch_seqs):
            stop = min(start + batch_seqs, last)
            local = val_tokens[start * seq_len : stop * seq_len + 1].to(ctx.device, torch.int64)
            x, y = local[:-1].reshape(-1, seq_len), local[1:].reshape(-1, seq_len)
            with ctx.autocast():
                loss = model(x, y)
            sums[0] += loss.double() * y.numel()
            sums[1] += y.numel()
            sums[2] += byte_counter(x, y).sum()
    model.train()
    if ctx.world_size > 1:
        dist.all_reduce(sums, op=dist.ReduceOp.SUM)
    return bits_per_byte(*sums.tolist())


# ----------------------------------------------------------------------------------------------
# Export: int8 + zlib, no pickle anywhere
# ----------------------------------------------------------------------------------------------

INT8_MIN_NUMEL = 65_536  # tensors up to this size are kept in floating point
INT8_CLIP_QUANTILE = 0.9999984


def quantize_tensor(t):
    """int8 values and their fp16 scale: one scale a row for matrices, one a tensor otherwise."""
    t = t.float()
    rows = t if t.ndim == 2 else t.reshape(1, -1)
    clip = torch.quantile(rows.abs(), INT8_CLIP_QUANTILE, dim=1, keepdim=True)
    scale = (clip / 127.0).clamp_min(1.0 / 127.0)
    q = torch.round(rows.clamp(-clip, clip) / scale).clamp(-127, 127).to(torch.int8)
    return q.reshape(t.shape), scale.squeeze(1).to(torch.float16)


def export_model(state_dict):
    """The artifact's bytes: a safetensors file of quantised tensors, compressed."""
    tensors, dtypes = {}, {}
    for name, t in state_dict.items():
        t = t.detach().cpu().contiguous()
        dtypes[name] = str(t.dtype).removeprefix("torch.")
        if t.is_floating_point() and t.numel() > INT8_MIN_NUMEL:
            tensors[f"int8/{name}"], tensors[f"scale/{name}"] = quantize_tensor(t)
        elif t.is_floating_point() and not is_control(name):
            tensors[f"kept/{name}"] = t.to(torch.float16)
        else:
            tensors[f"kept/{name}"] = t
    metadata = {"dtypes": json.dumps(dtypes, sort_keys=True)}
    return zlib.compress(safetensors.torch.save(tensors, metadata), level=9)


SAFETENSORS_TYPES = {
    "I8": torch.int8,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
}


def import_model(blob):
    """The state dict that an artifact stands for."""
    raw = zlib.decompress(blob)
    header_size = int.from_bytes(raw[:8], "little")
    dtypes = json.loads(json.loads(raw[8 : 8 + header_size])["__metadata__"]["dtypes"])
    views = dict(safetensors.deserialize(raw))  # in no particular order, hence the dict

    def read(key):
        view = views[key]
        dtype = SAFETENSORS_TYPES[view["dtype"]]
        if not view["data"]:  # frombuffer refuses what is empty: skip_weights of a single layer
            return torch.empty(view["shape"], dtype=dtype)
        return torch.frombuffer(bytearray(view["data"]), dtype=dtype).reshape(view["shape"])

    state_dict = {}
    for name, dtype in dtypes.items():
        if f"int8/{name}" in views:
            q, scale = read(f"int8/{name}").float(), read(f"scale/{name}").float()
            t = q * scale.view(-1, *([1] * (q.ndim - 1)))
        else:
            t = read(f"kept/{name}")
        state_dict[name] = t.to(getattr(torch, dtype)).contiguous()
    return state_dict


# ----------------------------------------------------------------------------------------------
# Test-time training: one LoRA a document, trained on what was already scored
# ----------------------------------------------------------------------------------------------

BOS_ID = 1


class BatchedLoRA(nn.Module):
    """A low-rank map for each batch element: (x A^T) B^T, zero at the start because B is zero."""

    def __init__(self, batch, in_features, out_features, rank):
        super().__init__()
        self.bound = 1.0 / math.sqrt(in_features)
        self.A = nn.Parameter(torch.empty(batch, rank, in_features))  # (B, R, in)
        self.B = nn.Parameter(torch.empty(batch, out_features, rank))  # (B, out, R)
        self.reset()

    def reset(self):
        with torch.no_grad():
            # Drawn on the CPU, so that the draw is the same on every device.
            self.A.copy_(torch.empty(self.A.shape).uniform_(-self.bound, self.bound))
            self.B.zero_()

    def forward(self, x_BTi):
        return (x_BTi @ self.A.transpose(1, 2)) @ self.B.transpose(1, 2)


class DocumentLoRA(nn.Module):
    """Adapters of one batch of documents: the head, then query and value of every block."""

    def __init__(self, batch, model, rank):
        super().__init__()
        vocab_size, dim = model.tok_emb.weight.shape
        self.head = BatchedLoRA(batch, dim, vocab_size, rank)
        self.q, self.v = nn.ModuleList(), nn.ModuleList()
        for block in model.blocks:
            self.q.append(BatchedLoRA(batch, dim, block.attn.c_q.out_features, rank))
            self.v.append(BatchedLoRA(batch, dim, block.attn.c_v.out_features, rank))

    def reset(self):
        self.head.reset()
        for q, v in zip(self.q, self.v):
            q.reset()
            v.reset()


def find_documents(tokens):
    """(start, length) of each document: from its BOS to the next one's, which is its last target."""
    starts = (tokens.to(torch.int64) == BOS_ID).nonzero().flatten().tolist()
    ends = [start + 1 for start in starts[1:]] + [tokens.numel()]
    documents = [(start, end - start) for start, end in zip(starts, ends)]
    for start, length in documents:
        if length < 2:
            raise InputError(f"the document at token {start} has nothing to predict")
    if not documents:
        raise InputError(f"no document: the validation split holds no BOS (id {BOS_ID})")
    return documents


def chunk_window(i, num_targets, chunk_size, seq_len):
    """(window start, window length, offset of chunk i in the window, chunk length), in targets."""
    chunk_start, chunk_end = i * chunk_size, min((i + 1) * chunk_size, num_targets)
    window_start = max(0, chunk_end - seq_len)
    return window_start, chunk_end - window_start, chunk_start - window_start, chunk_end - chunk_start


def evaluate_ttt(args, model, ctx, tokens, byte_counter):
    """Score each chunk of each document, then adapt to it: never the other way round."""
    chunk_size, seq_len = args.ttt_chunk_size, args.ttt_eval_seq_len
    documents = find_documents(tokens)
    n = len(documents)
    mine = documents[n * ctx.rank // ctx.world_size : n * (ctx.rank + 1) // ctx.world_size]
    mine.sort(key=lambda document: (document[1] - 2) // chunk_size)  # stable: by chunk count
    sums = torch.zeros(3, dtype=torch.float64, device=ctx.device)  # loss, tokens, bytes
    model.eval()
    for p in model.parameters():
        p.requires_grad_(False)
    adapters = None  # full batches share one object; a smaller last batch gets its own
    for first in range(0, len(mine), args.ttt_batch_size):
        batch = mine[first : first + args.ttt_batch_size]
        if adapters is None or len(batch) != args.ttt_batch_size:
            lora = DocumentLoRA(len(batch), model, args.ttt_lora_rank).to(ctx.device)
            optimizer = torch.optim.Adam(
                lora.parameters(),
                lr=args.ttt_lora_lr,
                betas=(args.beta1, args.beta2),
                eps=1e-10,
                fused=True,
            )
            if len(batch) == args.ttt_batch_size:
                adapters = lora, optimizer
        else:
            lora, optimizer = adapters
            lora.reset()
            for state in optimizer.state.values():
                for value in state.values():
                    value.zero_()
        sums += score_batch(args, model, ctx, tokens, byte_counter, batch, lora, optimizer)
    for p in model.parameters():
        p.requires_grad_(True)
    model.train()
    if ctx.world_size > 1:
        dist.all_reduce(sums, op=dist.ReduceOp.SUM)
    return bits_per_byte(*sums.tolist())


def score_batch(args, model, ctx, tokens, byte_counter, batch, lora, optimizer):
    """Sums of loss, tokens and bytes over the batch's documents, chunk by chunk."""
    chunk_size, seq_len = args.ttt_chunk_size, args.ttt_eval_seq_len
    sums = torch.zeros(3, dtype=torch.float64, device=ctx.device)
    targets = [length - 1 for _, length in batch]
    chunks = [math.ceil(count / chunk_size) for count in targets]
    for i in range(max(chunks)):
        width = min((i + 1) * chunk_size, seq_len)  # of a document that has a full chunk i
        width = max(width, 1)
        x = torch.zeros(len(batch), width, dtype=torch.int64)  # shorter documents: padded right,
        y = torch.zeros(len(batch), width, dtype=torch.int64)  # where a causal model does not look
        scored = torch.zeros(len(batch), width, dtype=torch.bool)
        for b, (start, _) in enumerate(batch):
            if i >= chunks[b]:
                continue
            begin, size, offset, count = chunk_window(i, targets[b], chunk_size, seq_len)
            window = tokens[start + begin : start + begin + size + 1].to(torch.int64)
            x[b, :size], y[b, :size] = window[:-1], window[1:]
            scored[b, offset : offset + count] = True
        x, y, scored = x.to(ctx.device), y.to(ctx.device), scored.to(ctx.device)
        trains = torch.tensor([i + 1 < c for c in chunks], device=ctx.device)
        adapt = any(i + 1 < c for c in chunks)
        with ctx.autocast(), nullcontext() if adapt else torch.no_grad():
            losses = model(x, y, lora=lora)  # (B, T)
        with torch.no_grad():
            sums[0] += losses.double()[scored].sum()
            sums[1] += scored.sum()
            sums[2] += byte_counter(x, y)[scored].sum()
        if adapt:
            chunk_means = (losses * scored).sum(dim=1) / scored.sum(dim=1).clamp_min(1)
            optimizer.zero_grad()
            (chunk_means * trains).sum().backward()
            optimizer.step()
    return sums


# ----------------------------------------------------------------------------------------------
# Set-up
# ----------------------------------------------------------------------------------------------


def is_distributed():
    return dist.is_available() and dist.is_initialized()


class Context:
    """Where this process runs: device, rank, and how the global batch is divided."""

    def __init__(self, environ):
        self.rank, self.world_size = int(environ.get("RANK", 0)), int(environ.get("WORLD_SIZE", 1))
        if self.world_size < 1 or 8 % self.world_size:
            raise InputError(f"WORLD_SIZE={self.world_size} must divide 8")
        self.grad_accum_steps = 8 // self.world_size
        self.cuda = torch.cuda.is_available()
        local_rank = int(environ.get("LOCAL_RANK", 0))
        self.device = torch.device("cuda", local_rank) if self.cuda else torch.device("cpu")
        self.started_group = "RANK" in environ and not is_distributed()
        if self.cuda:
            torch.cuda.set_device(self.device)
        if self.started_group:
            dist.init_process_group("nccl" if self.cuda else "gloo")

    def wait_for_others(self):
        """Gloo aborts a process whose peer has left the group before it."""
        if self.started_group:
            dist.barrier()

    def close(self):
        if self.started_group:
            gc.collect()  # what still holds the group would end its threads too late
            dist.destroy_process_group()

    def autocast(self):
        """bfloat16 activations on CUDA; plain fp32 on CPU."""
        return torch.autocast("cuda", torch.bfloat16) if self.cuda else nullcontext()

    def synchronize(self):
        if self.cuda:
            torch.cuda.synchronize()


def build_model(args, ctx):
    """The model as it trains: on CUDA mostly bfloat16, with fp32 for what optimizers need exact."""
    model = GPT(
        vocab_size=args.vocab_size,
        num_layers=args.num_layers,
        model_dim=args.model_dim,
        num_heads=args.num_heads,
        num_kv_heads=args.num_kv_heads,
        mlp_mult=args.mlp_mult,
        tie_embeddings=args.tie_embeddings,
        tied_embed_init_std=args.tied_embed_init_std,
        logit_softcap=args.logit_softcap,
        rope_base=args.rope_base,
        qk_gain_init=args.qk_gain_init,
    ).to(ctx.device)
    if ctx.cuda:
        model.bfloat16()
        for module in model.modules():
            if isinstance(module, (CastedLinear, Rotary)):
                module.float()
        for name, p in model.named_parameters():
            if p.ndim < 2 or is_control(name):
                p.data = p.data.float()
    return model


def build_optimizers(args, model):
    """Adam for the embedding, Muon for the blocks' matrices, Adam for scalars and the head."""

    def adam(params, lr):
        group = {"params": params, "lr": lr, "base_lr": lr}
        return torch.optim.Adam(
            [group], betas=(args.beta1, args.beta2), eps=args.adam_eps, fused=True
        )

    in_blocks = list(model.blocks.named_parameters())
    matrices = [p for name, p in in_blocks if p.ndim == 2 and not is_control(name)]
    scalars = [p for name, p in in_blocks if p.ndim < 2 or is_control(name)]
    if model.skip_weights.numel() > 0:
        scalars.append(model.skip_weights)
    muon = Muon(matrices, args.matrix_lr, args.muon_momentum, args.muon_backend_steps)
    muon.param_groups[0]["base_lr"] = args.matrix_lr
    embed_lr = args.tied_embed_lr if args.tie_embeddings else args.embed_lr
    optimizers = [adam([model.tok_emb.weight], embed_lr), muon, adam(scalars, args.scalar_lr)]
    if model.lm_head is not None:
        optimizers.insert(1, adam([model.lm_head.weight], args.head_lr))
    return optimizers


def lr_scale(args, step, elapsed_ms):
    """Linear warm-down to zero: over the last steps, or over the time that they would take."""
    if args.warmdown_iters <= 0:
        return 1.0
    if args.max_wallclock_seconds <= 0:
        if step < args.iterations - args.warmdown_iters:
            return 1.0
        return max((args.iterations - step) / args.warmdown_iters, 0.0)
    warmdown_ms = args.warmdown_iters * elapsed_ms / max(step, 1)
    remaining_ms = max(1000.0 * args.max_wallclock_seconds - elapsed_ms, 0.0)
    return remaining_ms / max(warmdown_ms, 1e-9) if remaining_ms <= warmdown_ms else 1.0


def muon_momentum(args, step):
    """Linear warm-up of Muon's momentum."""
    warmup = args.muon_momentum_warmup_steps
    frac = min(step / warmup, 1.0) if warmup > 0 else 1.0
    return (1 - frac) * args.muon_momentum_warmup_start + frac * args.muon_momentum


# ----------------------------------------------------------------------------------------------
# Training
# ----------------------------------------------------------------------------------------------


def accumulate_gradients(args, model, ctx, loader):
    """Backward over one global batch. Returns the mean loss of this rank's micro-batches."""
    total = torch.zeros((), device=ctx.device)
    for micro_step in range(ctx.grad_accum_steps):
        if ctx.world_size > 1:  # ranks exchange gradients once, with the last micro-batch
            model.require_backward_grad_sync = micro_step == ctx.grad_accum_steps - 1
        x, y = loader.next_batch(args.train_batch_tokens, args.train_seq_len, ctx.grad_accum_steps)
        with ctx.autocast():
            loss = model(x, y)
        total += loss.detach()
        (loss / ctx.grad_accum_steps).backward()
    return total / ctx.grad_accum_steps


def zero_grad(optimizers):
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)


def warm_up(args, base_model, model, optimizers, ctx, new_loader):
    """Run real steps to warm kernels and compilers, then put everything back as it was."""
    if args.warmup_steps == 0:
        return
    weights = {name: t.detach().clone() for name, t in base_model.state_dict().items()}
    states = [optimizer.state_dict() for optimizer in optimizers]  # still empty
    loader = new_loader()
    for _ in range(args.warmup_steps):
        zero_grad(optimizers)
        accumulate_gradients(args, model, ctx, loader)
        for optimizer in optimizers:
            optimizer.step()
    base_model.load_state_dict(weights, strict=True)
    for optimizer, state in zip(optimizers, states):
        optimizer.load_state_dict(state)
    zero_grad(optimizers)


def train(args, base_model, model, optimizers, ctx, new_loader, run_validation, log):
    """The loop: validate at its cadence, one optimizer step a global batch, stop at the cap."""
    loader = new_loader()
    muon = next(optimizer for optimizer in optimizers if isinstance(optimizer, Muon))
    cap_ms = 1000.0 * args.max_wallclock_seconds if args.max_wallclock_seconds > 0 else None
    train_ms, step, capped = 0.0, 0, False
    ctx.synchronize()
    clock = time.perf_counter()
    while True:
        last = step == args.iterations or capped
        if last or (args.val_loss_every > 0 and step % args.val_loss_every == 0):
            ctx.synchronize()
            train_ms += 1000.0 * (time.perf_counter() - clock)
            val_loss, val_bpb = run_validation()
            log(
                f"step:{step}/{args.iterations} val_loss:{val_loss:.4f} val_bpb:{val_bpb:.4f} "
                f"train_time:{train_ms:.0f}ms step_avg:{train_ms / max(step, 1):.2f}ms"
            )
            ctx.synchronize()
            clock = time.perf_counter()  # validation is not on the training clock
        if last:
            break
        elapsed_ms = train_ms + 1000.0 * (time.perf_counter() - clock)
        scale = lr_scale(args, step, elapsed_ms)
        zero_grad(optimizers)
        train_loss = accumulate_gradients(args, model, ctx, loader)
        for group in muon.param_groups:
            group["momentum"] = muon_momentum(args, step)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["base_lr"] * scale
        if args.grad_clip_norm > 0:
            nn.utils.clip_grad_norm_(base_model.parameters(), args.grad_clip_norm)
        for optimizer in optimizers:
            optimizer.step()
        zero_grad(optimizers)
        step += 1
        elapsed_ms = train_ms + 1000.0 * (time.perf_counter() - clock)
        if args.train_log_every > 0 and (step <= 10 or step % args.train_log_every == 0):
            log(
                f"step:{step}/{args.iterations} train_loss:{train_loss.item():.4f} "
                f"train_time:{elapsed_ms:.0f}ms step_avg:{elapsed_ms / step:.2f}ms"
            )
        if cap_ms is not None and not capped:
            over = torch.tensor(elapsed_ms >= cap_ms, dtype=torch.int32, device=ctx.device)
            if ctx.world_size > 1:
                dist.all_reduce(over, op=dist.ReduceOp.MAX)  # all ranks stop at the same step
            capped = bool(over)
            if capped:
                log(
                    f"stopping_early: wallclock_cap train_time:{elapsed_ms:.0f}ms "
                    f"step:{step}/{args.iterations}"
                )


def main(environ=os.environ):
    args = Hyperparameters.from_env(environ)
    ctx = Context(environ)
    try:
        run(args, ctx)
        ctx.wait_for_others()
    finally:
        ctx.close()


def run(args, ctx):
    source = Path(__file__).read_text(encoding="utf-8")
    log_path = Path("logs") / f"{args.run_id}.txt"

    def log(message, console=True):
        if ctx.rank != 0:
            return
        if console:
            print(message, flush=True)
        with open(log_path, "a", encoding="utf-8") as file:
            print(message, file=file)

    if ctx.rank == 0:
        log_path.parent.mkdir(exist_ok=True)
        log_path.write_text("", encoding="utf-8")
    log(source, console=False)  # the log alone is enough to repeat the run
    log("=" * 100, console=False)
    log(f"python:{sys.version.split()[0]} torch:{torch.__version__}", console=False)

    random.seed(args.seed)
    np.random.seed(args.seed % 2**32)
    torch.manual_seed(args.seed)
    if ctx.cuda:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True

    if not os.path.isfile(args.tokenizer_path):
        raise InputError(f"there is no tokenizer {args.tokenizer_path}: set TOKENIZER_PATH")
    tokenizer = spm.SentencePieceProcessor(model_file=args.tokenizer_path)
    byte_counter = ByteCounter(tokenizer, args.vocab_size, ctx.device)
    train_files, val_files = shard_files(args.data_path, "train"), shard_files(args.data_path, "val")
    all_val_tokens = torch.cat([load_shard(path) for path in val_files])
    usable = (all_val_tokens.numel() - 1) // args.train_seq_len * args.train_seq_len
    val_tokens = all_val_tokens[: usable + 1]

    base_model = build_model(args, ctx)
    model = base_model
    if ctx.cuda:
        global newton_schulz
        newton_schulz = torch.compile(newton_schulz)
        model = torch.compile(base_model, dynamic=False, fullgraph=True)
    if ctx.world_size > 1:
        device_ids = [ctx.device.index] if ctx.cuda else None
        model = DistributedDataParallel(model, device_ids=device_ids, broadcast_buffers=False)
    optimizers = build_optimizers(args, base_model)
    for f in fields(args):
        log(f"{f.metadata['env'].lower()}:{getattr(args, f.name)}")
    log(f"model_params:{sum(p.numel() for p in base_model.parameters())}")
    log(f"world_size:{ctx.world_size} grad_accum_steps:{ctx.grad_accum_steps}")

    def new_loader():
        return DistributedTokenLoader(train_files, ctx.rank, ctx.world_size, ctx.device)

    def run_validation():
        return validate(args, model, ctx, val_tokens, byte_counter)

    model.train()
    warm_up(args, base_model, model, optimizers, ctx, new_loader)
    train(args, base_model, model, optimizers, ctx, new_loader, run_validation, log)

    # From here on, what is measured is the very artifact that ships.
    blob = export_model(base_model.state_dict())
    if ctx.rank == 0:
        Path("final_model.safetensors").write_bytes(
            safetensors.torch.save(
                {name: t.detach().cpu().contiguous() for name, t in base_model.state_dict().items()}
            )
        )
        Path("final_model.int8.safetensors.z").write_bytes(blob)
        code_bytes = len(source.encode("utf-8"))
        log(f"Code size: {code_bytes} bytes")
        log(f"Serialized model int8+zlib: {len(blob)} bytes")
        log(f"Total submission size int8+zlib: {code_bytes + len(blob)} bytes")
    base_model.load_state_dict(import_model(blob), strict=True)
    val_loss, val_bpb = run_validation()
    log(f"final_int8_zlib_roundtrip_exact val_loss:{val_loss:.8f} val_bpb:{val_bpb:.8f}")
    val_loss, val_bpb = evaluate_ttt(args, base_model, ctx, all_val_tokens, byte_counter)
    log(f"final_int8_ttt_lora_exact val_loss:{val_loss:.8f} val_bpb:{val_bpb:.8f}")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
