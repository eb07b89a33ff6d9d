"""Two processes started by torchrun, a GPU each."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch import nn

from idioms import idiom
from idioms.processes import TWO_RANKS, join


@idiom(
    "`torch.cuda.set_device(int(os.environ['LOCAL_RANK']))`",
    "pytorch/examples/distributed/ddp-tutorial-series/multigpu_torchrun.py",
    (True, True, 2, "nccl"),
    TWO_RANKS,
)
def local_rank() -> object:
    rank = join()
    x = torch.ones(1, device="cuda")
    return (
        torch.cuda.current_device() == rank,
        x.device.index == rank,
        dist.get_world_size(),
        dist.get_backend(),
    )


@idiom("`all_reduce` of two ranks", "vllm-project/vllm-ascend#541", ([3.0, 3.0], True), TWO_RANKS)
def sum_of_ranks() -> object:
    x = torch.full((2,), join() + 1.0, device="cuda")
    dist.all_reduce(x)
    y = x.clone()
    dist.all_reduce(y, op=dist.ReduceOp.MAX)
    return x.tolist(), torch.equal(x, y)


@idiom(
    "`broadcast` and `all_gather` of two ranks",
    "pytorch/tutorials/intermediate_source/dist_tuto.rst",
    ([7.0], [[0.0], [1.0]]),
    TWO_RANKS,
)
def gathered_of_ranks() -> object:
    rank = join()
    x = torch.tensor([7.0 if rank == 0 else 0.0], device="cuda")
    dist.broadcast(x, src=0)
    parts = [torch.zeros(1, device="cuda") for _ in range(2)]
    dist.all_gather(parts, torch.tensor([float(rank)], device="cuda"))
    return x.tolist(), [part.tolist() for part in parts]


@idiom(
    "gradients are averaged by `DistributedDataParallel`",
    "karpathy/nanoGPT/train.py",
    ([1.5], True),
    TWO_RANKS,
)
def averaged_gradients() -> object:
    rank = join()
    model = nn.Linear(1, 1, bias=False).to(rank)
    model = nn.parallel.DistributedDataParallel(model, device_ids=[rank])
    model(torch.full((1, 1), rank + 1.0, device=f"cuda:{rank}")).sum().backward()
    return model.module.weight.grad[0].tolist(), next(model.parameters()).device.index == rank


@idiom(
    "`all_gather_object` of two ranks",
    "huggingface/accelerate/src/accelerate/utils/operations.py",
    ["cuda:0", "cuda:1"],
    TWO_RANKS,
)
def objects_of_ranks() -> object:
    join()
    found: list[object] = [None, None]
    dist.all_gather_object(found, str(torch.zeros(1, device="cuda").device))
    return found


@idiom("`dist.send` and `dist.recv`", "pytorch/tutorials/intermediate_source/dist_tuto.rst", [5.0], TWO_RANKS)
def point_to_point() -> object:
    x = torch.tensor([5.0 if join() == 0 else 0.0], device="cuda")
    if dist.get_rank() == 0:
        dist.send(x, dst=1)
    else:
        dist.recv(x, src=0)
    return x.tolist()


@idiom(
    "`os.environ['RANK']`, `WORLD_SIZE`, `barrier()`",
    "facebookresearch/detr/util/misc.py",
    (True, "2", None),
    TWO_RANKS,
)
def rank_variables() -> object:
    rank = join()
    torch.cuda.synchronize()
    return int(os.environ["RANK"]) == rank, os.environ["WORLD_SIZE"], dist.barrier()


@idiom(
    "`map_location=f'cuda:{rank}'`", "pytorch/tutorials/intermediate_source/ddp_tutorial.rst", True, TWO_RANKS
)
def checkpoint_of_rank() -> object:
    import io

    rank, file = join(), io.BytesIO()
    torch.save(torch.ones(1, device="cuda:0"), file)
    file.seek(0)
    return torch.load(file, map_location=f"cuda:{rank}").device.index == rank


@idiom(
    "`fully_shard(model)` on two ranks",
    "pytorch/torchtitan/torchtitan/models/llama3/infra/parallelize.py",
    ((1, 4), [1.5] * 4),
    TWO_RANKS,
)
def sharded_on_ranks() -> object:
    from torch.distributed.fsdp import fully_shard

    rank = join()
    model = nn.Linear(4, 2, bias=False).cuda()
    fully_shard(model)
    model(torch.full((1, 4), rank + 1.0, device="cuda")).sum().backward()
    return tuple(model.weight.to_local().shape), model.weight.grad.to_local()[0].tolist()
