"""Copies, fills and constant tensors."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from .opinfo import DTYPES, assert_bits, call, strided


@pytest.mark.parametrize("target", DTYPES, ids=str)
@pytest.mark.parametrize("source", [dtype for dtype in DTYPES if not dtype.is_complex], ids=str)
def test_cast_and_copy(source: torch.dtype, target: torch.dtype) -> None:
    values = torch.tensor([[0.0, 1.0, 2.5], [100.0, 7.0, 0.3]]).to(source)
    for layout in (torch.clone, strided):
        out = layout(torch.zeros(2, 3, dtype=target))
        call("Cast", layout(values), target, out)
        assert_bits(out, values.to(target), "Cast")
        out = layout(torch.zeros(2, 3, dtype=target))
        call("InplaceCopy", out, layout(values))
        assert_bits(out, values.to(target), "InplaceCopy")


def test_copy_broadcasts() -> None:
    out = torch.empty(2, 3)
    call("InplaceCopy", out, torch.tensor([1.0, 2.0, 3.0]))
    assert out.tolist() == [[1, 2, 3], [1, 2, 3]]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_fills(dtype: torch.dtype) -> None:
    for layout in (torch.clone, strided):
        out = layout(torch.zeros(3, 4, dtype=dtype))
        for name, arguments, wanted in (
            ("InplaceFillScalar", (3,), torch.full((3, 4), 3).to(dtype)),
            ("InplaceZero", (), torch.zeros(3, 4, dtype=dtype)),
            ("InplaceOne", (), torch.ones(3, 4, dtype=dtype)),
            ("InplaceFillTensor", (torch.tensor(5).to(dtype),), torch.full((3, 4), 5).to(dtype)),
            ("InplaceFillTensor", (torch.tensor([2]).to(dtype),), torch.full((3, 4), 2).to(dtype)),
        ):
            call(name, out, *arguments)
            assert_bits(out, wanted, name)


@pytest.mark.parametrize("wrap", [False, True])
def test_diagonal(wrap: bool) -> None:
    out = torch.zeros(7, 3)
    call("InplaceFillDiagonal", out, 2.0, wrap)
    assert_bits(out, torch.zeros(7, 3).fill_diagonal_(2.0, wrap), "InplaceFillDiagonal")


SERIES: tuple[tuple[str, tuple[Any, ...], Any], ...] = (
    ("Arange", (0, 5, 1), torch.arange),
    ("Arange", (1.0, 7.0, 1.5), torch.arange),
    ("Arange", (9, 0, -2), torch.arange),
    ("Arange", (3, 3, 1), torch.arange),
    ("Range", (0, 4, 2), torch.ops.aten.range.step),
    ("Linspace", (0, 10, 5), torch.linspace),
    ("Linspace", (1.5, 1.5, 1), torch.linspace),
    ("Linspace", (0, 1, 0), torch.linspace),
    ("LogSpace", (0, 2, 5, 10.0), torch.logspace),
    ("Eye", (3, 4), torch.eye),
)


SERIES_DTYPES = (*DTYPES[:4], torch.int64, torch.int32)


@pytest.mark.parametrize(("name", "arguments", "like"), SERIES)
@pytest.mark.parametrize("dtype", SERIES_DTYPES, ids=str)
def test_series(name: str, arguments: tuple[Any, ...], like: Any, dtype: torch.dtype) -> None:
    wanted = like(*arguments, dtype=dtype)
    for layout in (torch.clone, strided):
        out = layout(torch.full_like(wanted, 7))
        call(name, *arguments, out)
        assert_bits(out, wanted, f"{name}{arguments} {dtype}")


def test_format_cast_keeps_the_values() -> None:
    out = torch.empty(2, 3)
    call("NpuFormatCast", torch.arange(6.0).reshape(3, 2), out)
    assert out.tolist() == [[0, 1, 2], [3, 4, 5]]
