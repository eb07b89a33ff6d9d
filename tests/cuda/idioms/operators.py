"""Operators of one's own, registered for CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from idioms import idiom


@contextmanager
def library(name: str, kind: str = "FRAGMENT") -> Iterator[torch.library.Library]:
    """A library that is gone afterwards, so that the idiom can be run again."""
    with torch.library._scoped_library(name, kind) as made:
        yield made


@idiom(
    "`@torch.library.custom_op(…, device_types='cuda')`",
    "pytorch/pytorch/torch/library.py",
    ("cuda:0", [2.0, 2.0]),
)
def custom_op() -> object:
    @torch.library.custom_op("idioms::twice", mutates_args=(), device_types="cuda")
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    y = twice(torch.ones(2, device="cuda"))
    return str(y.device), y.tolist()


@idiom("`op.register_kernel('cuda')` beside the one of the CPU", "pytorch/ao/torchao/ops.py", [3.0, 2.0])
def kernels_by_device() -> object:
    @torch.library.custom_op("idioms::kernels", mutates_args=(), device_types="cpu")
    def scaled(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @scaled.register_kernel("cuda")
    def _(x: torch.Tensor) -> torch.Tensor:
        return x * 3

    return [scaled(torch.ones(1, device="cuda")).item(), scaled(torch.ones(1)).item()]


@idiom("`lib.impl('op', f, 'CUDA')`", "vllm-project/vllm/vllm/utils/torch_utils.py", [5.0, 4.0])
def dispatch_key() -> object:
    with library("idioms_keys") as made:
        made.define("shifted(Tensor x) -> Tensor")
        made.impl("shifted", lambda x: x + 4, "CUDA")
        made.impl("shifted", lambda x: x + 3, "CPU")
        shifted = torch.ops.idioms_keys.shifted
        return [shifted(torch.ones(1, device="cuda")).item(), shifted(torch.ones(1)).item()]


@idiom("`torch.library.impl('lib::op', 'cuda')`", "pytorch/pytorch/torch/library.py", 7.0)
def impl_by_name() -> object:
    with library("idioms_names") as made:
        torch.library.define("idioms_names::plus", "(Tensor x) -> Tensor", lib=made)
        torch.library.impl("idioms_names::plus", "cuda", lambda x: x + 6, lib=made)
        return torch.ops.idioms_names.plus(torch.ones(1, device="cuda")).item()


@idiom(
    "`register_fake` and `register_autograd`",
    "Dao-AILab/flash-attention/flash_attn/flash_attn_interface.py",
    ([6.0, 6.0], "cuda"),
)
def custom_op_with_gradient() -> object:
    @torch.library.custom_op("idioms::cubed", mutates_args=(), device_types="cuda")
    def cubed(x: torch.Tensor) -> torch.Tensor:
        return x**3

    cubed.register_fake(torch.empty_like)
    cubed.register_autograd(
        lambda ctx, gradient: gradient * 3 * ctx.saved_tensors[0] ** 2 * 2,
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    )
    x = torch.ones(2, device="cuda", requires_grad=True)
    cubed(x).sum().backward()
    fake = torch._subclasses.FakeTensorMode()
    with fake:
        shape = cubed(torch.empty(2, device="cuda"))
    return x.grad.tolist(), shape.device.type


@idiom("`torch.library.triton_op`", "pytorch/pytorch/torch/_library/triton.py", [2.0])
def triton_op() -> object:
    @torch.library.triton_op("idioms::plain", mutates_args=())
    def plain(x: torch.Tensor) -> torch.Tensor:
        return x + 1

    return plain(torch.ones(1, device="cuda")).tolist()


@idiom(
    "`torch._C._dispatch_has_kernel_for_dispatch_key(op, 'CUDA')`",
    "pytorch/pytorch/torch/_library/utils.py",
    [True, True],
)
def has_kernel() -> object:
    return [
        torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{name}", "CUDA")
        for name in ("add.Tensor", "mm")
    ]


@idiom("a tensor subclass and `__torch_dispatch__`", "pytorch/ao/torchao/utils.py", (True, "cuda"))
def dispatch_mode() -> object:
    from torch.utils._python_dispatch import TorchDispatchMode

    seen = set()

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                seen.add(result.device.type)
            return result

    with Watch():
        y = torch.ones(2, device="cuda") + 1
    return y.is_cuda, ",".join(seen)


@idiom(
    "`FakeTensorMode` with CUDA tensors",
    "pytorch/pytorch/torch/_subclasses/fake_tensor.py",
    ("cuda:0", (2, 5)),
)
def fake_tensors() -> object:
    with torch._subclasses.FakeTensorMode():
        y = torch.empty(2, 3, device="cuda") @ torch.empty(3, 5, device="cuda")
    return str(y.device), tuple(y.shape)
