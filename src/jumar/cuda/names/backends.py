"""torch.version and torch.backends: what a PyTorch for CUDA would answer. Switches stay set; TF32 is HF32 here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jumar.cuda.registry import adapts, changes
from jumar.cudamap import personas

if TYPE_CHECKING:
    from jumar.cuda.face import Options

CUFFT_PLANS = 4096

adapts("torch.version.cuda")(personas.toolkit().cuda)
adapts("torch.backends.cuda.is_built")(lambda: True)
adapts("torch.backends.cudnn.version")(lambda: personas.toolkit().cudnn)
adapts("torch.backends.cudnn.is_available")(lambda: True)
adapts("torch.backends.cudnn.benchmark_limit")(10)
adapts("torch.backends.cuda.is_flash_attention_available")(lambda: True)


@adapts("torch.backends.cudnn.is_acceptable")
def is_acceptable(tensor: Any) -> bool:
    import torch

    kinds = (torch.half, torch.float, torch.double)
    return bool(torch._C._get_cudnn_enabled()) and tensor.is_cuda and tensor.dtype in kinds


@changes("torch.backends.cuda.cuBLASModule.__setattr__")
def _matmul_switch(original: Any) -> Any:
    def __setattr__(self: Any, name: str, value: Any) -> None:
        original(self, name, value)
        _follow_tf32()

    return __setattr__


@changes("torch.set_float32_matmul_precision")
def _matmul_precision(original: Any) -> Any:
    def set_float32_matmul_precision(precision: str) -> None:
        original(precision)
        _follow_tf32()

    return set_float32_matmul_precision


def _follow_tf32() -> None:
    """The chip's own reduced format of float32 is used where TF32 would be."""
    import torch

    _npu().matmul.allow_hf32 = torch._C._get_fp32_precision_getter("cuda", "matmul") == "tf32"


def _npu() -> Any:
    import torch_npu

    return torch_npu.npu


@changes("torch.backends.cudnn.CudnnModule.allow_tf32")
def _conv_switch(original: Any) -> Any:
    import torch
    from torch import backends

    def allow(value: bool) -> None:
        torch._C._set_cudnn_allow_tf32(value)
        _npu().conv.allow_hf32 = bool(value)

    make: Any = backends.ContextProp
    return make(torch._C._get_cudnn_allow_tf32, allow)


class PlanCache:
    """Remembers what it is told; the chip keeps its plans elsewhere."""

    def __init__(self, device_index: int) -> None:
        self.device_index = device_index
        self.max_size = CUFFT_PLANS

    @property
    def size(self) -> int:
        return 0

    def clear(self) -> None: ...


adapts("torch.backends.cuda.cuFFTPlanCache")(PlanCache)

_preferred: dict[str, Any] = {}


def _preferred_library(choices: str, kind: str) -> Callable[..., Any]:
    def preferred(backend: Any = None) -> Any:
        import torch

        known, values = getattr(torch.backends.cuda, choices), getattr(torch._C, kind)
        if isinstance(backend, str):
            if backend not in known:
                raise RuntimeError(f"Unknown input value. Choose from: {', '.join(known)}.")
            backend = known[backend]
        if backend is not None:
            if not isinstance(backend, values):
                raise RuntimeError("Unknown input value type.")
            _preferred[kind] = backend
        return _preferred.get(kind, values.Default if kind == "_LinalgBackend" else values.Cublas)

    return preferred


adapts("torch.backends.cuda.preferred_linalg_library")(
    _preferred_library("_LinalgBackends", "_LinalgBackend")
)
adapts("torch.backends.cuda.preferred_blas_library")(_preferred_library("_BlasBackends", "_BlasBackend"))


@adapts("torch.backends.cuda.can_use_flash_attention")
def can_use_flash_attention(params: Any, debug: bool = False) -> bool:
    import torch

    return bool(torch._C._get_flash_sdp_enabled()) and _half(params) and params.attn_mask is None


@adapts("torch.backends.cuda.can_use_efficient_attention")
def can_use_efficient_attention(params: Any, debug: bool = False) -> bool:
    import torch

    half_or_float = _half(params) or (_dense(params) and params.query.dtype == torch.float32)
    return bool(torch._C._get_mem_efficient_sdp_enabled()) and half_or_float


@adapts("torch.backends.cuda.can_use_cudnn_attention")
def can_use_cudnn_attention(params: Any, debug: bool = False) -> bool:
    import torch

    narrow = params.query.size(-1) % 8 == 0 and params.query.size(-1) <= 128
    return bool(torch._C._get_cudnn_sdp_enabled()) and _half(params) and narrow


def _dense(params: Any) -> bool:
    three = (params.query, params.key, params.value)
    same = len({one.dtype for one in three}) == 1
    return same and all(one.is_cuda and one.dim() == 4 and one.stride(-1) == 1 for one in three)


def _half(params: Any) -> bool:
    import torch

    two_bytes = params.query.dtype in (torch.half, torch.bfloat16)
    return two_bytes and _dense(params) and params.query.size(-1) <= 256


def enter(options: Options) -> Callable[[], None]:
    """The switches and remembered choices go back with the face."""
    import torch

    before = (_npu().matmul.allow_hf32, _npu().conv.allow_hf32)
    old: dict[str, Callable[[], bool]] = vars(torch)["_deprecated_attrs"]
    were = dict(old)
    old.update(has_cuda=lambda: True, has_cudnn=lambda: True)

    def leave() -> None:
        _npu().matmul.allow_hf32, _npu().conv.allow_hf32 = before
        old.update(were)
        _preferred.clear()
        torch.backends.cuda.cufft_plan_cache.caches.clear()

    return leave
