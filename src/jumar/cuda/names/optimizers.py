"""torch.optim: fused steps, of which the adapter does a part: it leaves out the scale of gradients, and what that asks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from jumar.cuda.registry import changes


@changes("torch.optim.adam._fused_adam", "torch.optim.adagrad._fused_adagrad", "torch.optim.sgd._fused_sgd")
def _fused(original: Any) -> Any:
    """Divides gradients by the scale and leaves out the step after an overflow, as the fused step does on CUDA."""
    import torch

    bind = inspect.signature(original).bind
    step = without_momentum(original) if original.__name__ == "_fused_sgd" else original

    @functools.wraps(original)
    def fused(*arguments: Any, **keywords: Any) -> None:
        given = bind(*arguments, **keywords).arguments
        if not given["params"] or given["params"][0].device.type != "cuda":
            original(*arguments, **keywords)
            return
        overflow, scale = given.get("found_inf"), given.get("grad_scale")
        if overflow is not None and overflow.item():
            return
        if scale is not None:
            torch._foreach_div_(given["grads"], scale)
        step(**(given | {"found_inf": None, "grad_scale": None}))

    return fused


def without_momentum(original: Callable[..., None]) -> Callable[..., None]:
    """The adapter's fused SGD refuses to go without momentum: then it is PyTorch's own step for lists of tensors."""
    from torch.optim import sgd

    plain: Callable[..., None] = sgd._multi_tensor_sgd

    def step(**given: Any) -> None:
        (original if given["momentum"] else plain)(**given)

    return step
