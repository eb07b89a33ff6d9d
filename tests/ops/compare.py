"""What the operator tests share: calling an operator as the executor does, and inputs in several layouts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import operators

FLOATS = (torch.float32, torch.bfloat16, torch.float16)


def call(name: str, *arguments: Any) -> Any:
    with torch.inference_mode():
        return operators()[name].run(*arguments)


def spaced(tensor: Tensor) -> Tensor:
    """The same values with gaps between them in memory, the last two dimensions swapped."""
    if tensor.dim() < 2:
        return torch.stack((tensor, tensor), -1)[..., 0]
    room = torch.zeros(*tensor.shape[:-2], tensor.shape[-1] + 1, tensor.shape[-2] * 2, dtype=tensor.dtype)
    view = room[..., :-1, ::2].transpose(-1, -2)
    view.copy_(tensor)
    return view


LAYOUTS: tuple[Callable[[Tensor], Tensor], ...] = (lambda tensor: tensor.clone(), spaced)


def blank(tensor: Tensor, layout: Callable[[Tensor], Tensor] = torch.clone) -> Tensor:
    """An output of the tensor's size and dtype that holds no right answer yet."""
    filler = torch.full_like(tensor, 77, memory_format=torch.contiguous_format)
    return layout(filler)


def assert_same(got: Tensor, wanted: Tensor, what: str = "") -> None:
    """Bit for bit, not a number being equal to itself."""
    assert got.dtype == wanted.dtype and got.shape == wanted.shape, (what, got.dtype, wanted.dtype, got.shape)
    equal = torch.equal(got, wanted) or torch.equal(got.nan_to_num(123), wanted.nan_to_num(123))
    assert equal, (what, (got.double() - wanted.double()).abs().max() if got.numel() else None)


def assert_near(got: Tensor, wanted: Tensor, what: str = "") -> None:
    torch.testing.assert_close(got, wanted.to(got.dtype), msg=lambda text: f"{what}: {text}")


def gradients(
    function: Callable[..., Tensor], inputs: Iterable[Tensor]
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The function's result, a random gradient for it, and what autograd makes of that for each input."""
    leaves = [tensor.detach().requires_grad_() for tensor in inputs]
    result = function(*leaves)
    grad = torch.randn(result.shape).to(result.dtype)
    return result.detach(), grad, list(torch.autograd.grad(result, leaves, grad))
