"""torch.accelerator: nearly all of it works by itself, because the chip is the accelerator and is called cuda."""

from __future__ import annotations

from typing import Any

from jumar.cuda.registry import adapts

DTYPES = (
    "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32", "float64",
    "complex32", "complex64", "complex128", "bool", "quint8", "qint8", "qint32", "quint4x2", "quint2x4", "bits1x8",
    "bits2x4", "bits4x2", "bits8", "bits16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
)  # fmt: skip


@adapts("torch.accelerator.get_device_capability")
def get_device_capability(device: Any = None, /) -> dict[str, Any]:
    """What CUDA says: dtypes of which tensors can be made."""
    import torch

    return {"supported_dtypes": {getattr(torch, name) for name in DTYPES}}
