"""Apex's mixed precision, on autocast and a gradient scaler; the level says which, as Apex's did.

| level | Apex                                   | here                                               |
|-------|----------------------------------------|----------------------------------------------------|
| O0    | float32                                | the same                                           |
| O1    | functions cast their arguments         | the model's forward runs under autocast to float16 |
| O2    | float16 weights with float32 masters   | as O1: the weights stay float32                    |
| O3    | float16                                | the model becomes float16                          |
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["float_function", "half_function", "init", "initialize", "load_state_dict", "master_params", "promote_function",
           "scale_loss", "state_dict"]  # fmt: skip

LEVELS = ("O0", "O1", "O2", "O3")
_scalers: list[Any] = []


def init(enabled: bool = True, **options: Any) -> None:
    """Of Apex's oldest interface: does nothing, `initialize` does."""


def initialize(
    models: Any, optimizers: Any = None, enabled: bool = True, opt_level: str = "O1", cast_model_type: Any = None,
    patch_torch_functions: Any = None, keep_batchnorm_fp32: Any = None, master_weights: Any = None,
    loss_scale: Any = None, cast_model_outputs: Any = None, num_losses: int = 1, verbosity: int = 1,
    min_loss_scale: float | None = None, max_loss_scale: float = 2.0**24,
) -> Any:  # fmt: skip
    """Models and optimizers as they are to be used from now on, in the shape they were given."""
    if opt_level not in LEVELS:
        raise RuntimeError(
            f"Unexpected optimization level {opt_level}. Options are 'O0', 'O1', 'O2', 'O3'.  "
            "Note that in `O0`, `O1`, etc., the prefix O is the letter O, not the number zero."
        )
    _scalers.clear()
    scaled = enabled and opt_level in ("O1", "O2")
    fixed = None if loss_scale in (None, "dynamic") else float(loss_scale)
    for _ in range(num_losses):
        _scalers.append(_scaler(scaled, fixed))
    if enabled and opt_level != "O0":
        for model in models if isinstance(models, (list, tuple)) else [models]:
            model.half() if opt_level == "O3" else _under_autocast(model)
    for optimizer in optimizers if isinstance(optimizers, (list, tuple)) else [optimizers]:
        if optimizer is not None and scaled:
            _step_through_scaler(optimizer)
    return models if optimizers is None else (models, optimizers)


def _scaler(enabled: bool, fixed: float | None) -> Any:
    if fixed is None:
        return torch.amp.GradScaler("cuda", enabled=enabled)
    # A constant scale: it never grows, and shrinks by nothing.
    return torch.amp.GradScaler(
        "cuda", init_scale=fixed, growth_factor=1.0 + 1e-9, backoff_factor=1 - 1e-9, enabled=enabled
    )


def _under_autocast(model: Any) -> None:
    forward = model.forward

    @functools.wraps(forward)
    def cast(*arguments: Any, **keywords: Any) -> Any:
        with torch.autocast("cuda", torch.float16):
            found = forward(*arguments, **keywords)
        return found.float() if isinstance(found, torch.Tensor) and found.is_floating_point() else found

    model.forward = cast


def _step_through_scaler(optimizer: Any) -> None:
    """A step whose gradients overflowed is left out, as Apex does, and the scale changes after each."""
    plain = optimizer.step

    @functools.wraps(plain)
    def step(*arguments: Any, **keywords: Any) -> Any:
        scaler = getattr(optimizer, "_amp_scaler", None)
        if scaler is None:
            return plain(*arguments, **keywords)
        optimizer._amp_scaler = None
        optimizer.step = plain
        try:
            return scaler.step(optimizer, *arguments, **keywords)
        finally:
            optimizer.step = step
            scaler.update()

    optimizer.step = step


@contextmanager
def scale_loss(
    loss: Any, optimizers: Any, loss_id: int = 0, model: Any = None, delay_unscale: bool = False,
    delay_overflow_check: bool = False,
) -> Iterator[Any]:  # fmt: skip
    """The scaled loss, to call `backward` of; afterwards the gradients are those of the loss itself."""
    scaler = _scalers[loss_id] if loss_id < len(_scalers) else None
    if scaler is None or not scaler.is_enabled():
        yield loss
        return
    listed = optimizers if isinstance(optimizers, (list, tuple)) else [optimizers]
    for optimizer in listed:
        if getattr(optimizer, "_amp_scaler", None) is not None:
            _scale_again(scaler, optimizer)
    yield scaler.scale(loss.float())
    if delay_unscale:
        return
    for optimizer in listed:
        scaler.unscale_(optimizer)
        optimizer._amp_scaler = scaler


def _scale_again(scaler: Any, optimizer: Any) -> None:
    """Gradients that were unscaled and not stepped with are to be added to: back to the scale of what comes."""
    scale = scaler.get_scale()
    for parameter in master_params(optimizer):
        if parameter.grad is not None:
            parameter.grad.mul_(scale)
    scaler._per_optimizer_states.pop(id(optimizer), None)
    optimizer._amp_scaler = None


def master_params(optimizer: Any) -> Iterator[Any]:
    for group in optimizer.param_groups:
        yield from group["params"]


def state_dict(destination: Any = None) -> dict[str, Any]:
    found = {} if destination is None else destination
    for at, scaler in enumerate(_scalers):
        state = scaler.state_dict()
        found[f"loss_scaler{at}"] = {
            "loss_scale": state.get("scale"),
            "unskipped": state.get("_growth_tracker", 0),
        }
    return dict(found)


def load_state_dict(state: dict[str, Any]) -> None:
    for at, scaler in enumerate(_scalers):
        saved = state.get(f"loss_scaler{at}")
        if saved and saved["loss_scale"] and scaler.is_enabled():
            own = scaler.state_dict()
            scaler.load_state_dict(
                {**own, "scale": saved["loss_scale"], "_growth_tracker": saved["unskipped"]}
            )


def _in(dtype: torch.dtype) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            with torch.autocast("cuda", enabled=False):
                return function(*(_cast(one, dtype) for one in arguments), **keywords)

        return call

    return decorate


def _cast(one: Any, dtype: torch.dtype) -> Any:
    return one.to(dtype) if isinstance(one, torch.Tensor) and one.is_floating_point() else one


half_function = _in(torch.float16)
float_function = _in(torch.float32)


def promote_function(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
