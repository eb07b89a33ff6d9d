"""Pointwise operators of one, two and three tensors against CPU PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing._internal.opinfo.core import SampleInput

from .opinfo import FLOATS, Arguments, Row, assert_bits, call, check_row, sole, spoiled

UNARY = """
Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Erf Erfc Erfinv Exp Exp2 Expm1 Floor Frac IsNegInf IsPosInf
IsFinite Log Log10 Log1p Log2 Neg Reciprocal Round Rsqrt Sign Signbit Sin Sinc Sinh Sqrt Tan Trunc
"""
UNARY_IN_PLACE = """
Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Erf Erfc Erfinv Exp Exp2 Expm1 Floor Frac Log Log10 Log1p Log2
Reciprocal Rsqrt Sin Sinc Sinh Sqrt Tan
"""

# tensor form, scalar form, in-place forms of both ("" where there is none), the name in PyTorch
BINARY: tuple[tuple[str, str, str, str, str], ...] = (
    ("Atan2", "", "InplaceAtan2", "", "atan2"),
    (
        "BitwiseAndTensor",
        "BitwiseAndScalar",
        "InplaceBitwiseAndTensor",
        "InplaceBitwiseAndScalar",
        "bitwise_and",
    ),
    ("BitwiseOrTensor", "BitwiseOrScalar", "", "", "bitwise_or"),
    (
        "BitwiseXorTensor",
        "BitwiseXorScalar",
        "InplaceBitwiseXorTensor",
        "InplaceBitwiseXorScalar",
        "bitwise_xor",
    ),
    ("FloorDivide", "FloorDivides", "InplaceFloorDivide", "InplaceFloorDivides", "floor_divide"),
    ("FmodTensor", "FmodScalar", "InplaceFmodTensor", "InplaceFmodScalar", "fmod"),
    ("Gcd", "", "", "", "gcd"),
    ("LeftShift", "LeftShifts", "", "", "bitwise_left_shift"),
    ("LogAddExp", "", "", "", "logaddexp"),
    ("LogAddExp2", "", "", "", "logaddexp2"),
    ("LogicalAnd", "", "InplaceLogicalAnd", "", "logical_and"),
    ("LogicalOr", "", "InplaceLogicalOr", "", "logical_or"),
    ("LogicalXor", "", "", "", "logical_xor"),
    ("Maximum", "", "", "", "maximum"),
    ("Minimum", "", "", "", "minimum"),
    ("Mul", "Muls", "InplaceMul", "InplaceMuls", "mul"),
    ("PowTensorTensor", "PowTensorScalar", "InplacePowTensorTensor", "InplacePowTensorScalar", "pow"),
    ("RightShift", "", "", "", "bitwise_right_shift"),
    ("XLogYTensor", "XLogYScalarOther", "", "InplaceXLogYScalarOther", "xlogy"),
    *(
        (f"{name}Tensor", f"{name}Scalar", f"Inplace{name}Tensor", f"Inplace{name}Scalar", name.lower())
        for name in ("Eq", "Ge", "Gt", "Le", "Lt", "Ne")
    ),
    ("LtTensor", "LessScalar", "", "", "lt"),
)


def with_tensor(sample: SampleInput) -> Sequence[Any] | None:
    fits = not sample.kwargs and isinstance(sample.input, Tensor) and isinstance(sample.args[0], Tensor)
    return (sample.input, sample.args[0]) if fits else None


def with_scalar(sample: SampleInput) -> Sequence[Any] | None:
    """A scalar in place of the other tensor is the caller's business: see `test_scalar_operand`."""
    return (sample.input, sample.args[0]) if not isinstance(sample.args[0], Tensor) else None


def with_alpha(sample: SampleInput) -> Sequence[Any] | None:
    if not isinstance(sample.args[0], Tensor):
        return None
    return (sample.input, sample.args[0], sample.kwargs.get("alpha", 1))


def scaled(keyword: str = "value") -> Arguments:
    return lambda sample: (sample.input, *sample.args, sample.kwargs.get(keyword, 1))


def rounded(mode: int) -> Arguments:
    return lambda sample: (sample.input, sample.args[0], mode) if isinstance(sample.args[0], Tensor) else None


def clamped(sample: SampleInput) -> Sequence[Any] | None:
    low, high = (*sample.args, None, None)[:2]
    low, high = sample.kwargs.get("min", low), sample.kwargs.get("max", high)
    if not isinstance(low if low is not None else high, Tensor):
        return None
    return (sample.input, low, high)


def chosen(sample: SampleInput) -> Sequence[Any]:
    return (sample.args[0], sample.input, sample.args[1])


