"""Switches of cuDNN, cuBLAS and attention: they keep what is set, and attention gives its results."""

from __future__ import annotations

import warnings

import torch
from torch.nn import functional

from idioms import idiom, kept


@idiom("`torch.backends.cudnn.benchmark = True`", "pytorch/examples/dcgan/main.py", (True, True, False))
def cudnn_switches() -> object:
    cudnn = torch.backends.cudnn
    with kept(cudnn, "benchmark", "deterministic", "enabled"):
        cudnn.benchmark, cudnn.deterministic, cudnn.enabled = True, True, False
        return cudnn.benchmark, cudnn.deterministic, cudnn.enabled


@idiom(
    "`torch.backends.cudnn.version()`, `is_available()`",
    "open-mmlab/mmengine/mmengine/utils/dl_utils/collect_env.py",
    (True, True, True),
)
def cudnn_version() -> object:
    version = torch.backends.cudnn.version()
    return torch.backends.cudnn.is_available(), isinstance(version, int), version >= 90000


@idiom("`torch.backends.cuda.matmul.allow_tf32 = True`", "pytorch/pytorch#100145", (True, True, False))
def tf32() -> object:
    with kept(torch.backends.cuda.matmul, "allow_tf32"), kept(torch.backends.cudnn, "allow_tf32"):
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        seen = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = False
        return *seen, torch.backends.cuda.matmul.allow_tf32


@idiom(
    "`torch.set_float32_matmul_precision('high')`",
    "karpathy/build-nanogpt/train_gpt2.py",
    ("high", True, 8.0),
)
def matmul_precision() -> object:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        y = torch.ones(2, 8, device="cuda") @ torch.ones(8, 2, device="cuda")
        return torch.get_float32_matmul_precision(), torch.backends.cuda.matmul.allow_tf32, y[0, 0].item()
    finally:
        torch.set_float32_matmul_precision(before)


@idiom(
    "`matmul.allow_fp16_reduced_precision_reduction = False`",
    "vladmandic/sdnext/modules/devices.py",
    (False, False),
)
def reduced_precision() -> object:
    matmul = torch.backends.cuda.matmul
    names = "allow_fp16_reduced_precision_reduction", "allow_bf16_reduced_precision_reduction"
    with kept(matmul, *names):
        for name in names:
            setattr(matmul, name, False)
        return tuple(getattr(matmul, name) for name in names)


@idiom(
    "`with torch.backends.cudnn.flags(enabled=False):`",
    "pytorch/pytorch/torch/backends/cudnn/__init__.py",
    (False, True),
)
def cudnn_flags() -> object:
    with torch.backends.cudnn.flags(enabled=False, benchmark=False, deterministic=True, allow_tf32=False):
        inside = torch.backends.cudnn.enabled
    return inside, torch.backends.cudnn.enabled


@idiom("a convolution with `cudnn.benchmark`", "pytorch/examples/imagenet/main.py", ((1, 2, 4, 4), "cuda:0"))
def convolution() -> object:
    with kept(torch.backends.cudnn, "benchmark"):
        torch.backends.cudnn.benchmark = True
        y = functional.conv2d(torch.ones(1, 3, 6, 6, device="cuda"), torch.ones(2, 3, 3, 3, device="cuda"))
    return tuple(y.shape), str(y.device)


@idiom("`torch.backends.cudnn.is_acceptable(x)`", "pytorch/pytorch/torch/nn/modules/rnn.py", True)
def cudnn_acceptable() -> object:
    return torch.backends.cudnn.is_acceptable(torch.ones(1, device="cuda"))


@idiom(
    "`enable_flash_sdp`, `enable_mem_efficient_sdp`, `enable_math_sdp`",
    "Comfy-Org/ComfyUI/comfy/model_management.py",
    [True, False, True],
)
def attention_switches() -> object:
    from torch.backends import cuda

    seen = []
    for ask, turn in (
        (cuda.flash_sdp_enabled, cuda.enable_flash_sdp),
        (cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp),
        (cuda.math_sdp_enabled, cuda.enable_math_sdp),
    ):
        before = ask()
        turn(False)
        seen.append((before, ask()))
        turn(True)
        seen[-1] += (ask(),)
    return list(seen[0]) if len(set(seen)) == 1 else seen


@idiom(
    "`torch.backends.cuda.enable_cudnn_sdp(False)`", "pytorch/pytorch/torch/backends/cuda/__init__.py", False
)
def cudnn_attention() -> object:
    before = torch.backends.cuda.cudnn_sdp_enabled()
    torch.backends.cuda.enable_cudnn_sdp(False)
    try:
        return torch.backends.cuda.cudnn_sdp_enabled()
    finally:
        torch.backends.cuda.enable_cudnn_sdp(before)


def attention(dtype: torch.dtype = torch.float32) -> float:
    """Largest difference of fused causal attention to its definition."""
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 4, 16, 32, device="cuda", dtype=dtype) for _ in range(3))
    y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = (q.float() @ k.float().transpose(-1, -2)) / 32**0.5
    mask = torch.ones(16, 16, dtype=torch.bool, device="cuda").tril()
    wanted = scores.masked_fill(~mask, float("-inf")).softmax(-1) @ v.float()
    return (y.float() - wanted).abs().max().item()


@idiom("`F.scaled_dot_product_attention(…, is_causal=True)`", "karpathy/nanoGPT/model.py", (True, True))
def causal_attention() -> object:
    return attention() < 1e-4, attention(torch.bfloat16) < 0.05


@idiom("`with torch.backends.cuda.sdp_kernel(enable_flash=False):`", "fpgaminer/joytag#11", True)
def old_attention_context() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.backends.cuda.sdp_kernel(enable_flash=False, enable_math=True, enable_mem_efficient=False):
            return attention() < 1e-4


@idiom("`with sdpa_kernel([SDPBackend.FLASH_ATTENTION]):`", "intel/torch-xpu-ops#1724", (True, True))
def attention_context() -> object:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel([SDPBackend.FLASH_ATTENTION]):
        flash = attention(torch.float16) < 0.01
    with sdpa_kernel(SDPBackend.MATH):
        return flash, attention() < 1e-4


@idiom(
    "`torch.backends.cuda.cufft_plan_cache.clear()`", "pytorch/pytorch/docs/source/backends.md", (None, True)
)
def fft_plans() -> object:
    cache = torch.backends.cuda.cufft_plan_cache
    return cache.clear(), isinstance(cache[0].max_size, int)


@idiom(
    "`torch.backends.cuda.preferred_linalg_library('magma')`",
    "pytorch/pytorch/torch/backends/cuda/__init__.py",
    True,
)
def linear_algebra_library() -> object:
    before = torch.backends.cuda.preferred_linalg_library()
    chosen = torch.backends.cuda.preferred_linalg_library("cusolver")
    torch.backends.cuda.preferred_linalg_library(before)
    return "Cusolver" in str(chosen)


@idiom("`torch.use_deterministic_algorithms(True)`", "ultralytics/yolov5/utils/general.py", (True, 8.0))
def deterministic() -> object:
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        y = torch.ones(2, 8, device="cuda") @ torch.ones(8, 2, device="cuda")
        return torch.are_deterministic_algorithms_enabled(), y[0, 0].item()
    finally:
        torch.use_deterministic_algorithms(False)
