"""What the adapter leaves to the CPU is counted under PyTorch's own name for it: the core reads that name from memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.virtual_only


def counts() -> dict[str, int]:
    from jumar.machine import server

    found: dict[str, int] = server.report(Path(os.environ["JUMAR_SERVER"]))["fallbacks"]
    return found


def test_an_operator_without_a_kernel_runs_on_the_cpu_and_is_counted_by_name() -> None:
    matrix = torch.eye(3, device="npu")
    before = counts()
    for _ in range(2):
        result = torch.linalg.matrix_exp(matrix)
    torch.linalg.eigvals(matrix)
    torch.testing.assert_close(result.cpu(), torch.linalg.matrix_exp(torch.eye(3)))
    after = counts()
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert grown == {"aten::linalg_matrix_exp": 2, "aten::_linalg_eigvals": 1}
