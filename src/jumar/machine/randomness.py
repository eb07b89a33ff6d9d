"""Draws every random number on the CPU, in float32, for `jumar verify`: a chip, a GPU and a CPU then draw the same.

Generators of devices differ by design; with their numbers no two devices could be compared beyond the first dropout.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from jumar.patches import Patch

if TYPE_CHECKING:
    import torch

Function = Callable[..., Any]
WHY = "random numbers are the same on every device"
DRAW_INTO = (
    "uniform_", "normal_", "exponential_", "bernoulli_", "random_", "log_normal_", "cauchy_", "geometric_",
)  # fmt: skip
MAKE = ("rand", "randn", "randint", "randperm")
LIKE = {"rand_like": "rand", "randn_like": "randn", "randint_like": "randint"}
CHOOSE = ("bernoulli", "multinomial", "poisson", "normal")

_twins: dict[int, tuple[Any, int, Any]] = {}


def _twin(generator: Any) -> Any:
    """A generator on the CPU with the same seed, for one of a device."""
    import torch

    if generator is None or generator.device.type == "cpu":
        return generator
    seed = generator.initial_seed()
    known = _twins.get(id(generator))
    if known is None or known[1] != seed:
        known = (generator, seed, torch.Generator().manual_seed(seed))
        _twins[id(generator)] = known
    return known[2]


def _drawn_as(dtype: Any) -> Any:
    """The type in which to draw for a tensor of that type; None where there is nothing to gain."""
    import torch

    if dtype.is_complex or dtype is torch.bool:
        return None
    return torch.float32 if dtype.is_floating_point else dtype


def _make(original: Function) -> Function:
    @wraps(original)
    def make(*size: Any, **keywords: Any) -> Any:
        import torch

        device = torch.device(keywords.pop("device", None) or torch.get_default_device())
        counted = original.__name__ in ("randint", "randperm")
        dtype = keywords.pop("dtype", None) or (torch.int64 if counted else torch.get_default_dtype())
        out = keywords.pop("out", None)
        if device.type == "meta" or dtype.is_complex or keywords.get("names") is not None:
            return original(*size, **keywords, device=device, dtype=dtype)
        needs_gradient, pinned = keywords.pop("requires_grad", False), keywords.pop("pin_memory", False)
        keywords["generator"] = _twin(keywords.get("generator"))
        with torch._C.DisableTorchFunction():
            draw_as = torch.int64 if counted else torch.float32
            drawn = original(*size, **keywords, device="cpu", dtype=draw_as).to(device, dtype)
        if out is not None:
            return out.resize_(drawn.shape).copy_(drawn)
        return (drawn.pin_memory() if pinned else drawn).requires_grad_(needs_gradient)

    return make


def _like(original: Function) -> Function:
    @wraps(original)
    def like(tensor: torch.Tensor, *arguments: Any, **keywords: Any) -> Any:
        import torch

        make = getattr(torch, LIKE[original.__name__])
        keywords.pop("memory_format", None)
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
            return original(tensor, *arguments, **keywords)
        settings = {"device": tensor.device, "dtype": tensor.dtype} | {
            name: value for name, value in keywords.items() if value is not None
        }
        return make(*arguments, tuple(tensor.shape), **settings)

    return like


def _draw_into(original: Function) -> Function:
    @wraps(original)
    def draw_into(self: torch.Tensor, *arguments: Any, **keywords: Any) -> Any:
        import torch

        draw_as = _drawn_as(self.dtype)
        if self.device.type == "meta" or draw_as is None:
            return original(self, *arguments, **keywords)
        keywords = {name: _on_cpu(value) for name, value in keywords.items()}
        if "generator" in keywords:
            keywords["generator"] = _twin(keywords["generator"])
        with torch._C.DisableTorchFunction():
            drawn = torch.empty(self.shape, dtype=draw_as, device="cpu")
            original(drawn, *map(_on_cpu, arguments), **keywords)
            return self.copy_(drawn)

    return draw_into


def _choose(original: Function) -> Function:
    """Draws whose chances or means are tensors."""

    @wraps(original)
    def choose(*arguments: Any, **keywords: Any) -> Any:
        import torch

        tensors = [one for one in (*arguments, *keywords.values()) if isinstance(one, torch.Tensor)]
        if not tensors or any(type(one) is not torch.Tensor for one in tensors):
            return original(*arguments, **keywords) if tensors else _make(original)(*arguments, **keywords)
        out, like = keywords.pop("out", None), tensors[0]
        keywords = {name: _on_cpu(value) for name, value in keywords.items()}
        if "generator" in keywords:
            keywords["generator"] = _twin(keywords["generator"])
        with torch._C.DisableTorchFunction():
            drawn = original(*map(_on_cpu, arguments), **keywords)
            drawn = drawn.to(like.device, like.dtype if drawn.is_floating_point() else drawn.dtype)
        return drawn if out is None else out.resize_(drawn.shape).copy_(drawn)

    return choose


def _on_cpu(value: Any) -> Any:
    import torch

    if not isinstance(value, torch.Tensor):
        return value
    return value.detach().to("cpu", torch.float32 if value.is_floating_point() else value.dtype)


def _kept(shape: Any, chance: float, like: torch.Tensor) -> torch.Tensor:
    """1 / (1 - chance) where an element is kept, 0 where it is dropped."""
    import torch

    kept = torch.rand(tuple(shape), device="cpu", dtype=torch.float32) >= chance
    scale = 1.0 / (1.0 - chance) if chance < 1 else 0.0
    return kept.to(like.device, like.dtype) * scale


def _dropout(original: Function) -> Function:
    @wraps(original)
    def dropout(input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        if not training or p == 0.0 or input.device.type == "meta" or not 0 <= p <= 1:
            return original(input, p, training, inplace) if inplace else original(input, p, training)
        kept = _kept(input.shape, p, input)
        return input.mul_(kept) if inplace else input * kept

    return dropout


def _attention(original: Function) -> Function:
    """With dropout, attention written out; without, PyTorch's own."""

    @wraps(original)
    def attention(
        query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
        is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
    ) -> Any:  # fmt: skip
        import torch

        if dropout_p == 0.0:
            return original(query, key, value, attn_mask, 0.0, is_causal, scale=scale, enable_gqa=enable_gqa)
        if enable_gqa:
            key, value = (one.repeat_interleave(query.size(-3) // one.size(-3), -3) for one in (key, value))
        scores = query @ key.transpose(-2, -1) * (scale or 1 / math.sqrt(query.size(-1)))
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=query.device).tril()
        if attn_mask is not None:
            is_bool = attn_mask.dtype is torch.bool
            scores = scores.masked_fill(~attn_mask, -math.inf) if is_bool else scores + attn_mask
        weights = torch.softmax(scores, dim=-1)
        return (weights * _kept(weights.shape, dropout_p, weights)) @ value

    return attention


PATCHES = (
    *(Patch(f"torch:{name}", _make, WHY) for name in MAKE),
    *(Patch(f"torch:{name}", _like, WHY) for name in LIKE),
    *(Patch(f"torch:{name}", _choose, WHY) for name in CHOOSE),
    *(Patch(f"torch:Tensor.{name}", _draw_into, WHY) for name in DRAW_INTO),
    *(Patch(f"torch:Tensor.{name}", _choose, WHY) for name in ("bernoulli", "multinomial")),
    Patch("torch.nn.functional:dropout", _dropout, WHY),
    Patch("torch:dropout", _dropout, WHY),
    Patch("torch.nn.functional:scaled_dot_product_attention", _attention, WHY),
)
