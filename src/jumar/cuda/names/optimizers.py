"""torch.optim: fused kernels that the adapter has only in part."""

from __future__ import annotations

import functools
from typing import Any

from jumar.cuda.registry import changes


@changes("torch.optim.sgd._fused_sgd")
def _fused_sgd(original: Any) -> Any:
    """Without momentum the adapter's refuses: the fused step is then PyTorch's own for lists of tensors."""
    import torch
    from torch.optim import sgd

    plain: Any = sgd._multi_tensor_sgd

    @functools.wraps(original)
    def fused_sgd(
        params: Any, grads: Any, buffers: Any, grad_scale: Any = None, found_inf: Any = None, *, momentum: float,
        **rest: Any,
    ) -> None:  # fmt: skip
        on_chip = bool(params) and params[0].device.type == "cuda"
        if momentum != 0 or not on_chip:
            original(params, grads, buffers, grad_scale, found_inf, momentum=momentum, **rest)
            return
        if found_inf is not None and found_inf.item():
            return
        if grad_scale is not None:
            torch._foreach_div_(grads, grad_scale)
        plain(params, grads, buffers, None, None, momentum=momentum, **rest)

    return fused_sgd
