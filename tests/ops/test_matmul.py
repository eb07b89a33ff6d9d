"""Matrix products against CPU PyTorch."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from .compare import FLOATS, LAYOUTS, assert_near, assert_same, blank, call

PRODUCTS: tuple[tuple[str, Any, tuple[int, ...], tuple[int, ...]], ...] = (
    ("Mm", torch.mm, (5, 7), (7, 3)),
    ("Matmul", torch.matmul, (2, 5, 7), (7, 3)),
    ("Matmul", torch.matmul, (2, 1, 5, 7), (4, 7, 3)),
    ("Matmul", torch.matmul, (7,), (7,)),
    ("Matmul", torch.matmul, (5, 7), (7,)),
    ("MatmulWeightNz", torch.matmul, (5, 7), (7, 3)),
    ("BatchMatMul", torch.bmm, (4, 5, 7), (4, 7, 3)),
    ("BatchMatMul", torch.matmul, (1, 5, 7), (4, 7, 3)),
    ("Mv", torch.mv, (5, 7), (7,)),
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "reference", "left", "right"), PRODUCTS)
def test_product(name: str, reference: Any, left: Any, right: Any, dtype: torch.dtype, layout: Any) -> None:
    one, two = layout(torch.randn(left, dtype=dtype)), layout(torch.randn(right, dtype=dtype))
    wanted = reference(one, two)
    out = blank(wanted)
    call(f"aclnn{name}", one, two, out, 1)
    assert_same(out, wanted, name)


ACCUMULATING: tuple[tuple[str, Any, tuple[int, ...], tuple[int, ...], tuple[int, ...]], ...] = (
    ("Addmm", torch.addmm, (3,), (5, 7), (7, 3)),
    ("Addmm", torch.addmm, (5, 3), (5, 7), (7, 3)),
    ("Baddbmm", torch.baddbmm, (4, 5, 3), (4, 5, 7), (4, 7, 3)),
    ("Addbmm", torch.addbmm, (5, 3), (4, 5, 7), (4, 7, 3)),
)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "reference", "self", "left", "right"), ACCUMULATING)
@pytest.mark.parametrize("scales", ((1, 1), (0.5, 2.0), (0, 1)))
def test_accumulating(
    name: str, reference: Any, self: Any, left: Any, right: Any, dtype: torch.dtype, scales: Any
) -> None:
    tensors = [torch.randn(sizes, dtype=dtype) for sizes in (self, left, right)]
    wanted = reference(*tensors, beta=scales[0], alpha=scales[1])
    out = blank(wanted)
    call(f"aclnn{name}", *tensors, *scales, out, 1)
    assert_same(out, wanted, name)


def test_in_place_and_vectors() -> None:
    self, one, two = torch.randn(5, 3), torch.randn(5, 7), torch.randn(7, 3)
    wanted = torch.addmm(self, one, two, beta=2, alpha=3)
    call("aclnnInplaceAddmm", self, one, two, 2, 3, 1)
    assert_same(self, wanted)
    vector, out = torch.randn(7), torch.empty(5)
    call("aclnnAddmv", self[:, 0], one, vector, 3, 2, out, 1)
    assert_same(out, torch.addmv(self[:, 0], one, vector, beta=2, alpha=3))
    dot = torch.empty(())
    call("aclnnDot", vector, vector, dot)
    assert_same(dot, vector.dot(vector))
    outer = torch.empty(7, 5)
    call("aclnnAddr", torch.zeros(7, 5), vector, self[:, 0], 1, 2, outer)
    assert_near(outer, 2 * torch.outer(vector, self[:, 0]))


def test_wider_output() -> None:
    one, two, out = torch.randn(5, 7).bfloat16(), torch.randn(7, 3).bfloat16(), torch.empty(5, 3)
    call("aclnnMm", one, two, out, 1)
    assert_near(out, one.float() @ two.float())


def test_transpose_batch_matmul() -> None:
    one, two = torch.randn(6, 4, 8), torch.randn(4, 8, 5)
    out = torch.empty(6, 4, 5)
    call("aclnnTransposeBatchMatMul", one, two, None, None, [1, 0, 2], [0, 1, 2], [1, 0, 2], 1, 1, out)
    assert_near(out, torch.einsum("mbk,bkn->mbn", one, two))
    split = torch.empty(2, 6, 10)
    call("aclnnTransposeBatchMatMul", one, two, None, None, [1, 0, 2], [0, 1, 2], [1, 0, 2], 1, 2, split)
    assert_near(split, torch.einsum("mbk,bkn->mbn", one, two).reshape(6, 2, 10).transpose(0, 1))


@pytest.mark.parametrize("epilogue", ("", "relu", "add", "mul"))
def test_fused_matmul(epilogue: str) -> None:
    one, two, other, out = torch.randn(5, 7), torch.randn(7, 3), torch.randn(5, 3), torch.empty(5, 3)
    product = one @ two
    wanted = {"": product, "relu": product.relu(), "add": product + other, "mul": product * other}[epilogue]
    call("aclnnFusedMatmul", one, two, None, other, epilogue, 0, out)
    assert_same(out, wanted)
