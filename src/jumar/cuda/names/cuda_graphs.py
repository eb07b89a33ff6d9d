"""CUDA graphs on the adapter's graphs: PyTorch's class and context managers over its capture and replay."""

from __future__ import annotations

from typing import Any

from jumar.cuda import account
from jumar.cuda.registry import changes
from jumar.cuda.remake import remade

_made: list[type] = []


@changes("torch._C._CUDAGraph", adds=True)
def _graph_base(original: Any) -> type:
    from torch_npu._C import _NPUGraph

    class _CUDAGraph(_NPUGraph):  # type: ignore[misc]
        def __new__(cls, keep_graph: bool = False) -> Any:
            return super().__new__(cls)

        def __init__(self, keep_graph: bool = False) -> None:
            super().__init__()

        def capture_begin(self, pool: Any = None, capture_error_mode: str = "global") -> None:
            super().capture_begin(pool=pool, capture_error_mode=capture_error_mode, report_shape=True)

        def instantiate(self) -> None:
            """A captured graph of the chip is ready to run."""
            account.note("ignored", "torch.cuda.CUDAGraph.instantiate")

        def raw_cuda_graph(self) -> int:
            raise _no_handle("raw_cuda_graph")

        def raw_cuda_graph_exec(self) -> int:
            raise _no_handle("raw_cuda_graph_exec")

    _CUDAGraph.__module__ = "torch._C"
    if not _made:
        _made.append(_CUDAGraph)
    return _made[0]


def _no_handle(name: str) -> RuntimeError:
    account.note("refused", f"torch.cuda.CUDAGraph.{name}")
    return RuntimeError(f"CUDAGraph.{name}: the graph is the chip's, there is no cudaGraph_t behind it")


changes("torch.cuda.CUDAGraph")(remade("torch.cuda.graphs", "CUDAGraph"))
