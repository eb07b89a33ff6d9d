"""Every public name of torch.cuda and its submodules stands in the dictionary, and does what its row says."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
import torch
import torch_npu  # noqa: F401  without the face, the chip is npu

from jumar import cudamap
from jumar.cuda import face, registry

SUBMODULES = (
    "memory", "random", "streams", "graphs", "nvtx", "profiler", "comm", "amp", "sparse", "tunable", "jiterator",
    "gds", "nccl", "_memory_viz", "_sanitizer",
)  # fmt: skip
ROWS = {row.cuda: row for row in cudamap.names("torch_cuda")}
face.chapters()


def public(module: ModuleType) -> list[str]:
    """What a module offers: its __all__, or the functions and classes that it defines."""
    if listed := getattr(module, "__all__", None):
        return list(listed)
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return [name for name, value in own.items() if getattr(value, "__module__", None) == module.__name__
            and callable(value) and not name.startswith("T")]  # fmt: skip


@pytest.mark.parametrize("module", ["torch.cuda", *(f"torch.cuda.{name}" for name in SUBMODULES)])
def test_every_name_has_a_row(module: str) -> None:
    names = public(importlib.import_module(module))
    assert [name for name in names if f"{module}.{name}" not in ROWS] == []


def test_every_adapted_row_has_a_function() -> None:
    adapted = {name for name, row in ROWS.items() if row.status == "adapted"}
    assert adapted - registry.registered() == set()


def test_every_function_has_a_row() -> None:
    known = {row.cuda for row in cudamap.all_names()}
    assert {
        name for name in registry.registered() if name.startswith(("torch.cuda.", "torch._C."))
    } - known == set()


def test_names_of_the_chip_are_there() -> None:
    """Rows say what the adapter calls the same; only those that make no patch are never looked up otherwise."""
    named = {row.ascend for row in ROWS.values() if row.ascend.startswith(("torch.npu.", "torch_npu."))}
    missing = []
    for name in sorted(named):
        try:
            registry.resolve(name)
        except AttributeError:
            missing.append(name)
    assert missing == []


def test_leaving_puts_everything_back() -> None:
    def state() -> dict[str, object]:
        return {f"{module.__name__}.{name}": value
                for module in (torch.cuda, torch._C, torch.cuda.memory, torch.cuda.graphs, torch.cuda.streams)
                for name, value in vars(module).items() if not name.startswith("__")}  # fmt: skip

    import jumar

    with jumar.cuda():
        torch.zeros(1, device="cuda")
    before = state()
    with jumar.cuda():
        assert state() != before
        assert torch.cuda.is_available()
    after = state()
    assert after.keys() == before.keys()
    assert [name for name in before if before[name] is not after[name]] == []
    assert not torch.cuda.is_available()
    assert not hasattr(torch._C, "_cuda_getDeviceCount")


def test_classes_stay_the_same_when_the_face_is_turned_on_again() -> None:
    import jumar

    with jumar.cuda():
        first = (torch.cuda.Stream, torch.cuda.Event, torch.cuda.CUDAGraph, torch.cuda.FloatTensor)
    with jumar.cuda():
        assert (torch.cuda.Stream, torch.cuda.Event, torch.cuda.CUDAGraph, torch.cuda.FloatTensor) == first
        assert torch.cuda.streams.Stream is torch.cuda.Stream
        assert torch.cuda.memory.MemPool is torch.cuda.MemPool
