"""Reductions and statistics against CPU PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing._internal.opinfo.core import SampleInput

from .opinfo import FLOATS, Arguments, Row, assert_bits, call, check_row, spoiled, strided


def _dims(dim: int | Sequence[int] | None) -> list[int]:
    if dim is None:
        return []
    return [dim] if isinstance(dim, int) else list(dim)


def _given(sample: SampleInput, *names: str) -> dict[str, Any]:
    return {**dict(zip(names, sample.args, strict=False)), **sample.kwargs}


def over_dims(sample: SampleInput) -> Sequence[Any]:
    given = _given(sample, "dim", "keepdim")
    return (sample.input, _dims(given.get("dim")), given.get("keepdim", False))


def over_dims_as(promote: bool) -> Arguments:
    """With the result's type before the output; sums of integers are int64."""

    def arguments(sample: SampleInput) -> Sequence[Any]:
        dtype = sample.input.dtype
        if promote and not dtype.is_floating_point and not dtype.is_complex:
            dtype = torch.int64
        return (*over_dims(sample), sample.kwargs.get("dtype", dtype))

    return arguments


def over_one_dim(sample: SampleInput) -> Sequence[Any] | None:
    given = _given(sample, "dim", "keepdim")
    if not isinstance(given.get("dim"), int) or isinstance(given["dim"], bool):
        return None
    return (sample.input, given["dim"], given.get("keepdim", False))


def of_all(sample: SampleInput) -> Sequence[Any] | None:
    return None if sample.args or sample.kwargs else (sample.input,)


def corrected(sample: SampleInput) -> Sequence[Any] | None:
    given = _given(sample, "dim", "unbiased", "keepdim")
    correction = given.get("correction", given.get("unbiased", 1))
    if isinstance(given.get("dim"), bool) or correction is None or correction != int(correction):
        return None
    return (sample.input, _dims(given.get("dim")), int(correction), given.get("keepdim", False))


def normed(sample: SampleInput) -> Sequence[Any] | None:
    given = _given(sample, "ord", "dim", "keepdim")
    if given.get("dtype"):
        return None
    return (sample.input, given.get("ord", 2), _dims(given.get("dim")), given.get("keepdim", False))


def normed_as(sample: SampleInput) -> Sequence[Any] | None:
    arguments = normed(sample)
    return None if arguments is None else (*arguments, sample.input.dtype)


def kth(sample: SampleInput) -> Sequence[Any]:
    given = _given(sample, "k", "dim", "keepdim")
    return (sample.input, given["k"], given.get("dim", -1), given.get("keepdim", False))


def flat_or_dim(sample: SampleInput) -> Sequence[Any] | None:
    """As the adapter does: with no dimension, over the flattened tensor."""
    given = _given(sample, "dim", "keepdim")
    if given.get("dim") is not None:
        return (sample.input, given["dim"], given.get("keepdim", False))
    return None if given.get("keepdim") else (sample.input.reshape(-1), 0, False)


