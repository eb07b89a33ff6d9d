"""Sparse tensors and transformers' nested ones: products that the adapter has no kernel for are computed by the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jumar.cuda import account

if TYPE_CHECKING:
    from jumar.cuda.face import Options

COO = (
    "mm", "addmm", "addmm.out", "_sparse_softmax", "_sparse_softmax_backward_data", "_sparse_log_softmax",
    "_sparse_log_softmax_backward_data", "index_select", "sspaddmm.out", "hspmm", "bmm", "_sparse_sparse_matmul",
)  # fmt: skip
CSR = ("mm", "addmm", "addmm.out", "addmv.out", "bmm.out")


def by_cpu(name: str) -> Callable[..., Any]:
    """That operator on copies in host memory; the result goes to the chip."""
    import torch
    from torch.utils._pytree import tree_map_only

    packet, _, overload = name.partition(".")
    operator = getattr(getattr(torch.ops.aten, packet), overload or "default")
    plain = getattr(getattr(torch.ops.aten, packet), "default") if overload == "out" else operator  # noqa: B009

    def run(*arguments: Any, **keywords: Any) -> Any:
        account.note("on the CPU", f"aten::{packet} of sparse tensors")
        out = keywords.pop("out", None)
        host_arguments, host_keywords = tree_map_only(
            torch.Tensor, lambda one: one.cpu(), (arguments, keywords)
        )
        made = plain(*host_arguments, **host_keywords)
        if out is not None:
            return out.copy_(made)
        return tree_map_only(torch.Tensor, lambda one: one.to("cuda"), made)

    return run


def enter(options: Options) -> Callable[[], None]:
    """Kernels for the chip's sparse keys; and encoders take the path without nested tensors, which the chip lacks."""
    import torch

    make: Any = torch.library.Library
    library = make("aten", "IMPL")
    for key, names in (("SparsePrivateUse1", COO), ("SparseCsrPrivateUse1", CSR)):
        for name in names:
            library.impl(name, by_cpu(name), key)
    fast: Any = torch.backends.mha
    before = fast.get_fastpath_enabled()
    fast.set_fastpath_enabled(False)

    def leave() -> None:
        library._destroy()
        fast.set_fastpath_enabled(before)

    return leave
