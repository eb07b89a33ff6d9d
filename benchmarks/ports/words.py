"""Which lines name CUDA or its kin: the question is fixed here, before any tool answers it."""

from __future__ import annotations

import re

CUDA = re.compile(r"cuda|nccl", re.IGNORECASE)
"""What `grep -i 'cuda|nccl'` finds."""

KIN = re.compile(
    r"""cuda|nccl|nvidia|cudnn|cublas|cufft|curand|cusparse|cusolver|cutlass|\bcute\b|nvcc\b|nvrtc|nvtx|nvml
    |nvlink|nvshmem|nsys\b|\bdcgm|\bNGC\b|cupy|\bapex\b|tensorrt|\btrt\b|transformer[_-]engine|flash[_-]attn
    |flash[_-]attention|flashinfer|xformers|bitsandbytes|\btriton\b|bf16_gpu|gpu_bf16|gres=gpu
    |--gpus\b|gpus-per-node|\bsm_\d\d""",
    re.IGNORECASE | re.VERBOSE,
)
"""CUDA by name, NVIDIA's libraries and tools, and packages that exist for its chips."""


def names_kin(line: str) -> bool:
    """Does the line name CUDA or kin?"""
    return KIN.search(line) is not None
