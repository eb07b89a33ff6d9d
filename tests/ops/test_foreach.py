"""The foreach family against PyTorch's own foreach functions on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from .opinfo import FLOATS, assert_bits, assert_near, call, spoiled, strided

Tensors = list[Tensor]

UNARY = """
Abs Acos Asin Atan Cos Cosh Erf Erfc Exp Expm1 Log Log10 Log1p Log2 Neg Reciprocal Sigmoid Sign Sin Sinh
Sqrt Tan Tanh
"""
ROUNDINGS = ((1, "round"), (2, "floor"), (3, "ceil"), (5, "trunc"), (7, "frac"))
SCALAR = ("Add", "Div", "Maximum", "Minimum", "Mul", "Pow", "Sub")


def like(name: str) -> Callable[..., Any]:
    return getattr(torch, f"_foreach_{name.lower()}")


def numbers(dtype: torch.dtype, seed: int = 0) -> Tensors:
    generator = torch.Generator().manual_seed(seed)
    shapes: tuple[tuple[int, ...], ...] = ((3, 5), (), (0, 2), (17,), (2, 3, 4))
    return [(torch.rand(shape, generator=generator) * 0.8 + 0.1).to(dtype) for shape in shapes]


def spread(value: Any) -> Any:
    return (
        [strided(item) for item in value]
        if isinstance(value, list) and isinstance(value[0], Tensor)
        else value
    )


def check(name: str, arguments: tuple[Any, ...], wanted: Tensors) -> None:
    outs = [spoiled(tensor) for tensor in wanted]
    call(name, *arguments, outs)
    for out, expected in zip(outs, wanted, strict=True):
        assert_bits(out, expected, name)
    spaced = [spread(value) for value in arguments]
    outs = [strided(spoiled(tensor)) for tensor in wanted]
    call(name, *spaced, outs)
    for out, expected in zip(outs, wanted, strict=True):
        assert_near(out, expected, name)


@pytest.fixture(params=FLOATS, ids=str)
def tensors(request: pytest.FixtureRequest) -> Tensors:
    return numbers(request.param)


@pytest.mark.parametrize("name", UNARY.split())
def test_unary(name: str, tensors: Tensors) -> None:
    check(f"Foreach{name}", (tensors,), like(name)(tensors))


@pytest.mark.parametrize("name", SCALAR)
def test_scalar(name: str, tensors: Tensors) -> None:
    wanted = like(name)(tensors, 0.5)
    check(f"Foreach{name}ScalarV2", (tensors, 0.5), wanted)
    check(f"Foreach{name}Scalar", (tensors, torch.tensor([0.5])), wanted)
    scalars = [0.5, 0.25, 3.0, 1.5, 2.0]
    check(f"Foreach{name}ScalarList", (tensors, scalars), like(name)(tensors, scalars))


@pytest.mark.parametrize("name", ["Add", "Sub", "Div", "Maximum", "Minimum", "Mul", "Pow"])
def test_list(name: str, tensors: Tensors) -> None:
    others = numbers(tensors[0].dtype, seed=1)
    if name in ("Add", "Sub"):
        wanted = like(name)(tensors, others, alpha=3)
        check(f"Foreach{name}ListV2", (tensors, others, 3), wanted)
        check(f"Foreach{name}List", (tensors, others, torch.tensor(3.0)), wanted)
    else:
        check(f"Foreach{name}List", (tensors, others), like(name)(tensors, others))


@pytest.mark.parametrize("name", ["Addcmul", "Addcdiv"])
def test_three_lists(name: str, tensors: Tensors) -> None:
    first, second = numbers(tensors[0].dtype, seed=1), numbers(tensors[0].dtype, seed=2)
    wanted = like(name)(tensors, first, second, 0.5)
    check(f"Foreach{name}ScalarV2", (tensors, first, second, 0.5), wanted)
    check(f"Foreach{name}Scalar", (tensors, first, second, torch.tensor(0.5)), wanted)
    scalars = torch.tensor([0.5, 0.25, 3.0, 1.5, 2.0], dtype=tensors[0].dtype)
    wanted = like(name)(tensors, first, second, scalars)
    check(f"Foreach{name}ScalarList", (tensors, first, second, scalars), wanted)


def test_lerp(tensors: Tensors) -> None:
    ends, weights = numbers(tensors[0].dtype, seed=1), numbers(tensors[0].dtype, seed=2)
    check("ForeachLerpScalar", (tensors, ends, 0.3), torch._foreach_lerp(tensors, ends, 0.3))
    check("ForeachLerpList", (tensors, ends, weights), torch._foreach_lerp(tensors, ends, weights))


def test_power_of_scalar(tensors: Tensors) -> None:
    check("ForeachPowScalarAndTensor", (2.5, tensors), torch._foreach_pow(2.5, tensors))


@pytest.mark.parametrize("order", [1, 2.0])
def test_norm(order: float, tensors: Tensors) -> None:
    check("ForeachNorm", (tensors, order), list(torch._foreach_norm(tensors, order)))


@pytest.mark.parametrize(("mode", "name"), ROUNDINGS)
def test_rounding(mode: int, name: str, tensors: Tensors) -> None:
    larger = [tensor * 9 for tensor in tensors]
    wanted = like(name)(larger)
    check("ForeachRoundOffNumberV2", (larger, mode), wanted)
    check("ForeachRoundOffNumber", (larger, torch.tensor([mode], dtype=torch.int8)), wanted)


def test_copy_and_zero(tensors: Tensors) -> None:
    check("ForeachCopy", (tensors,), tensors)
    call("ForeachZeroInplace", tensors)
    assert not any(tensor.any() for tensor in tensors)


def test_output_may_be_the_input() -> None:
    tensors = numbers(torch.float32)
    wanted = torch._foreach_mul(tensors, 0.5)
    call("ForeachMulScalarV2", tensors, 0.5, tensors)
    for out, expected in zip(tensors, wanted, strict=True):
        assert_bits(out, expected, "in place")
