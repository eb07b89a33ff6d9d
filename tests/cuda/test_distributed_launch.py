"""Unmodified CUDA programs on two chips: started by torchrun, and starting their ranks themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.needs_chip, pytest.mark.virtual_only]
SECONDS = 240
JUMAR = "import sys; from jumar.cli import main; sys.exit(main())"

TORCHRUN = """
import os
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

dist.init_process_group(backend="nccl")
rank, local_rank = dist.get_rank(), int(os.environ["LOCAL_RANK"])
torch.cuda.set_device(local_rank)
device = torch.device("cuda", local_rank)
torch.manual_seed(rank)
model = DDP(torch.nn.Linear(4, 1).to(device), device_ids=[local_rank], output_device=local_rank)
data = TensorDataset(torch.arange(64.0).reshape(16, 4) / 64, torch.ones(16, 1))
loader = DataLoader(data, batch_size=4, sampler=DistributedSampler(data, shuffle=False))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for x, y in loader:
        loss = torch.nn.functional.mse_loss(model(x.to(device)), y.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
weights = [torch.zeros_like(model.module.weight) for _ in range(dist.get_world_size())]
dist.all_gather(weights, model.module.weight.detach())
assert weights[0].equal(weights[1])
worst = loss.detach().clone()
dist.reduce(worst, 0, op=dist.ReduceOp.MAX)
dist.barrier()
print(f"rank {rank} on {weights[0].device} of {torch.cuda.device_count()}, {dist.get_backend()}", flush=True)
dist.destroy_process_group()
"""

SPAWN = """
import os
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

def work(rank, world_size):
    os.environ.update(MASTER_ADDR="localhost", MASTER_PORT=os.environ["PORT"])
    dist.init_process_group("nccl", rank=rank, world_size=world_size, device_id=torch.device(f"cuda:{rank}"))
    x = torch.full((3,), float(rank + 1)).cuda(rank)
    dist.all_reduce(x)
    print(f"rank {rank} on {x.device}: {x.tolist()}", flush=True)
    dist.destroy_process_group()

if __name__ == "__main__":
    mp.spawn(work, args=(torch.cuda.device_count(),), nprocs=torch.cuda.device_count())
"""


def lines(tmp_path: Path, source: str, *launcher: str) -> list[str]:
    """What the program says on two chips, sorted. Two ranks may write into one line."""
    (tmp_path / "program.py").write_text(source)
    words = [sys.executable, "-c", JUMAR, "run", "--devices", "2", "--out", str(tmp_path / "out")]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    environment = inherited | {"OMP_NUM_THREADS": "1", "PORT": str(20000 + os.getpid() % 20000)}
    done = subprocess.run(
        [*words, *launcher, str(tmp_path / "program.py")],
        env=environment, cwd=tmp_path, text=True, capture_output=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return sorted("rank " + said.strip() for said in done.stdout.split("rank ")[1:])


def test_torchrun(tmp_path: Path) -> None:
    said = lines(tmp_path, TORCHRUN, "torchrun", "--standalone", "--nproc_per_node", "2")
    assert said == ["rank 0 on cuda:0 of 2, nccl", "rank 1 on cuda:1 of 2, nccl"]


def test_spawn(tmp_path: Path) -> None:
    said = lines(tmp_path, SPAWN)
    assert said == ["rank 0 on cuda:0: [3.0, 3.0, 3.0]", "rank 1 on cuda:1: [3.0, 3.0, 3.0]"]
