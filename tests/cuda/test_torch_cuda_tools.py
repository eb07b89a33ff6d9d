"""torch.cuda's submodules: the run time, NVTX, tuning, kernels as text, storage, and chips working together."""

from __future__ import annotations

import ctypes
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.cuda.comm
import torch_npu  # noqa: F401  without the face, the chip is npu

pytestmark = pytest.mark.usefixtures("face_for_module")

KERNEL = "template <typename T> T twice(T x) { return x + x; }"


@pytest.fixture
def x() -> torch.Tensor:
    return torch.arange(8.0, device="cuda").view(4, 2)


def test_cudart() -> None:
    runtime = torch.cuda.cudart()
    assert runtime.cudaProfilerStart() == runtime.cudaError.success
    assert runtime.cudaProfilerStop() == 0
    assert runtime.cudaDeviceSynchronize() == runtime.cudaError.success
    assert runtime.cudaGetErrorString(runtime.cudaError(0)) == "no error"
    assert str(runtime.cudaError.success) == "cudaError.success"
    assert int(runtime.cudaError(700)) == 700


def test_host_memory_is_registered() -> None:
    runtime, host = torch.cuda.cudart(), torch.zeros(1 << 20)
    assert runtime.cudaHostRegister(host.data_ptr(), host.nbytes, 0) == runtime.cudaError.success
    assert runtime.cudaHostUnregister(host.data_ptr()) == runtime.cudaError.success


def test_streams_made_by_the_run_time() -> None:
    runtime, handle = torch.cuda.cudart(), ctypes.c_void_p()
    assert runtime.cudaStreamCreate(ctypes.addressof(handle)) == runtime.cudaError.success
    stream = torch.cuda.ExternalStream(handle.value)
    with torch.cuda.stream(stream):
        made = torch.ones(2, device="cuda") + 1
    stream.synchronize()
    assert made.tolist() == [2, 2]
    assert runtime.cudaStreamDestroy(handle.value) == runtime.cudaError.success
    assert runtime.cudaStreamDestroy(handle.value) == 400


def test_nvtx_nests() -> None:
    nvtx = torch.cuda.nvtx
    assert (
        nvtx.range_push("a"),
        nvtx.range_push("b"),
        nvtx.range_pop(),
        nvtx.range_pop(),
        nvtx.range_pop(),
    ) == (0, 1, 1, 0, -1)
    with nvtx.range("step {}", 3):
        nvtx.mark("here")
    nvtx.range_end(nvtx.range_start("c"))


def test_profiler() -> None:
    with torch.cuda.profiler.profile():
        torch.cuda.profiler.start()
        torch.cuda.profiler.stop()


def test_tuning_is_remembered() -> None:
    tunable = torch.cuda.tunable
    assert tunable.is_enabled() is False
    tunable.enable(True)
    tunable.set_filename("results.csv")
    tunable.set_max_tuning_iterations(7)
    assert (tunable.is_enabled(), tunable.get_filename(), tunable.get_max_tuning_iterations()) == (
        True,
        "results.csv",
        7,
    )
    assert (tunable.get_results(), tunable.get_validators(), tunable.read_file("none")) == ((), (), False)
    tunable.enable(False)


def test_kernels_as_text_are_refused_by_name(x: torch.Tensor) -> None:
    twice = torch.cuda.jiterator._create_jit_fn(KERNEL)
    with pytest.raises(NotImplementedError, match="kernel twice is CUDA C"):
        twice(x)
    with pytest.raises(NotImplementedError, match="kernel add is CUDA C"):
        torch.cuda._compile_kernel("__global__ void add() {}", "add")


def test_direct_storage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="GPUDirect Storage"):
        torch.cuda.gds.gds_register_buffer(torch.empty(4, device="cuda").untyped_storage())


def test_nccl_version() -> None:
    assert torch.cuda.nccl.version() == (2, 27, 5)


@pytest.mark.parametrize(("op", "expected"), [(0, 3.0), (1, 2.0), (2, 2.0), (3, 1.0)])
def test_nccl_in_one_process(op: int, expected: float) -> None:
    parts = [torch.ones(3, device="cuda:0"), torch.full((3,), 2.0, device="cuda:1")]
    assert torch.cuda.nccl.is_available(parts)
    torch.cuda.nccl.all_reduce(parts, op=op)
    assert [part.tolist() for part in parts] == [[expected] * 3] * 2


def test_more_of_nccl() -> None:
    nccl = torch.cuda.nccl
    parts = [torch.zeros(2, device="cuda:0"), torch.ones(2, device="cuda:1")]
    gathered = [torch.empty(4, device=f"cuda:{chip}") for chip in range(2)]
    nccl.all_gather(parts, gathered)
    assert gathered[1].tolist() == [0, 0, 1, 1]
    scattered = [torch.empty(2, device=f"cuda:{chip}") for chip in range(2)]
    nccl.reduce_scatter(gathered, scattered)
    assert [part.tolist() for part in scattered] == [[0, 0], [2, 2]]
    nccl.broadcast(parts, root=1)
    assert parts[0].tolist() == [1, 1]
    nccl.reduce(parts, parts[0])
    assert parts[0].tolist() == [2, 2]
    with pytest.raises(NotImplementedError, match="init_process_group"):
        nccl.unique_id()


