"""A dry run computes small tensors, keeps large ones out of memory, and has the true peak of the allocator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.virtual_only

GIB = 2**30


def test_small_tensors_are_computed_and_large_ones_are_not(machine: Callable) -> None:
    source = """
    small = torch.arange(10, device=DEVICE).sum().item()
    large = torch.ones(20_000, 20_000, device=DEVICE)
    product = large @ large
    print(small, tuple(product.shape), torch.npu.max_memory_allocated() >= 3_200_000_000)
    with open("/proc/self/statm") as file:
        print(int(file.read().split()[1]) * 4096 < 1_500_000_000)
    """
    assert machine(dry=1).run(source).stdout.splitlines() == ["45 (20000, 20000) True", "True"]


def test_a_model_too_large_runs_out_of_memory(machine: Callable) -> None:
    source = """
    layers = []
    try:
        for _ in range(100):
            layers.append(torch.nn.Linear(16384, 16384, device=DEVICE))
    except torch.OutOfMemoryError as error:
        print(len(layers), "NPU out of memory" in str(error))
    """
    count, told = machine(dry=1).run(source).stdout.split()
    assert told == "True" and int(count) in (62, 63)


def test_training_takes_its_true_path(machine: Callable) -> None:
    """Token ids, indices and sizes stay real; the loss of a large model is not."""
    source = """
    from models import cases
    torch.manual_seed(0)
    case = cases()["mixtral"]
    model = case.build().to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters())
    for _ in range(2):
        loss = case.loss(model, {name: value.to(DEVICE) for name, value in case.batch().items()})
        loss.backward()
        optimizer.step()
    print("done", loss.item())
    """
    assert "done" in machine(dry=1).run(source).stdout
