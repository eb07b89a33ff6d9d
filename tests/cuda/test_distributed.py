"""torch.distributed as CUDA programs use it, with one rank: names, groups, collectives, wrappers of models."""

from __future__ import annotations

import datetime
import os
import socket
from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist

NOISE = [
    "ignore:.*barrier.. using the device under current context",
    "ignore:.*is deprecated:FutureWarning",
    "ignore:.*TypedStorage is deprecated",
]
pytestmark = [pytest.mark.needs_chip, *(pytest.mark.filterwarnings(one) for one in NOISE)]


def rendezvous() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK="0", WORLD_SIZE="1", LOCAL_RANK="0"
    )


@pytest.fixture(scope="module")
def group(face_for_module: None) -> Iterator[None]:
    rendezvous()
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl")
    yield
    dist.destroy_process_group()


def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4)).cuda()


def test_the_backend_is_nccl(group: None) -> None:
    from torch._C._distributed_c10d import ProcessGroupNCCL
    from torch.distributed.distributed_c10d import _get_default_group

    backend = dist.group.WORLD._get_backend(torch.device("cuda"))
    assert isinstance(backend, dist.ProcessGroupNCCL) and isinstance(backend, ProcessGroupNCCL)
    assert type(backend).__name__ == "ProcessGroupNCCL" and backend.name() == "nccl"
    assert dist.get_backend() == dist.Backend.NCCL == "nccl" and str(dist.get_backend_config()) == "cuda:nccl"
    assert dist.is_nccl_available() and dist.distributed_c10d._NCCL_AVAILABLE
    assert backend.options._timeout == datetime.timedelta(minutes=10)
    assert _get_default_group()._device_types == [torch.device("cuda")]
    assert "npu" not in dist.Backend.default_device_backend_map
    assert dist.get_default_backend_for_device("cuda") == "nccl"


def test_groups_with_options(group: None) -> None:
    options = dist.ProcessGroupNCCL.Options(is_high_priority_stream=True)
    options.config.min_ctas = 4
    minute = datetime.timedelta(seconds=60)
    made = dist.new_group([0], backend="nccl", pg_options=options, timeout=minute)
    ones = torch.ones(3, device="cuda")
    dist.all_reduce(ones, group=made)
    assert ones.tolist() == [1, 1, 1] and dist.get_backend(made) == "nccl"
    assert dist.get_backend(dist.new_group(backend="gloo")) == "gloo"
    with pytest.raises(ValueError, match="monitored_barrier is only implemented for GLOO"):
        dist.monitored_barrier(made)


@pytest.mark.parametrize(
    "op", [dist.ReduceOp.SUM, dist.ReduceOp.AVG, dist.ReduceOp.MAX, dist.ReduceOp.PRODUCT]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int32, torch.int64])
def test_all_reduce(group: None, op: dist.ReduceOp, dtype: torch.dtype) -> None:
    values = torch.arange(5, device="cuda", dtype=dtype)
    dist.all_reduce(values, op)
    if dtype.is_floating_point:
        dist.all_reduce(values, op, async_op=True).wait()
    assert values.tolist() == [0, 1, 2, 3, 4]


def test_collectives_of_tensors(group: None) -> None:
    values = torch.arange(4.0, device="cuda")
    for call in (dist.all_gather_into_tensor, dist.reduce_scatter_tensor, dist.all_to_all_single):
        out = torch.zeros(4, device="cuda")
        call(out, values)
        assert out.tolist() == [0, 1, 2, 3], call
    parts = [torch.zeros(4, device="cuda")]
    dist.all_gather(parts, values)
    dist.broadcast(values, 0)
    dist.reduce(values, 0)
    dist.barrier(device_ids=[0])
    assert parts[0].tolist() == values.tolist() == [0, 1, 2, 3]
    received = torch.zeros(4, device="cuda")
    pairs = [dist.P2POp(dist.isend, values, 0), dist.P2POp(dist.irecv, received, 0)]
    for work in dist.batch_isend_irecv(pairs):
        work.wait()
    assert received.tolist() == [0, 1, 2, 3]


