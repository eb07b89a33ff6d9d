"""CUDA and its kin as words in a text."""

from __future__ import annotations

import re

_WORDS = "cuda|cudnn|cublas|nccl|nvidia|nvcc|nvml|nsys|nvrtc|nvlink|nvshmem|tensorrt|dcgm"
KIN = re.compile(
    rf"(?i:(?:(?<![a-z])|(?<=\blib)|(?<=py)|(?<=\bno)|(?<=to)|(?<=has))(?:{_WORDS})|\bcu1[1-3]\d?\b)"
    r"|(?<=[a-z])(?:Cuda|CUDA|Nccl|NCCL|Nvidia|NVIDIA|Cudnn|CuDNN|TensorRT)"
)
"""CUDA and what comes with it, as a word or part of a name, but not as part of a barracuda."""
