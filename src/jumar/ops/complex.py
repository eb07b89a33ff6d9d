"""Making complex numbers and taking their angle."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.registry import op
from jumar.ops.rules import copying, pointwise


@op("aclnnComplex", work=copying())
def complex_(real: Tensor, imag: Tensor, out: Tensor) -> None:
    # Not into the output at once: the parts may be views of it, as in conjugation in place.
    out.copy_(torch.complex(real, imag))


@op("aclnnPolar", work=pointwise(2, 2))
def polar(absolute: Tensor, angle: Tensor, out: Tensor) -> None:
    torch.polar(absolute, angle, out=out)


@op("aclnnAngleV2", work=pointwise(2, 2))
def angle(self: Tensor, out: Tensor) -> None:
    torch.angle(self, out=out)
