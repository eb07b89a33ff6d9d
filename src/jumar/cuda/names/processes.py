"""torch.multiprocessing: tensors of the chip in queues. Where the driver shares no memory, they go as copies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from jumar.cuda import account

if TYPE_CHECKING:
    from jumar.cuda.face import Options

NAME = "tensors sent to another process"


def reducer(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """How a tensor is sent: by the handle of its memory if this driver gives one, else through host memory."""

    @cache
    def shares() -> bool:
        """Whether the driver names an event for another process; it leaves the name empty if it cannot."""
        import torch

        *_, event, must_wait = original(torch.ones(1, device="cuda"))[1]
        return not must_wait or any(event)

    def reduce_tensor(tensor: Any) -> Any:
        if tensor.device.type != "cuda" or tensor.is_sparse or tensor.is_nested or shares():
            return original(tensor)
        if tensor.requires_grad and not tensor.is_leaf:
            return original(tensor)  # which refuses
        if account.note("adapted", NAME):
            print(
                f"jumar: {NAME} are copies here: what one process writes, another does not see",
                file=sys.stderr,
            )
        return rebuild, (type(tensor), *content(tensor), tensor.requires_grad)

    return reduce_tensor


def content(tensor: Any) -> tuple[bytes, Any, tuple[int, ...]]:
    """Bytes, dtype, shape. Not shared host memory: nothing would keep that alive until the other process has it."""
    import torch

    host = tensor.detach().cpu().contiguous()
    return host.reshape(-1).view(torch.uint8).numpy().tobytes(), host.dtype, tuple(host.shape)


def rebuild(kind: Any, data: bytes, dtype: Any, shape: tuple[int, ...], requires_grad: bool) -> Any:
    """The tensor in the process that receives it, on its current chip."""
    import torch

    host = torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
    tensor = host.reshape(shape).to("cuda")
    if issubclass(kind, torch.nn.Parameter):
        return torch.nn.Parameter(tensor, requires_grad=requires_grad)
    return tensor.requires_grad_(requires_grad)


def enter(options: Options) -> Callable[[], None]:
    import torch

    known: dict[type, Callable[[Any], Any]] = ForkingPickler._extra_reducers  # type: ignore[attr-defined]
    kinds: tuple[type, ...] = (torch.Tensor, torch.nn.Parameter)
    before = {kind: known[kind] for kind in kinds if kind in known}
    known.update({kind: reducer(original) for kind, original in before.items()})
    return lambda: known.update(before)
