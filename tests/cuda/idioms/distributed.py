"""Collectives in one process: the group of one that programs are tried out with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import nn

from idioms import idiom, raised


@contextmanager
def group(backend: str | None = "nccl", **options: object) -> Iterator[None]:
    """A process group of this process alone."""
    torch.cuda.set_device(0)
    with tempfile.TemporaryDirectory() as directory:
        dist.init_process_group(
            backend, init_method=f"file://{directory}/store", rank=0, world_size=1, **options
        )
        try:
            yield
        finally:
            dist.destroy_process_group()


@idiom("`init_process_group('nccl')`, `get_backend()`", "deepspeedai/DeepSpeed#7312", ("nccl", True, 0, 1))
def backend() -> object:
    with group():
        return (
            dist.get_backend(),
            dist.get_backend() == dist.Backend.NCCL,
            dist.get_rank(),
            dist.get_world_size(),
        )


@idiom("`dist.is_nccl_available()`, `dist.Backend.NCCL`", "candle-org/candle#252", (True, "nccl", True))
def available() -> object:
    return dist.is_nccl_available(), dist.Backend.NCCL, dist.is_backend_available("nccl")


@idiom(
    "`all_reduce`, `broadcast`, `all_gather`, `barrier`",
    "pytorch/examples/distributed/ddp/main.py",
    ([1.0, 1.0], [1.0, 1.0], True),
)
def collectives() -> object:
    with group():
        x = torch.ones(2, device="cuda")
        dist.all_reduce(x, op=dist.ReduceOp.AVG)
        dist.broadcast(x, src=0)
        parts = [torch.zeros(2, device="cuda")]
        dist.all_gather(parts, x)
        dist.barrier(device_ids=[0])
        return x.tolist(), parts[0].tolist(), parts[0].is_cuda


@idiom(
    "`all_gather_into_tensor`, `reduce_scatter_tensor`, `async_op=True`",
    "pytorch/pytorch/torch/distributed/fsdp/_fully_shard/_fsdp_collectives.py",
    ([1.0, 1.0], [1.0, 1.0]),
)
def flat_collectives() -> object:
    with group():
        x, gathered, scattered = torch.ones(2).cuda(), torch.zeros(2).cuda(), torch.zeros(2).cuda()
        dist.all_gather_into_tensor(gathered, x, async_op=True).wait()
        dist.reduce_scatter_tensor(scattered, x, async_op=True).wait()
        return gathered.tolist(), scattered.tolist()


@idiom(
    "`DistributedDataParallel(model, device_ids=[0], output_device=0)`",
    "pytorch/examples/imagenet/main.py",
    ((3, 2), "cuda:0", True),
)
def data_parallel_of_one() -> object:
    with group():
        model = nn.parallel.DistributedDataParallel(nn.Linear(4, 2).cuda(), device_ids=[0], output_device=0)
        y = model(torch.ones(3, 4, device="cuda"))
        y.sum().backward()
        return tuple(y.shape), str(y.device), model.module.weight.grad is not None


@idiom(
    "`all_gather_object`, `broadcast_object_list`",
    "facebookresearch/detectron2/detectron2/utils/comm.py",
    ([{"a": 1}], ["b"]),
)
def objects() -> object:
    with group():
        gathered, sent = [None], ["b"]
        dist.all_gather_object(gathered, {"a": 1})
        dist.broadcast_object_list(sent, src=0, device=torch.device("cuda"))
        return gathered, sent


@idiom(
    "a CPU tensor in a group of nccl",
    "pytorch/pytorch/torch/distributed/distributed_c10d.py",
    "No backend type associated with device type cpu",
)
def tensor_of_the_cpu() -> object:
    with group():
        return raised(lambda: dist.all_reduce(torch.ones(1)))


@idiom(
    "`init_process_group('cpu:gloo,cuda:nccl')`",
    "pytorch/torchtitan/torchtitan/distributed/utils.py",
    ([1.0], [1.0], True),
)
def two_backends() -> object:
    with group("cpu:gloo,cuda:nccl"):
        x, y = torch.ones(1, device="cuda"), torch.ones(1)
        dist.all_reduce(x)
        dist.all_reduce(y)
        return x.tolist(), y.tolist(), "nccl" in dist.get_backend_config()


@idiom(
    "`init_process_group()` with `device_id=torch.device('cuda:0')`",
    "pytorch/pytorch/torch/distributed/distributed_c10d.py",
    ("nccl", [2.0]),
)
def bound_to_a_device() -> object:
    with group(device_id=torch.device("cuda:0")):
        x = torch.ones(1, device="cuda") * 2
        dist.all_reduce(x)
        return dist.get_backend(), x.tolist()


@idiom(
    "`dist.new_group(backend='nccl')` and of gloo",
    "NVIDIA/Megatron-LM/megatron/core/parallel_state.py",
    ("nccl", "gloo"),
)
def more_groups() -> object:
    with group():
        first, second = dist.new_group([0], backend="nccl"), dist.new_group([0], backend="gloo")
        return dist.get_backend(first), dist.get_backend(second)


@idiom(
    "`dist.ProcessGroupNCCL.Options()`",
    "NVIDIA/Megatron-LM/megatron/core/parallel_state.py",
    (True, "nccl", True),
)
def nccl_options() -> object:
    options = dist.ProcessGroupNCCL.Options()
    options.is_high_priority_stream = True
    with group(pg_options=options):
        found = dist.distributed_c10d._get_default_group()._get_backend(torch.device("cuda"))
        return options.is_high_priority_stream, found.name(), isinstance(found, dist.ProcessGroupNCCL)


@idiom("`torch.cuda.nccl.version()`", "pytorch/pytorch/torch/cuda/nccl.py", (True, True))
def nccl_version() -> object:
    version = torch.cuda.nccl.version()
    return isinstance(version, tuple), version >= (2, 10)


@idiom(
    "`init_device_mesh('cuda', (1,))`",
    "pytorch/torchtitan/torchtitan/distributed/parallel_dims.py",
    ("cuda", 1, "nccl"),
)
def device_mesh() -> object:
    with group():
        mesh = dist.device_mesh.init_device_mesh("cuda", (1,), mesh_dim_names=("data",))
        return mesh.device_type, mesh.size(), dist.get_backend(mesh["data"].get_group())


@idiom(
    "`distribute_tensor(x, mesh, [Shard(0)])`",
    "pytorch/pytorch/torch/distributed/tensor/_api.py",
    ("cuda:0", [0.0, 1.0], "cuda"),
)
def distributed_tensor() -> object:
    from torch.distributed.tensor import Shard, distribute_tensor

    with group():
        mesh = dist.device_mesh.init_device_mesh("cuda", (1,))
        x = distribute_tensor(torch.arange(2.0), mesh, [Shard(0)])
        return str(x.to_local().device), x.full_tensor().tolist(), x.device.type


@idiom(
    "`fully_shard(model)`",
    "pytorch/torchtitan/torchtitan/models/llama3/infra/parallelize.py",
    ("cuda", (3, 2), True),
)
def sharded() -> object:
    from torch.distributed.fsdp import fully_shard

    with group():
        model = nn.Linear(4, 2).cuda()
        fully_shard(model)
        y = model(torch.ones(3, 4, device="cuda"))
        y.sum().backward()
        return model.weight.device.type, tuple(y.shape), model.weight.grad is not None


@idiom(
    "`FSDP(model, device_id=torch.cuda.current_device())`",
    "meta-llama/llama-recipes/src/llama_recipes/finetuning.py",
    ("cuda:0", True),
)
def fully_sharded() -> object:
    from torch.distributed.fsdp import FullyShardedDataParallel

    with group():
        model = FullyShardedDataParallel(nn.Linear(4, 2), device_id=torch.cuda.current_device())
        y = model(torch.ones(3, 4, device="cuda"))
        y.sum().backward()
        return str(y.device), all(p.is_cuda for p in model.parameters())
