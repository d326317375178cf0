"""The artifact: int8 rows with fp16 scales, in safetensors, compressed. No pickle anywhere."""

import json
import zlib

import safetensors
import safetensors.torch
import torch

from train_gpt_style.gpt.constants import INT8_CLIP_QUANTILE
from train_gpt_style.gpt.model import is_control

INT8_MIN_NUMEL = 65_536  # tensors up to this size are kept in floating point
INT8_MAX = 127.0
SAFETENSORS_TYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}


def quantize_tensor(t):
    """int8 values and their fp16 scale: one scale a row for matrices, one a tensor otherwise."""
    rows = t.float() if t.ndim == 2 else t.float().reshape(1, -1)
    clip = torch.quantile(rows.abs(), INT8_CLIP_QUANTILE, dim=1, keepdim=True)
    scale = (clip / INT8_MAX).clamp_min(1.0 / INT8_MAX)
    q = torch.round(rows.clamp(-clip, clip) / scale).clamp(-INT8_MAX, INT8_MAX).to(torch.int8)
    return q.reshape(t.shape), scale.squeeze(1).to(torch.float16)


def export_model(state_dict):
    """The artifact's bytes: a safetensors file of quantised tensors, compressed."""
    return zlib.compress(pack(state_dict), level=9)


def pack(state_dict):
    """The artifact before compression. Its length and header do not depend on the values."""
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
    return safetensors.torch.save(tensors, metadata)


def import_model(blob):
    """The state dict that an artifact stands for. For a stranger's, see `artifact.py`."""
    return unpack(zlib.decompress(blob))


def unpack(raw):
    """The state dict that a decompressed artifact stands for."""
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