ROWS = (
    *(Row(name, name.lower()) for name in UNARY.split()),
    *(Row(f"Inplace{name}", name.lower(), in_place=True) for name in UNARY_IN_PLACE.split()),
    Row("Sign", "sgn"),
    Row("LogicalNot", "logical_not"),
    Row("InplaceLogicalNot", "logical_not", in_place=True),
    *(Row(row[0], row[4], with_tensor) for row in BINARY),
    *(Row(row[2], row[4], with_tensor, in_place=True) for row in BINARY if row[2]),
    Row("Add", "add", with_alpha),
    Row("InplaceAdd", "add", with_alpha, in_place=True),
    Row("Sub", "sub", with_alpha),
    Row("InplaceSub", "sub", with_alpha, in_place=True),
    Row("Rsub", "rsub", with_alpha),
    Row("Div", "div", with_tensor, variant="no_rounding_mode"),
    Row("InplaceDiv", "div", with_tensor, variant="no_rounding_mode", in_place=True),
    Row("DivMod", "div", rounded(1), variant="trunc_rounding"),
    Row("DivMod", "div", rounded(2), variant="floor_rounding"),
    Row("InplaceDivMod", "div", rounded(2), variant="floor_rounding", in_place=True),
    Row("RemainderTensorTensor", "remainder", with_tensor),
    Row("InplaceRemainderTensorTensor", "remainder", with_tensor, in_place=True),
    Row("Addcmul", "addcmul", scaled()),
    Row("InplaceAddcmul", "addcmul", scaled(), in_place=True),
    Row("Addcdiv", "addcdiv", scaled()),
    Row("InplaceAddcdiv", "addcdiv", scaled(), in_place=True),
    Row("Lerp", "lerp", lambda sample: sole(sample) if isinstance(sample.args[1], Tensor) else None),
    Row("Lerps", "lerp", lambda sample: None if isinstance(sample.args[1], Tensor) else sole(sample)),
    Row("ClampTensor", "clamp", clamped),
    Row("SWhere", "where", chosen),
    Row("Complex", "complex", with_tensor, dtypes=(torch.float32, torch.float64)),
    Row("Polar", "polar", with_tensor),
    Row("AngleV2", "angle"),
    Row("RoundDecimals", "round", lambda sample: (sample.input, 3), variant="decimals_3"),
    Row("RoundDecimals", "round", lambda sample: (sample.input, -3), variant="decimals_neg_3"),
    Row(
        "InplaceRoundDecimals", "round", lambda sample: (sample.input, 3), variant="decimals_3", in_place=True
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_samples(row: Row) -> None:
    check_row(row)


# operator, what CPU PyTorch makes of it; operand types in SCALARS
SCALAR_FORMS = (
    *((row[1], getattr(torch, row[4])) for row in BINARY if row[1]),
    ("Divs", torch.div),
    ("RemainderTensorScalar", torch.remainder),
    ("ClampMin", torch.clamp_min),
    ("ClampMax", torch.clamp_max),
)
SCALAR_FORMS_IN_PLACE = (
    *((row[3], getattr(torch, row[4])) for row in BINARY if row[3]),
    ("InplaceDivs", torch.div),
    ("InplaceRemainderTensorScalar", torch.remainder),
    ("InplaceClampMax", torch.clamp_max),
    ("InplaceClampMaxTensor", torch.clamp_max),
    ("InplaceClampMinTensor", torch.clamp_min),
)
REVERSED = (
    ("PowScalarTensor", torch.pow),
    ("XLogYScalarSelf", torch.xlogy),
    ("RemainderScalarTensor", torch.remainder),
)
ONLY_INTEGERS = ("Bitwise", "LeftShift")
OPERANDS = [
    torch.tensor([[1.5, -2.5, 0.0], [7.0, 0.3, 250.0]]),
    torch.tensor([[1.5, -2.5, 0.0], [7.0, 0.3, 250.0]], dtype=torch.float16),
    torch.tensor([1.5, 0.7], dtype=torch.bfloat16),
    torch.tensor(3.0, dtype=torch.float64),
    torch.empty(0, 4),
    torch.tensor([[1, 7, 3], [0, 100, 2]]),
    torch.tensor([[1, 7, 3], [0, 100, 2]], dtype=torch.uint8),
]
SCALARS = (3, 0.7)


def scalar_cases(name: str) -> list[tuple[Tensor, int | float]]:
    integers = name.removeprefix("Inplace").startswith(ONLY_INTEGERS)
    return [
        (operand, scalar)
        for operand in OPERANDS
        for scalar in SCALARS
        if not integers or not (operand.is_floating_point() or isinstance(scalar, float))
    ]


@pytest.mark.parametrize(
    ("name", "like"), SCALAR_FORMS, ids=lambda value: str(getattr(value, "__name__", value))
)
def test_scalar_operand(name: str, like: Any) -> None:
    for operand, scalar in scalar_cases(name):
        wanted = like(operand, scalar)
        got = spoiled(wanted)
        call(name, operand, scalar, got)
        assert_bits(got, wanted, f"{name} {operand.dtype} {scalar}")


@pytest.mark.parametrize(
    ("name", "like"), SCALAR_FORMS_IN_PLACE, ids=lambda value: str(getattr(value, "__name__", value))
)
def test_scalar_operand_in_place(name: str, like: Any) -> None:
    for operand, scalar in scalar_cases(name):
        other = torch.tensor(scalar, dtype=operand.dtype) if name.endswith("Tensor") else scalar
        wanted = like(operand, other)
        if wanted.dtype is torch.bool:
            wanted = wanted.to(operand.dtype)
        if wanted.dtype is operand.dtype:
            got = operand.clone()
            call(name, got, other)
            assert_bits(got, wanted, f"{name} {operand.dtype} {scalar}")


@pytest.mark.parametrize(("name", "like"), REVERSED, ids=lambda value: str(getattr(value, "__name__", value)))
def test_scalar_on_the_left(name: str, like: Any) -> None:
    for operand, scalar in scalar_cases(name):
        if name.startswith("Remainder") and not operand.is_floating_point():
            operand = operand + 1  # CPU PyTorch raises where an integer is divided by zero
        wanted = like(scalar, operand)
        got = spoiled(wanted)
        call(name, scalar, operand, got)
        assert_bits(got, wanted, f"{name} {operand.dtype} {scalar}")


# operator, CPU PyTorch with (tensor, scalar, alpha)
WITH_ALPHA = (
    ("Adds", lambda tensor, scalar, alpha: torch.add(tensor, scalar, alpha=alpha)),
    ("Subs", lambda tensor, scalar, alpha: torch.sub(tensor, scalar, alpha=alpha)),
    ("Rsubs", lambda tensor, scalar, alpha: torch.rsub(tensor, scalar, alpha=alpha)),
)


@pytest.mark.parametrize(
    ("name", "like"), WITH_ALPHA, ids=lambda value: str(getattr(value, "__name__", value))
)
@pytest.mark.parametrize("alpha", [1, 2])
def test_scalar_with_alpha(name: str, like: Any, alpha: int) -> None:
    for operand, scalar in scalar_cases(name):
        wanted = like(operand, scalar, alpha)
        got = spoiled(wanted)
        call(name, operand, scalar, alpha, got)
        assert_bits(got, wanted, f"{name} {operand.dtype} {scalar}")
        if name != "Rsubs" and wanted.dtype is operand.dtype:
            got = operand.clone()
            call(f"Inplace{name}", got, scalar, alpha)
            assert_bits(got, wanted, f"Inplace{name} {operand.dtype} {scalar}")


def test_scalar_plus_scaled_tensor() -> None:
    for operand, scalar in scalar_cases("AddV3"):
        wanted = torch.add(
            torch.full_like(operand, scalar, dtype=torch.result_type(operand, scalar)), operand, alpha=2
        )
        got = spoiled(wanted)
        call("AddV3", scalar, operand, 2, got)
        torch.testing.assert_close(got, wanted)


def test_default_type_of_the_program_decides() -> None:
    """The program's default type may be float64 where the executor's is float32."""
    operand, wanted = torch.arange(4), torch.empty(4, dtype=torch.float64)
    for name, like, extra in (("Adds", torch.add, (1,)), ("Muls", torch.mul, ()), ("Divs", torch.div, ())):
        call(name, operand, 0.1, *extra, wanted)
        assert_bits(wanted, like(operand.double(), 0.1), name)


def test_rounded_division_by_scalar() -> None:
    for operand, scalar in scalar_cases("DivMods"):
        for mode, rounding in enumerate((None, "trunc", "floor")):
            wanted = torch.div(operand, scalar, rounding_mode=rounding)
            got = spoiled(wanted)
            call("DivMods", operand, scalar, mode, got)
            assert_bits(got, wanted, f"{operand.dtype} {scalar} {rounding}")
            if wanted.dtype is operand.dtype:
                got = operand.clone()
                call("InplaceDivMods", got, scalar, mode)
                assert_bits(got, wanted, f"in place {operand.dtype} {scalar} {rounding}")


@pytest.mark.parametrize(("low", "high"), [(None, 1), (0.5, None), (0, 2.5), (3, 1)])
def test_clamp_between_scalars(low: float | None, high: float | None) -> None:
    for operand in OPERANDS:
        wanted = torch.clamp(operand, low, high)
        got = spoiled(wanted)
        call("Clamp", operand, low, high, got)
        assert_bits(got, wanted, f"{operand.dtype}")


def test_add_then_relu() -> None:
    one, other = torch.tensor([1.0, -3.0, 2.0]), torch.tensor([1.0, 1.0, -4.0])
    out = spoiled(one)
    call("AddRelu", one, other, 2, out)
    assert_bits(out, torch.tensor([3.0, 0.0, 0.0]), "AddRelu")
    call("InplaceAddRelu", one, other, 2)
    assert_bits(one, out, "InplaceAddRelu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_nan_to_num(dtype: torch.dtype) -> None:
    operand = torch.tensor([1.0, float("nan"), float("inf"), -float("inf")], dtype=dtype)
    out = spoiled(operand)
    limit = torch.tensor(torch.finfo(dtype).max, dtype=torch.float32).item()
    call("NanToNum", operand, 0.0, limit, -limit, out)
    assert_bits(out, torch.nan_to_num(operand), "NanToNum")
    call("InplaceNanToNum", operand, 2.0, 5.0, -limit)
    assert_bits(operand, torch.nan_to_num(out.new_tensor([1, 2, 5, -limit])), "InplaceNanToNum")


def test_where_of_python_scalars() -> None:
    condition = torch.tensor([True, False])
    out = torch.empty(2)
    call("SWhere", condition, torch.tensor(1.5, dtype=torch.float64), torch.tensor(2), out)
    assert_bits(out, torch.tensor([1.5, 2.0]), "SWhere")


def test_conjugation_in_place() -> None:
    number = torch.tensor([1 + 2j, 3 - 4j])
    parts = torch.view_as_real(number)
    call("Complex", parts[:, 0], -parts[:, 1], number)
    call("Complex", parts[:, 1], parts[:, 0], number)
    assert number.tolist() == [-2 + 1j, 4 + 3j]


def test_output_may_be_an_input() -> None:
    for dtype in FLOATS:
        operand = torch.linspace(0.1, 0.9, 7, dtype=dtype)
        wanted = torch.exp(torch.add(operand, operand, alpha=3))
        call("Add", operand, operand, 3, operand)
        call("Exp", operand, operand)
        assert_bits(operand, wanted, str(dtype))


def test_is_close_and_equal() -> None:
    one, other = torch.tensor([1.0, float("nan"), 3.0]), torch.tensor([1.0 + 1e-7, float("nan"), 4.0])
    out, same = torch.empty(3, dtype=torch.bool), torch.empty(1, dtype=torch.bool)
    for equal_nan in (False, True):
        call("IsClose", one, other, 1e-5, 1e-8, equal_nan, out)
        assert_bits(out, torch.isclose(one, other, equal_nan=equal_nan), "IsClose")
    for pair in ((one, one), (other[:1], other[:1]), (one, one[:2])):
        call("Equal", *pair, same)
        assert same.item() is torch.equal(*pair)


def test_is_in() -> None:
    element = torch.tensor([[1, 2], [3, 2]])
    for invert in (False, True):
        out, one = torch.empty(2, 2, dtype=torch.bool), torch.empty((), dtype=torch.bool)
        call("IsInTensorScalar", element, 2, False, invert, out)
        assert_bits(out, torch.isin(element, 2, invert=invert), "IsInTensorScalar")
        call("IsInScalarTensor", 3, element, False, invert, one)
        assert_bits(one, torch.isin(3, element, invert=invert), "IsInScalarTensor")


def test_lerp_in_place() -> None:
    one, end = torch.tensor([1.0, 2.0]), torch.tensor([5.0, 7.0])
    wanted = torch.lerp(one, end, 0.3)
    for name, weight in (("InplaceLerps", 0.3), ("InplaceLerp", torch.full((2,), 0.3))):
        got = one.clone()
        call(name, got, end, weight)
        assert_bits(got, wanted, name)


def test_clamp_one_sided_by_tensor() -> None:
    one, bound = torch.tensor([1.0, 5.0, float("nan")]), torch.tensor([3.0])
    for name, like in (("ClampMinTensor", torch.clamp_min), ("ClampMaxTensor", torch.clamp_max)):
        out = spoiled(one)
        call(name, one, bound, out)
        assert_bits(out, like(one, bound), name)


def test_decimals_of_integers() -> None:
    out = torch.empty(3, dtype=torch.int64)
    call("RoundDecimals", torch.tensor([14, 15, -26]), -1, out)
    assert out.tolist() == [10, 20, -30]
