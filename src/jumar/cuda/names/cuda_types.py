"""Types of tensors by their old names, torch.cuda.FloatTensor and its kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jumar.cuda.registry import changes, resolve

DTYPES = {
    "BFloat16": "bfloat16", "Bool": "bool", "Byte": "uint8", "Char": "int8", "Double": "float64",
    "Float": "float32", "Half": "float16", "Int": "int32", "Long": "int64", "Short": "int16",
}  # fmt: skip
NO_SPARSE = ("Bool",)


class _TensorType(type):
    """What isinstance asks of these types is the tensor's device, layout and dtype."""

    kind: str
    is_sparse: bool

    def __instancecheck__(cls, value: object) -> bool:
        import torch

        return (
            isinstance(value, torch.Tensor)
            and value.device.type == "cuda"
            and value.dtype is cls.dtype
            and value.is_sparse is cls.is_sparse
        )

    @property
    def dtype(cls) -> Any:
        import torch

        return getattr(torch, cls.kind)

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        make = _sparse if cls.is_sparse else _dense
        return make(cls, *arguments, **keywords)


def _dense(kind: _TensorType, *arguments: Any, device: Any = "cuda") -> Any:
    """Sizes give a tensor without values; a list or a tensor gives one with those."""
    import torch

    if len(arguments) == 1 and isinstance(arguments[0], torch.Tensor) and arguments[0].device.type == "cuda":
        return arguments[0].to(kind.dtype).detach()
    if arguments and all(isinstance(one, (int, torch.Size)) for one in arguments):
        return torch.empty(*arguments, dtype=kind.dtype, device=device)
    return getattr(torch, kind.__name__)(*arguments).to(device)


def _sparse(kind: _TensorType, *arguments: Any, device: Any = "cuda") -> Any:
    import torch

    if arguments and isinstance(arguments[0], torch.Tensor):
        return torch.sparse_coo_tensor(*arguments, dtype=kind.dtype, device=device)
    return torch.empty(arguments, dtype=kind.dtype, device=device, layout=torch.sparse_coo)


def _type(name: str, module: str, sparse: bool) -> _TensorType:
    own = {"kind": DTYPES[name], "is_sparse": sparse, "is_cuda": True, "__module__": module}
    return _TensorType(f"{name}Tensor", (), own)


def _register(module: str, name: str, sparse: bool) -> None:
    made = _type(name, module, sparse)
    changes(f"{module}.{name}Tensor")(lambda original: made)


for name in DTYPES:
    _register("torch.cuda", name, sparse=False)
    if name not in NO_SPARSE:
        _register("torch.cuda.sparse", name, sparse=True)

_default_is_cuda = False


@changes("torch.set_default_tensor_type")
def _set_default_tensor_type(original: Any) -> Callable[[Any], None]:
    import torch

    def set_default_tensor_type(t: Any) -> None:
        global _default_is_cuda
        kind = resolve(t) if isinstance(t, str) else t
        if isinstance(kind, _TensorType):
            original(getattr(torch, kind.__name__))
            torch.set_default_device("cuda")
            _default_is_cuda = True
            return
        original(t)
        if _default_is_cuda:
            torch.set_default_device(None)
            _default_is_cuda = False

    return set_default_tensor_type
