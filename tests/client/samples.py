"""OpInfo samples on two devices: moves a sample with its strides, runs the variants of an operator, compares results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.testing._internal.opinfo.core import OpInfo, SampleInput
from torch.utils._pytree import tree_flatten, tree_map

# What is allowed where the device need not do the CPU's arithmetic: (rtol, atol), atol as a part of the largest element
# if that is above one.
TOLERANCES = {
    torch.float64: (3e-6, 3e-6),  # the adapter goes through float32 here and there
    torch.float32: (1e-4, 1e-5),
    torch.complex64: (1e-4, 1e-5),
    torch.float16: (8e-3, 4e-3),
    torch.bfloat16: (3e-2, 3e-2),
}


def to_device(tensor: torch.Tensor, device: str) -> torch.Tensor:
    """A copy with the same sizes, strides and storage offset, whatever they are."""
    if tensor.layout != torch.strided or tensor.is_conj() or tensor.is_neg() or tensor.numel() == 0:
        return tensor.detach().to(device).requires_grad_(tensor.requires_grad)
    plain = tensor.detach()
    count = plain.untyped_storage().nbytes() // plain.element_size()
    storage = torch.as_strided(plain, (count,), (1,), 0).to(device, copy=True)
    view = torch.as_strided(storage, plain.size(), plain.stride(), plain.storage_offset())
    return view.requires_grad_(tensor.requires_grad)


def move(value: Any, device: str) -> Any:
    """Moves tensors and mentions of the device in any nesting."""

    def one(leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor):
            return to_device(leaf, device)
        return torch.device(device) if isinstance(leaf, torch.device) else leaf

    moved = tree_map(one, value)
    if isinstance(moved, dict) and isinstance(moved.get("device"), str):
        moved["device"] = device
    return moved


def sample_on(sample: SampleInput, device: str) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    return move(sample.input, device), move(sample.args, device), move(sample.kwargs, device)


def tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_flatten(value)[0] if isinstance(leaf, torch.Tensor)]


def layouts(sample: SampleInput) -> Iterator[tuple[str, SampleInput]]:
    """The sample as it is, and with every tensor non-contiguous."""
    yield "contiguous", sample
    if all(tensor.layout == torch.strided for tensor in tensors((sample.input, sample.args, sample.kwargs))):
        yield "non-contiguous", sample.noncontiguous()


def call(op: OpInfo, sample: SampleInput, device: str) -> Any:
    first, args, kwargs = sample_on(sample, device)
    results = sample.output_process_fn_grad(op(first, *args, **kwargs))
    if device == "npu":
        torch.npu.synchronize()  # a result may lie in pinned host memory
    return results


def call_inplace(op: OpInfo, sample: SampleInput, device: str) -> Any:
    first, args, kwargs = sample_on(sample, device)
    return op.get_inplace()(first.detach().clone(), *args, **kwargs)


def call_out(op: OpInfo, sample: SampleInput, device: str, expected: Any) -> Any:
    first, args, kwargs = sample_on(sample, device)
    outs = tree_map(lambda like: torch.zeros_like(like, device=device), expected)
    op(first.detach() if isinstance(first, torch.Tensor) else first, *args, **kwargs, out=outs)
    return outs


def variants(op: OpInfo, sample: SampleInput) -> dict[str, Callable[..., Any]]:
    """The cheap forms of the call beside the plain one."""
    found: dict[str, Callable[..., Any]] = {}
    plain = isinstance(sample.input, torch.Tensor) and not sample.broadcasts_input
    if op.get_inplace() is not None and plain:
        found["in place"] = call_inplace
    if op.supports_out:
        found["out"] = call_out
    return found


def gradients(op: OpInfo, sample: SampleInput, device: str, seed: int) -> list[torch.Tensor | None]:
    """Gradients of all differentiable inputs for one random gradient of each differentiable output."""
    first, args, kwargs = sample_on(sample, device)
    results = sample.output_process_fn_grad(op(first, *args, **kwargs))
    outputs = [one for one in tensors(results) if one.requires_grad]
    inputs = [one for one in tensors((first, args, kwargs)) if one.requires_grad]
    if not outputs or not inputs:
        return []
    generator = torch.Generator().manual_seed(seed)
    given = [torch.randn(one.shape, dtype=one.dtype, generator=generator) for one in outputs]
    moved = [one.to(device) for one in given]
    return list(torch.autograd.grad(outputs, inputs, moved, allow_unused=True))


def largest(tensor: torch.Tensor) -> float:
    """The largest finite magnitude in it, at least one."""
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return 1.0
    finite = tensor.detach()[tensor.isfinite()].abs()
    return max(1.0, finite.max().item()) if finite.numel() else 1.0


def compare(actual: Any, expected: Any, exact: bool, values: bool = True) -> None:
    """Raises AssertionError unless both have the same structure, sizes, types and values."""
    left, right = tree_flatten(actual)[0], tree_flatten(expected)[0]
    assert len(left) == len(right), f"{len(left)} results, {len(right)} on the CPU"
    for one, other in zip(left, right, strict=True):
        if isinstance(other, torch.Tensor) and not isinstance(one, torch.Tensor):
            raise AssertionError(f"{one} where the CPU has a tensor")
        if not isinstance(other, torch.Tensor):
            assert type(one) is type(other)
            assert not values or one == other or one != one, f"{one} is not {other}"
            continue
        assert one.dtype == other.dtype and one.shape == other.shape, (
            f"{one.dtype} {tuple(one.shape)}, on the CPU {other.dtype} {tuple(other.shape)}"
        )
        if values:
            rtol, atol = (0.0, 0.0) if exact else TOLERANCES.get(other.dtype, (0.0, 0.0))
            torch.testing.assert_close(one.cpu(), other, rtol=rtol, atol=atol * largest(other), equal_nan=True)

