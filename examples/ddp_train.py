"""Trains one model on several CUDA devices with DistributedDataParallel.

    torchrun --nproc-per-node 2 ddp_train.py --steps 40
"""

import argparse
import os

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def data_of(count):
    random = torch.Generator().manual_seed(3)
    x = torch.randn(count, 16, generator=random)
    return TensorDataset(x, (x * torch.linspace(-1, 1, 16)).sum(1, keepdim=True).tanh())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()

    dist.init_process_group(backend="nccl")
    rank, world, local = dist.get_rank(), dist.get_world_size(), int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(local)
    torch.manual_seed(rank)  # different weights, until DDP sends those of rank 0

    model = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 1)).cuda(local)
    model = DistributedDataParallel(model, device_ids=[local])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    dataset = data_of(args.steps * args.batch * world)
    sampler = DistributedSampler(dataset, shuffle=True, seed=5)
    loader = DataLoader(dataset, args.batch, sampler=sampler, pin_memory=True)
    sampler.set_epoch(0)
    for step, (x, y) in enumerate(loader):
        x, y = x.cuda(local, non_blocking=True), y.cuda(local, non_blocking=True)
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 0 or step == args.steps - 1:
            mean = loss.detach().clone()
            dist.all_reduce(mean, op=dist.ReduceOp.AVG)
            if rank == 0:
                print(f"step {step:4d}  loss {mean.item():.4f}", flush=True)

    mine = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    everyone = [torch.empty_like(mine) for _ in range(world)]
    dist.all_gather(everyone, mine)
    assert all(torch.equal(mine, other) for other in everyone), "the ranks have drifted apart"
    dist.barrier()
    if rank == 0:
        print(f"{world} ranks over {dist.get_backend()} have the same {mine.numel()} weights")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
