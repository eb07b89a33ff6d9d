"""torch.accelerator: nearly all of it works by itself, because the chip is the accelerator and is called cuda."""

from __future__ import annotations

from typing import Any

from jumar.cuda.registry import adapts, changes

DTYPES = (
    "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32", "float64",
    "complex32", "complex64", "complex128", "bool", "quint8", "qint8", "qint32", "quint4x2", "quint2x4", "bits1x8",
    "bits2x4", "bits4x2", "bits8", "bits16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
)  # fmt: skip


@adapts("torch.accelerator.get_device_capability")
def get_device_capability(device: Any = None, /) -> dict[str, Any]:
    """What CUDA says: dtypes of which tensors can be made."""
    import torch

    return {"supported_dtypes": {getattr(torch, name) for name in DTYPES}}


@changes("torch.accelerator.Graph")
def _graph(original: Any) -> type:
    """The graph of torch.cuda, with the manners of torch.accelerator."""
    import torch

    base: Any = torch.cuda.CUDAGraph

    class Graph(base):  # type: ignore[misc]
        def __new__(cls, keep_graph: bool = False, **chosen: Any) -> Any:
            return super().__new__(cls, keep_graph)

        def __init__(
            self, keep_graph: bool = False, *, pool: Any = None, capture_error_mode: str = "default"
        ) -> None:
            super().__init__(keep_graph)
            self.graph_pool = pool
            self.capture_error_mode = capture_error_mode

        def capture_begin(self) -> None:
            mode = "global" if self.capture_error_mode == "default" else self.capture_error_mode
            super().capture_begin(pool=self.graph_pool, capture_error_mode=mode)

        def __enter__(self) -> None:
            torch.accelerator.synchronize()
            torch.accelerator.empty_cache()
            self.capture_begin()

        def __exit__(self, *error: object) -> None:
            self.capture_end()

    Graph.__module__ = original.__module__
    return Graph
