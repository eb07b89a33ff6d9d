"""Ranks whose calls do not fit together, or one of which ends; and a dry run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ranks import TOGETHER, finish, start

pytestmark = [pytest.mark.virtual_only, pytest.mark.needs_chip]

MISMATCH = """
x = torch.ones(3 + RANK, device=DEVICE)
try:
    dist.all_reduce(x)
    torch.npu.synchronize()
except RuntimeError as error:
    print(error, flush=True)
os._exit(0)
"""


def test_calls_that_do_not_fit_together(machine: Callable[..., Any]) -> None:
    for rank, text in enumerate(finish(start(machine(devices=2), MISMATCH))):
        assert f"rank {rank} of 2 of communicator" in text
        assert "HcclAllReduce(3 × float32, sum)" in text and "HcclAllReduce(4 × float32, sum)" in text


DEAD_PEER = """
x = torch.ones(3, device=DEVICE)
dist.all_reduce(x)
print(x.tolist(), flush=True)
if RANK == 1:
    sys.stdin.readline()
    os._exit(7)
try:
    dist.all_reduce(x)
    torch.npu.synchronize()
except RuntimeError as error:
    print(error, flush=True)
os._exit(0)
"""


def test_a_rank_that_ends_is_named(machine: Callable[..., Any]) -> None:
    first, second = start(machine(devices=2), DEAD_PEER)
    assert second.stdout is not None and second.stdout.readline() == "[2.0, 2.0, 2.0]\n"
    second.communicate("\n", timeout=TOGETHER)
    (text,) = finish([first])
    assert f"rank 1 (process {second.pid})" in text and "HcclAllReduce(3 × float32, sum)" in text


DRY = """
x = torch.ones(1 << 22, device=DEVICE)
y = torch.full((4,), RANK + 1.0, device=DEVICE)
for _ in range(3):
    dist.all_reduce(x)
    dist.all_reduce(y)
print(y.tolist(), x.shape)
dist.destroy_process_group()
"""


def test_dry(machine: Callable[..., Any]) -> None:
    said = finish(start(machine(devices=2, dry=1), DRY))
    assert said == ["[12.0, 12.0, 12.0, 12.0] torch.Size([4194304])\n"] * 2
