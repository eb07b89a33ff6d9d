"""Runs a program in double precision on the CPU, for `jumar verify`: the side that is nearer to this is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CONVERSIONS = frozenset({"half", "float", "bfloat16"})
SETTING = frozenset({"set_default_dtype", "finfo", "get_default_dtype"})


def _unscale(gradients: Any, found: Any, inverse: Any) -> None:
    """What the scaler of float16 does to gradients, whose own kernel takes float32 alone."""
    for gradient in gradients:
        if not bool(gradient.isfinite().all()):
            found.fill_(1.0)
        gradient.mul_(inverse)


def _update(scale: Any, tracker: Any, found: Any, growth: float, backoff: float, interval: int) -> Any:
    if bool(found):
        tracker.zero_()
        return scale.mul_(backoff)
    tracker.add_(1)
    if int(tracker) == interval:
        tracker.zero_()
        scale.mul_(growth)
    return scale


OF_SCALER: dict[str, Callable[..., Any]] = {
    "_amp_foreach_non_finite_check_and_unscale_": _unscale,
    "_amp_update_scale_": _update,
}


def enter() -> None:
    """Every floating-point tensor that this thread makes from now on is float64; autocast leaves those alone."""
    import torch
    from torch.overrides import TorchFunctionMode

    low = (torch.float32, torch.float16, torch.bfloat16)
    wide = torch.float64

    def widened(value: Any) -> Any:
        if isinstance(value, torch.dtype) and value in low:
            return wide
        if isinstance(value, (tuple, list)) and any(isinstance(part, torch.dtype) for part in value):
            return type(value)(map(widened, value))
        return value

    class Double(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(func, "__name__", "")
            if name in CONVERSIONS:
                return args[0].double()
            if name in OF_SCALER:
                return OF_SCALER[name](*args, **(kwargs or {}))
            named = {key: widened(value) for key, value in (kwargs or {}).items()}
            result = func(*map(widened, args), **named)
            made = isinstance(result, torch.Tensor) and result.dtype in low
            changes_in_place = name.endswith("_") or name == "__get__"
            return result.double() if made and not changes_in_place else result

    torch.set_default_dtype(wide)
    # A program sets the default back to float32 as a habit; the referee stays in double precision.
    torch.set_default_dtype = lambda dtype: None
    Double().__enter__()  # type: ignore[no-untyped-call]
