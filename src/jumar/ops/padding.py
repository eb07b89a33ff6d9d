"""Padding by a constant, by reflection and by replication."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.results import store
from jumar.ops.rules import copying, grad_of_padding

aten: Any = torch.ops.aten


@op("aclnnConstantPadNd", work=copying())
def constant_pad(self: Tensor, padding: list[int], value: Any, out: Tensor) -> None:
    store(out, aten.constant_pad_nd(self, padding, value))


rows(
    lambda function: lambda self, padding, out: store(out, function(self, padding)),
    {
        "aclnnReflectionPad1d": aten.reflection_pad1d,
        "aclnnReflectionPad2d": aten.reflection_pad2d,
        "aclnnReflectionPad3d": aten.reflection_pad3d,
        "aclnnReplicationPad1d": aten.replication_pad1d,
        "aclnnReplicationPad2d": aten.replication_pad2d,
        "aclnnReplicationPad3d": aten.replication_pad3d,
    },
    work=lambda _: copying(),
)

rows(
    lambda function: lambda grad, self, padding, grad_self: store(grad_self, function(grad, self, padding)),
    {
        "aclnnReflectionPad1dBackward": aten.reflection_pad1d_backward,
        "aclnnReflectionPad2dBackward": aten.reflection_pad2d_backward,
        "aclnnReflectionPad3dBackward": aten.reflection_pad3d_backward,
        "aclnnReplicationPad1dBackward": aten.replication_pad1d_backward,
        "aclnnReplicationPad2dBackward": aten.replication_pad2d_backward,
        "aclnnReplicationPad3dBackward": aten.replication_pad3d_backward,
    },
    work=lambda _: grad_of_padding,
)
