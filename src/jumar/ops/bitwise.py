"""Bitwise logic and shifts."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.results import of_two, of_two_in_place
from jumar.ops.rules import each, each_in_place, pointwise

Scalar = int | bool


rows(
    of_two,
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
    work=each,
)

rows(
    of_two_in_place,
    {
        "aclnnInplaceBitwiseAndScalar": Tensor.bitwise_and_,
        "aclnnInplaceBitwiseAndTensor": Tensor.bitwise_and_,
        "aclnnInplaceBitwiseXorScalar": Tensor.bitwise_xor_,
        "aclnnInplaceBitwiseXorTensor": Tensor.bitwise_xor_,
    },
    work=each_in_place,
)


@op("aclnnBitwiseNot", work=pointwise())
def bitwise_not(self: Tensor, out: Tensor) -> None:
    torch.bitwise_not(self, out=out)
