"""Bitwise logic and shifts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op, rows

Scalar = int | bool


def _of_two(function: Callable[..., Any]) -> Callable[[Tensor, Any, Tensor], None]:
    def run(self: Tensor, other: Tensor | Scalar, out: Tensor) -> None:
        function(self, other, out=out)

    return run


def _in_place(function: Callable[..., Any]) -> Callable[[Tensor, Any], None]:
    def run(self: Tensor, other: Tensor | Scalar) -> None:
        function(self, other)

    return run


rows(
    _of_two,
    {
        "aclnnBitwiseAndScalar": torch.bitwise_and,
        "aclnnBitwiseAndTensor": torch.bitwise_and,
        "aclnnBitwiseOrScalar": torch.bitwise_or,
        "aclnnBitwiseOrTensor": torch.bitwise_or,
        "aclnnBitwiseXorScalar": torch.bitwise_xor,
        "aclnnBitwiseXorTensor": torch.bitwise_xor,
        "aclnnLeftShift": torch.bitwise_left_shift,
        "aclnnLeftShifts": torch.bitwise_left_shift,
        "aclnnRightShift": torch.bitwise_right_shift,
    },
)

rows(
    _in_place,
    {
        "aclnnInplaceBitwiseAndScalar": Tensor.bitwise_and_,
        "aclnnInplaceBitwiseAndTensor": Tensor.bitwise_and_,
        "aclnnInplaceBitwiseXorScalar": Tensor.bitwise_xor_,
        "aclnnInplaceBitwiseXorTensor": Tensor.bitwise_xor_,
    },
)


@op("aclnnBitwiseNot")
def bitwise_not(self: Tensor, out: Tensor) -> None:
    torch.bitwise_not(self, out=out)
