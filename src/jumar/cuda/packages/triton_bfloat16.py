"""Arithmetic of bfloat16 in Triton's interpreter, which otherwise computes on the bits: widened, computed, rounded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jumar.patches import Patch

BUILDER = "triton.runtime.interpreter:InterpreterBuilder"
WHY = "numpy has no bfloat16: the interpreter keeps its bits as whole numbers, and would add those"


def patches() -> list[Patch]:
    made = {
        "binary_op": _arithmetic(2),
        "unary_op": _arithmetic(1),
        "ternary_op": _arithmetic(3),
        "cast_impl": _cast,
        "create_dot": _dot,
    }
    constant = Patch(
        f"{BUILDER}.get_bf16", _constant, "the interpreter has constants of the other types only", True
    )
    return [*(Patch(f"{BUILDER}.{name}", make, WHY) for name, make in made.items()), constant]


def _constant(original: Callable[..., Any] | None) -> Callable[..., Any]:
    def get_bf16(self: Any, value: float) -> Any:
        import triton.language as tl
        from triton.runtime.interpreter import TensorHandle

        return _narrow(TensorHandle(np.array([value], dtype=np.float32), tl.float32))

    return original or get_bf16


def _is_bfloat16(handle: Any) -> bool:
    import triton.language as tl

    return bool(handle.dtype.scalar == tl.bfloat16)


def _wide(handle: Any) -> Any:
    """The same values in float32."""
    import triton.language as tl

    if not _is_bfloat16(handle):
        return handle
    bits = np.asarray(handle.data).view(np.uint16).astype(np.uint32) << 16
    return type(handle)(bits.view(np.float32), tl.float32)


def _narrow(handle: Any) -> Any:
    """Rounded to the nearest bfloat16, halves to even; what is no floating point, such as a comparison's result, stays."""
    import triton.language as tl

    data = np.asarray(handle.data)
    if data.dtype.kind != "f":
        return type(handle)(handle.data, tl.bfloat16) if data.dtype.itemsize <= 2 else handle
    data = data.astype(np.float32)
    bits = data.view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return type(handle)(np.where(np.isnan(data), np.uint16(0x7FC0), rounded), tl.bfloat16)


def _arithmetic(count: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def compute(self: Any, *arguments: Any) -> Any:
            operands, rest = arguments[:count], arguments[count:]
            if not _is_bfloat16(operands[0]):
                return original(self, *arguments)
            return _narrow(original(self, *(_wide(one) for one in operands), *rest))

        return compute

    return make


def _cast(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def cast(self: Any, src: Any, dst_type: Any) -> Any:
        import triton.language as tl

        source = _wide(src)
        if dst_type.scalar != tl.bfloat16:
            return original(self, source, dst_type)
        return _narrow(type(src)(np.asarray(source.data).astype(np.float32), tl.float32))

    return cast


def _dot(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def dot(self: Any, a: Any, b: Any, d: Any, *rest: Any) -> Any:
        return original(self, _wide(a), _wide(b), d, *rest)

    return dot