def test_collectives_of_objects(group: None) -> None:
    gathered = [None]
    dist.all_gather_object(gathered, {"rank": 0})
    told = ["a", {"b": torch.ones(2, device="cuda")}]
    dist.broadcast_object_list(told, 0)
    assert gathered == [{"rank": 0}] and told[1]["b"].device == torch.device("cuda", 0)


def test_device_mesh_and_dtensor(group: None) -> None:
    from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    mesh = init_device_mesh("cuda", (1,), mesh_dim_names=("dp",))
    assert mesh.device_type == "cuda" and DeviceMesh("cuda", [0]).device_type == "cuda"
    values = distribute_tensor(torch.arange(8.0).reshape(4, 2), mesh, [Shard(0)])
    product = (values @ values.T.redistribute(mesh, [Replicate()])).full_tensor()
    assert values.device == values.to_local().device == torch.device("cuda", 0)
    assert product.cpu().equal(torch.arange(8.0).reshape(4, 2) @ torch.arange(8.0).reshape(4, 2).T)


@pytest.mark.parametrize("options", [{}, {"static_graph": True}, {"gradient_as_bucket_view": True}])
def test_ddp(group: None, options: dict[str, bool]) -> None:
    from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import bf16_compress_hook

    alone, wrapped = model(), torch.nn.parallel.DistributedDataParallel(model(), device_ids=[0], **options)
    wrapped.register_comm_hook(None, bf16_compress_hook)
    for net in (alone, wrapped):
        net(torch.ones(2, 8, device="cuda")).sum().backward()
    assert torch.allclose(wrapped.module[0].weight.grad, alone[0].weight.grad, rtol=1e-2)
    with wrapped.no_sync():
        wrapped(torch.ones(2, 8, device="cuda")).sum().backward()
    assert torch.allclose(wrapped.module[0].weight.grad, 2 * alone[0].weight.grad, rtol=1e-2)


def test_sync_batch_norm(group: None) -> None:
    net = torch.nn.SyncBatchNorm.convert_sync_batchnorm(torch.nn.BatchNorm1d(3)).cuda()
    out = torch.nn.parallel.DistributedDataParallel(net, device_ids=[0])(torch.randn(9, 3, device="cuda"))
    assert out.mean(0).abs().max() < 1e-5


def test_fully_sharded(group: None) -> None:
    from torch.distributed.fsdp import FullyShardedDataParallel, MixedPrecision, StateDictType

    net = FullyShardedDataParallel(
        model(),
        device_id=torch.cuda.current_device(),
        mixed_precision=MixedPrecision(param_dtype=torch.bfloat16),
    )
    net(torch.ones(3, 8, device="cuda")).float().square().mean().backward()
    net.clip_grad_norm_(1.0)
    with FullyShardedDataParallel.state_dict_type(net, StateDictType.FULL_STATE_DICT):
        assert net.state_dict()["0.weight"].shape == (16, 8)


def test_fully_shard_and_checkpoint(group: None, tmp_path: os.PathLike[str]) -> None:
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
    from torch.distributed.fsdp import fully_shard

    net = model()
    fully_shard(net[0])
    fully_shard(net)
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.ones(3, 8, device="cuda")).square().mean().backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    assert net[0].weight.device == torch.device("cuda", 0) and net[0].weight.device_mesh.device_type == "cuda"
    dcp.save({"model": net.state_dict()}, checkpoint_id=tmp_path)
    before = net[0].weight.full_tensor().cpu()
    with torch.no_grad():
        net[0].weight.zero_()
    dcp.load({"model": net.state_dict()}, checkpoint_id=tmp_path)
    assert net[0].weight.full_tensor().cpu().equal(before)
    whole = get_model_state_dict(net, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    assert whole["0.weight"].equal(before)


def test_zero_redundancy_optimizer(group: None) -> None:
    from torch.distributed.optim import ZeroRedundancyOptimizer

    net = torch.nn.parallel.DistributedDataParallel(model(), device_ids=[0])
    optimizer = ZeroRedundancyOptimizer(net.parameters(), torch.optim.Adam, lr=0.01)
    before = net.module[0].weight.detach().clone()
    net(torch.ones(6, 8, device="cuda")).sum().backward()
    optimizer.step()
    assert not net.module[0].weight.equal(before)