def test_comm(x: torch.Tensor) -> None:
    comm = torch.cuda.comm
    copies = comm.broadcast(x, [0, 1])
    assert [str(copy.device) for copy in copies] == ["cuda:0", "cuda:1"]
    assert copies[0].data_ptr() == x.data_ptr()
    assert torch.equal(comm.reduce_add(copies, 1).cpu(), 2 * x.cpu())
    pieces = comm.scatter(x, [0, 1], chunk_sizes=[3, 1])
    assert [piece.shape[0] for piece in pieces] == [3, 1]
    assert torch.equal(comm.gather(pieces), x)
    assert comm.gather(pieces, destination="cpu").device.type == "cpu"
    rows = comm.broadcast_coalesced([x, x + 1], [0, 1])
    assert [[str(one.device) for one in row] for row in rows] == [["cuda:0"] * 2, ["cuda:1"] * 2]
    assert torch.equal(comm.reduce_add_coalesced([[x], [x.to("cuda:1")]])[0], 2 * x)


@pytest.mark.parametrize("_", range(20))  # two queues of the adapter race for the same events
def test_data_parallel(x: torch.Tensor, _: int) -> None:
    layer = torch.nn.Linear(2, 3, device="cuda")
    parallel = torch.nn.DataParallel(layer)
    made = parallel(x)
    assert torch.allclose(made, layer(x))
    made.sum().backward()
    assert torch.allclose(layer.weight.grad, x.sum(0).expand(3, 2))


def test_sparse_types() -> None:
    made = torch.cuda.sparse.FloatTensor(torch.tensor([[0, 1]]), torch.tensor([1.0, 2.0]), (3,))
    assert isinstance(made, torch.cuda.sparse.FloatTensor)
    assert not isinstance(made, torch.cuda.FloatTensor)
    assert made.to_dense().tolist() == [1, 2, 0]


def test_default_tensor_type() -> None:
    with warnings.catch_warnings(action="ignore"):
        torch.set_default_tensor_type("torch.cuda.HalfTensor")
        try:
            made = torch.zeros(2)
        finally:
            torch.set_default_tensor_type(torch.FloatTensor)
    assert (made.dtype, str(made.device)) == (torch.float16, "cuda:0")
    assert torch.zeros(1).device.type == "cpu"


def test_events_of_either_class() -> None:
    stream, plain = torch.cuda.Stream(), torch.Stream("cuda")
    event, plain_event = torch.cuda.Event(), torch.Event("cuda")
    assert repr(event) == "<torch.cuda.Event uninitialized>"
    event.record(plain)
    plain_event.record(stream)
    stream.wait_event(plain_event)
    stream.wait_stream(plain)
    event.wait(plain)
    event.synchronize()
    assert event.query()
    assert stream.priority_range() == (0, -3)
    for first, last, why in (
        (event, event, "enable_timing"),
        (*[torch.cuda.Event(enable_timing=True)] * 2, "recorded"),
    ):
        with pytest.raises(ValueError, match=why):
            first.elapsed_time(last)


def test_streams_compare_and_hash() -> None:
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        assert torch.cuda.current_stream() == stream
        assert hash(torch.cuda.current_stream()) == hash(stream)
        assert torch.cuda.current_stream() != torch.cuda.default_stream()
    assert stream.__cuda_stream__() == (0, stream.cuda_stream)
    torch.ones(1, device="cuda").record_stream(stream)


def test_snapshots(tmp_path: Path) -> None:
    memory: Any = torch.cuda.memory
    memory._record_memory_history(max_entries=1000)
    kept = torch.zeros(1 << 20, device="cuda")
    memory._dump_snapshot(str(tmp_path / "snapshot.pickle"))
    memory._record_memory_history(enabled=None)
    found = pickle.loads((tmp_path / "snapshot.pickle").read_bytes())
    assert set(found) >= {"segments", "device_traces", "allocator_settings", "external_annotations"}
    blocks = [block for segment in found["segments"] for block in segment["blocks"]]
    assert kept.data_ptr() in {block["address"] for block in blocks}
    assert any(entry["action"] == "alloc" and entry["frames"] for entry in found["device_traces"][0])
    assert "<html" in torch.cuda._memory_viz.trace_plot(found).lower()


def test_autocast_and_scaler(x: torch.Tensor) -> None:
    layer = torch.nn.Linear(2, 2, device="cuda")
    with warnings.catch_warnings(action="ignore"):
        scaler = torch.cuda.amp.GradScaler()
        with torch.cuda.amp.autocast():
            made = layer(x)
    assert made.dtype == torch.float16
    assert scaler.is_enabled()
    assert scaler.scale(made.sum()).item() != 0


def test_views_go_between_chips(x: torch.Tensor) -> None:
    host = x.cpu()
    for view in (x.t(), x[:, :1], x[::2], x[0].expand(3, 2)):
        assert torch.equal(view.to("cuda:1").cpu(), view.cpu())
    there = torch.zeros(2, 4, device="cuda:1")
    there.t().copy_(x)
    assert torch.equal(there.t().cpu(), host)
    assert torch.equal(x.to("cuda:1", torch.float16).cpu(), host.half())
