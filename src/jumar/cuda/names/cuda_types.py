"""Types of tensors by their old names, torch.cuda.FloatTensor and its kin."""

from __future__ import annotations

from typing import Any

from jumar.cuda.registry import changes

DENSE = ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
SPARSE = {
    "BFloat16": "bfloat16", "Byte": "uint8", "Char": "int8", "Double": "float64", "Float": "float32",
    "Half": "float16", "Int": "int32", "Long": "int64", "Short": "int16",
}  # fmt: skip


def _dense(name: str) -> Any:
    def make(original: Any) -> Any:
        import torch_npu

        return getattr(torch_npu.npu, name)

    return make


class _Sparse(type):
    """What isinstance asks of these types is the tensor's device, layout and dtype."""

    kind: str

    def __instancecheck__(cls, value: object) -> bool:
        import torch

        return (
            isinstance(value, torch.Tensor)
            and value.is_cuda
            and value.is_sparse
            and value.dtype is getattr(torch, cls.kind)
        )

    def __call__(cls, *arguments: Any) -> Any:
        import torch

        if arguments and isinstance(arguments[0], torch.Tensor):
            return torch.sparse_coo_tensor(*arguments, dtype=getattr(torch, cls.kind), device="cuda")
        return torch.sparse_coo_tensor(size=arguments, dtype=getattr(torch, cls.kind), device="cuda")


_sparse = {
    name: _Sparse(f"{name}Tensor", (), {"kind": kind, "__module__": "torch.cuda.sparse"})
    for name, kind in SPARSE.items()
}

for name in DENSE:
    changes(f"torch.cuda.{name}Tensor")(_dense(f"{name}Tensor"))
for name, kind in _sparse.items():
    changes(f"torch.cuda.sparse.{name}Tensor")(lambda original, kind=kind: kind)
