"""One process with several chips: what torch.cuda.comm, DataParallel and torch.cuda.nccl call below Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from jumar.cuda import account
from jumar.cuda.registry import adapts
from jumar.cudamap import personas

Tensors = Sequence[Any]


@adapts("torch._C._broadcast", adds=True)
def broadcast(tensor: Any, devices: Sequence[int]) -> tuple[Any, ...]:
    """The tensor on each of these devices; its own is not copied."""
    return tuple(_moved(tensor, device) for device in devices)


@adapts("torch._C._broadcast_out", adds=True)
def broadcast_out(tensor: Any, out: Tensors) -> tuple[Any, ...]:
    for one in out:
        one.copy_(tensor, non_blocking=True)
    return tuple(out)


@adapts("torch._C._broadcast_coalesced", adds=True)
def broadcast_coalesced(tensors: Tensors, devices: Sequence[int], size: int = 0) -> list[list[Any]]:
    """The tensors on each device: first those given, then copies."""
    return [[_moved(tensor, device) for tensor in tensors] for device in devices]


def _moved(tensor: Any, device: int) -> Any:
    """Between chips only whole memory is copied: a view is made contiguous where it lies."""
    import torch

    there = torch.device("cuda", device)
    return tensor if tensor.device == there else tensor.contiguous().to(there, non_blocking=True)


@adapts("torch._C._scatter", adds=True)
def scatter(tensor: Any, devices: Sequence[int], chunk_sizes: Any = None, dim: int = 0, streams: Any = None,
            ) -> tuple[Any, ...]:  # fmt: skip
    pieces = tensor.split(list(chunk_sizes), dim) if chunk_sizes else tensor.chunk(len(devices), dim)
    return tuple(_moved(piece, device) for piece, device in zip(pieces, devices, strict=False))


@adapts("torch._C._scatter_out", adds=True)
def scatter_out(tensor: Any, out: Tensors, dim: int = 0, streams: Any = None) -> tuple[Any, ...]:
    for one, piece in zip(out, tensor.split([one.size(dim) for one in out], dim), strict=True):
        one.copy_(piece, non_blocking=True)
    return tuple(out)


@adapts("torch._C._gather", adds=True)
def gather(tensors: Tensors, dim: int = 0, destination: Any = None) -> Any:
    """One tensor on that device: the current one for None, the host for -1."""
    import torch

    device = "cpu" if destination == -1 else torch.device("cuda", -1 if destination is None else destination)
    return torch.cat([tensor.to("cuda" if destination is None else device) for tensor in tensors], dim)


@adapts("torch._C._gather_out", adds=True)
def gather_out(tensors: Tensors, out: Any, dim: int = 0) -> Any:
    return out.copy_(gather([tensor.to(out.device) for tensor in tensors], dim, out.get_device()))


# Numbers of operations, as NCCL has them.
SUM, PRODUCT, MAXIMUM, MINIMUM, AVERAGE = range(5)


def reduced(inputs: Tensors, op: int, device: Any) -> Any:
    """What all inputs make together, on that device."""
    import torch

    together = torch.stack([one.to(device) for one in inputs])
    if op == SUM:
        return together.sum(0, dtype=together.dtype)
    if op == PRODUCT:
        return together.prod(0, dtype=together.dtype)
    if op == AVERAGE:
        return together.sum(0, dtype=together.dtype) / len(inputs)
    return together.amax(0) if op == MAXIMUM else together.amin(0)


@adapts("torch._C._nccl_all_reduce", adds=True)
def all_reduce(
    inputs: Tensors, outputs: Tensors, op: int = SUM, streams: Any = None, comms: Any = None
) -> None:
    broadcast_out(reduced(inputs, op, inputs[0].device), outputs)


@adapts("torch._C._nccl_reduce", adds=True)
def reduce(
    inputs: Tensors, output: Any, root: int = 0, op: int = SUM, streams: Any = None, comms: Any = None
) -> None:
    output.copy_(reduced(inputs, op, output.device))


@adapts("torch._C._nccl_broadcast", adds=True)
def nccl_broadcast(inputs: Tensors, root: int = 0, streams: Any = None, comms: Any = None) -> None:
    broadcast_out(inputs[root], [one for index, one in enumerate(inputs) if index != root])


@adapts("torch._C._nccl_all_gather", adds=True)
def all_gather(inputs: Tensors, outputs: Tensors, streams: Any = None, comms: Any = None) -> None:
    for output in outputs:
        output.copy_(gather([one.reshape(-1) for one in inputs], 0, output.get_device()).view_as(output))


@adapts("torch._C._nccl_reduce_scatter", adds=True)
def reduce_scatter(
    inputs: Tensors, outputs: Tensors, op: int = SUM, streams: Any = None, comms: Any = None
) -> None:
    whole = reduced(inputs, op, inputs[0].device).reshape(-1)
    for output, piece in zip(outputs, whole.chunk(len(outputs)), strict=True):
        output.copy_(piece.view_as(output))


@adapts("torch._C._nccl_version", adds=True)
def nccl_version() -> int:
    major, minor, patch = personas.toolkit().nccl
    return major << 32 | minor << 16 | patch


@adapts("torch._C._nccl_version_suffix", adds=True)
def nccl_version_suffix() -> bytes:
    return b""


@adapts("torch._C._nccl_unique_id", "torch._C._nccl_init_rank", adds=True)
def _no_communicators(*arguments: Any) -> NoReturn:
    account.note("refused", "torch.cuda.nccl communicators")
    raise NotImplementedError(
        "torch.cuda.nccl has no communicators of its own here: use torch.distributed.init_process_group"
    )
