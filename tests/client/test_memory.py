"""Device memory as the program sees it: statistics, running out, coming back, chips beside each other."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.needs_chip

MIB = 2**20
GIB = 2**30


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """What earlier tests left in cycles must not be freed in the middle of a measurement."""
    gc.collect()
    torch.npu.synchronize()
    torch.npu.empty_cache()
    torch.npu.reset_peak_memory_stats()


def committed_bytes() -> int:
    """What this process's device memory really takes of the machine."""
    total = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if "memfd:" in os.readlink(entry):  # noqa: PTH115  the target is no path
                total += entry.stat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def test_allocated_and_peak() -> None:
    before = torch.npu.memory_allocated()
    tensor = torch.empty(64 * MIB, dtype=torch.uint8, device="npu")
    # The adapter adds 32 bytes that a chip may read beyond the end, and rounds up.
    assert abs(torch.npu.memory_allocated() - before - 64 * MIB) < MIB
    del tensor
    assert abs(torch.npu.memory_allocated() - before) < MIB
    assert abs(torch.npu.max_memory_allocated() - before - 64 * MIB) < MIB


def test_memory_returns_to_the_chip() -> None:
    free, total = torch.npu.mem_get_info()
    assert total >= free > 0
    tensor = torch.empty(256 * MIB, dtype=torch.uint8, device="npu")
    assert 256 * MIB <= free - torch.npu.mem_get_info()[0] < 300 * MIB
    del tensor
    torch.npu.empty_cache()
    assert torch.npu.mem_get_info()[0] == free


@pytest.mark.virtual_only
def test_memory_is_committed_when_written_and_returned_when_freed() -> None:
    before = committed_bytes()
    tensor = torch.empty(256 * MIB, dtype=torch.uint8, device="npu")
    assert committed_bytes() - before < 8 * MIB
    tensor.fill_(1)
    torch.npu.synchronize()
    assert committed_bytes() - before >= 256 * MIB
    del tensor
    torch.npu.empty_cache()
    assert committed_bytes() - before < 8 * MIB


def test_statistics_and_snapshot() -> None:
    tensor = torch.empty(32 * MIB, dtype=torch.uint8, device="npu")
    statistics = torch.npu.memory_stats()
    assert statistics["allocated_bytes.all.current"] >= 32 * MIB
    assert statistics["reserved_bytes.all.current"] >= statistics["allocated_bytes.all.current"]
    assert "Ascend" in torch.npu.get_device_name() and "NPU" in torch.npu.memory_summary()
    segments = torch.npu.memory_snapshot()
    start = tensor.untyped_storage().data_ptr()
    holding = [one for one in segments if one["address"] <= start < one["address"] + one["total_size"]]
    assert len(holding) == 1 and holding[0]["active_size"] >= 32 * MIB


def test_out_of_memory_is_told_by_the_adapter() -> None:
    total = torch.npu.mem_get_info()[1]
    with pytest.raises(torch.OutOfMemoryError, match=r"NPU out of memory\. Tried to allocate") as caught:
        torch.empty(total + GIB, dtype=torch.uint8, device="npu")
    assert f"{total / GIB:.2f} GiB total capacity" in str(caught.value)
    assert torch.ones(3, device="npu").sum().item() == 3


@pytest.mark.virtual_only
def test_runs_out_piece_by_piece() -> None:
    free = torch.npu.mem_get_info()[0]
    pieces = []
    with pytest.raises(torch.OutOfMemoryError):
        while True:
            pieces.append(torch.empty(4 * GIB - MIB, dtype=torch.uint8, device="npu"))
    assert len(pieces) == free // (4 * GIB)
    pieces.clear()
    torch.npu.empty_cache()
    assert torch.npu.mem_get_info()[0] == free


@pytest.mark.virtual_only
def test_fraction_of_the_memory() -> None:
    total = torch.npu.mem_get_info()[1]
    torch.npu.set_per_process_memory_fraction(0.25)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(total // 2, dtype=torch.uint8, device="npu")
    finally:
        torch.npu.set_per_process_memory_fraction(1.0)


PROGRAM = """
a = torch.ones(1000, 1000, device=DEVICE)
for size in (3, 50, 7, 90, 20):
    b = torch.full((size << 20,), size, dtype=torch.int8, device=DEVICE)
    assert b.sum(dtype=torch.int64).item() == size * (size << 20)
    del b
torch.npu.empty_cache()
print((a @ a).sum().item(), torch.npu.memory_reserved())
"""


@pytest.mark.parametrize(
    "env",
    [
        {"PYTORCH_NPU_ALLOC_CONF": "expandable_segments:True"},
        {"PYTORCH_NPU_ALLOC_CONF": "max_split_size_mb:40,garbage_collection_threshold:0.6"},
        {"PYTORCH_NO_NPU_MEMORY_CACHING": "1"},
        {"MULTI_STREAM_MEMORY_REUSE": "1"},
    ],
    ids=lambda env: "=".join(*env.items()),
)
def test_ways_to_allocate(run_program: Callable, env: dict[str, str]) -> None:
    assert run_program(PROGRAM, env=env).stdout.startswith("1000000000.0 ")


@pytest.mark.virtual_only
def test_expandable_segments_run_out_too(machine: Callable) -> None:
    source = """
    held = []
    try:
        for _ in range(100):
            held.append(torch.empty(100 << 20, dtype=torch.uint8, device=DEVICE))
    except torch.OutOfMemoryError as error:
        count = len(held)
        del held
        torch.npu.empty_cache()
        torch.ones(1000 << 20, dtype=torch.uint8, device=DEVICE)
        print(count, error)
    """
    server = machine(memory_bytes=2 * GIB)
    text = server.run(source, env={"PYTORCH_NPU_ALLOC_CONF": "expandable_segments:True"}).stdout
    assert 15 <= int(text.split()[0]) <= 20 and "NPU out of memory" in text


@pytest.mark.virtual_only
def test_eight_chips_of_64_gib_on_a_small_machine(machine: Callable) -> None:
    source = """
    held = [torch.empty(60 << 30, dtype=torch.uint8, device=f"{DEVICE}:{chip}") for chip in range(8)]
    for chip, tensor in enumerate(held):
        tensor[-1] = chip
    print([tensor[-1].item() for tensor in held])
    """
    server = machine(devices=8)
    assert "[0, 1, 2, 3, 4, 5, 6, 7]" in server.run(source).stdout
    assert min(one["peak_bytes"] for one in server.report()["chips"]) >= 60 * GIB


def test_copies_between_chips() -> None:
    if torch.npu.device_count() < 2:
        pytest.skip("needs two chips")
    tensor = torch.arange(1000.0, device="npu:0")
    other = tensor.to("npu:1")
    assert other.device.index == 1 and torch.equal(other.cpu(), tensor.cpu())
    other.mul_(2)
    assert torch.equal((tensor + other.to("npu:0")).cpu(), torch.arange(1000.0) * 3)


def test_the_current_chip() -> None:
    if torch.npu.device_count() < 2:
        pytest.skip("needs two chips")
    with torch.npu.device(1):
        assert torch.empty(1, device="npu").device.index == 1
        assert torch.npu.current_device() == 1
    assert torch.npu.current_device() == 0


def test_visible_devices(machine: Callable) -> None:
    source = "print(torch.npu.device_count(), torch.ones(2, device=DEVICE).sum().item())"
    assert machine(devices=3).run(source, env={"ASCEND_RT_VISIBLE_DEVICES": "2"}).stdout.split() == ["1", "2.0"]
