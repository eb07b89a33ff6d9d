"""One training step of each named model on the device: python one_step.py NAME…"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from models import cases


def main() -> None:
    for name in sys.argv[1:]:
        case = cases()[name]
        torch.manual_seed(0)
        model = case.build().to("npu")
        optimizer = torch.optim.AdamW(model.parameters())
        case.loss(model, {key: value.to("npu") for key, value in case.batch().items()}).backward()
        optimizer.step()
    torch.npu.synchronize()


if __name__ == "__main__":
    main()