ROWS = (
    Row("ReduceSum", "sum", over_dims_as(promote=True)),
    Row("ReduceNansum", "nansum", over_dims_as(promote=True)),
    Row("Mean", "mean", over_dims_as(promote=False), dtypes=FLOATS),
    Row("Amax", "amax", over_dims),
    Row("Amin", "amin", over_dims),
    Row("All", "all", over_dims),
    Row("Any", "any", over_dims),
    Row("LogSumExp", "logsumexp", over_dims),
    Row("Max", "max", of_all, variant="reduction_no_dim"),
    Row("Min", "min", of_all, variant="reduction_no_dim"),
    Row("MaxDim", "max", over_one_dim, variant="reduction_with_dim"),
    Row("MinDim", "min", over_one_dim, variant="reduction_with_dim"),
    Row("AminmaxDim", "aminmax", over_one_dim),
    Row("AminmaxAll", "aminmax", of_all),
    Row("Aminmax", "aminmax", over_dims),
    Row("ArgMax", "argmax", flat_or_dim),
    Row("ArgMin", "argmin", flat_or_dim),
    Row("Median", "median", of_all),
    Row("NanMedian", "nanmedian", of_all),
    Row("MedianDim", "median", over_one_dim),
    Row("NanMedianDim", "nanmedian", over_one_dim),
    Row("Kthvalue", "kthvalue", kth),
    Row("Std", "std", corrected),
    Row("VarCorrection", "var", corrected),
    Row("StdMeanCorrection", "std_mean", corrected),
    Row("VarMean", "var_mean", corrected),
    Row("LinalgVectorNorm", "linalg.vector_norm", normed_as),
    Row("Norm", "linalg.vector_norm", normed),
    Row("Renorm", "renorm", lambda sample: (sample.input, *sample.args)),
    Row("InplaceRenorm", "renorm", lambda sample: (sample.input, *sample.args), in_place=True),
    Row("Trace", "trace", of_all),
)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom is", "ignore:Casting complex values to real")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_samples(row: Row) -> None:
    check_row(row)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_product(dtype: torch.dtype) -> None:
    operand = torch.tensor([[2, 3, 1], [1, 5, 1]]).to(dtype)
    result = torch.float32 if dtype.is_floating_point else torch.int64
    for layout in (torch.clone, strided):
        everything, rows = torch.empty((), dtype=result), torch.empty(2, 1, dtype=result)
        call("Prod", layout(operand), result, everything)
        call("ProdDim", layout(operand), 1, True, result, rows)
        assert_bits(everything, operand.prod(), "Prod")
        assert_bits(rows, operand.prod(1, keepdim=True), "ProdDim")


def test_sum_in_another_type() -> None:
    operand = torch.rand(1000).half()
    out = torch.empty((), dtype=torch.float32)
    call("ReduceSum", operand, [0], False, torch.float32, out)
    assert_bits(out, operand.sum(dtype=torch.float32), "ReduceSum")
    call("Mean", operand, [0], False, torch.float32, out)
    assert_bits(out, operand.mean(dtype=torch.float32), "Mean")


def test_truth_of_bytes_is_a_byte() -> None:
    operand = torch.tensor([[0, 2], [3, 4]], dtype=torch.uint8)
    for name, like in (("Any", torch.any), ("All", torch.all)):
        wanted = like(operand, 1)
        out = spoiled(wanted)
        call(name, operand, [1], False, out)
        assert_bits(out, wanted, name)


def test_norm_into_a_wider_type() -> None:
    operand = torch.rand(300).half()
    out = torch.empty(())
    call("Norm", operand, 2, [], False, out)
    assert_bits(out, torch.linalg.vector_norm(operand, dtype=torch.float32), "Norm")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int64])
def test_histogram(dtype: torch.dtype) -> None:
    operand = torch.tensor([0, 1, 1, 2, 5, 7]).to(dtype)
    out = torch.empty(4, dtype=dtype)
    call("Histc", operand, 4, 0.0, 8.0, out)
    assert out.tolist() == [3, 1, 1, 1]


@pytest.mark.parametrize("weights", [None, torch.rand(5), torch.rand(5, dtype=torch.float64)])
def test_counts(weights: Tensor | None) -> None:
    operand = torch.tensor([3, 0, 3, 1, 3])
    for minlength in (0, 9):
        wanted = torch.bincount(operand, weights, minlength)
        out = spoiled(wanted)
        call("Bincount", operand, weights, minlength, out)
        assert_bits(out, wanted, "Bincount")


@pytest.mark.parametrize("like", [torch.sum, torch.amax, torch.var])
def test_no_dimensions_are_all_dimensions(like: Callable[..., Tensor]) -> None:
    operand, out = torch.rand(3, 4), torch.empty(())
    name, extra = {"sum": ("ReduceSum", (False, torch.float32)), "amax": ("Amax", (False,))}.get(
        like.__name__, ("VarCorrection", (1, False))
    )
    for dims in ([], [0, 1], None):
        call(name, operand, dims, *extra, out)
        assert_bits(out, like(operand), name)


def test_empty_tensors() -> None:
    empty = torch.empty(0, 3)
    total, columns = torch.empty(()), torch.empty(3)
    call("ReduceSum", empty, [], False, torch.float32, total)
    assert total.item() == 0
    call("ReduceSum", empty, [0], False, torch.float32, columns)
    assert columns.tolist() == [0, 0, 0]
    call("Mean", empty, [0, 1], False, torch.float32, total)
    assert total.isnan().item()
