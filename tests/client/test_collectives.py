"""Two ranks, each a process with a chip of its own: every collective against gloo's answer, models against one
process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ranks import finish, start

COLLECTIVES = """
gloo = dist.new_group(backend="gloo")
FLOATS = [torch.float32, torch.float16, torch.bfloat16]
INTEGERS = [torch.int8, torch.int32, torch.int64]
checked = 0

def data(shape, dtype, seed):
    generator = torch.Generator().manual_seed(1000 * seed + RANK)
    return torch.randint(1, 5, shape, generator=generator).to(dtype)

def check(what, call):
    # The same call on the chip and on the CPU must leave the same in every tensor it is given.
    global checked
    for dtype in FLOATS + INTEGERS:
        checked += 1
        mine, theirs = [], []
        call(lambda *shape: mine.append(data(shape, dtype, len(mine)).to(DEVICE)) or mine[-1], None)
        call(lambda *shape: theirs.append(data(shape, dtype, len(theirs))) or theirs[-1], gloo)
        for a, b in zip(mine, theirs, strict=True):
            assert torch.equal(a.cpu(), b), (what, dtype, a, b)

for op in ("SUM", "PRODUCT", "MAX", "MIN"):
    reduction = getattr(dist.ReduceOp, op)
    check("all_reduce", lambda t, g: dist.all_reduce(t(7, 3), reduction, group=g))
    check("reduce", lambda t, g: RANK == 1 and dist.reduce(t(5), 1, reduction, group=g) or
          RANK == 0 and dist.reduce(data((5,), torch.float32, 0).to(t(5).dtype).to(t(1).device), 1, reduction, group=g))
for root in range(WORLD):
    check("broadcast", lambda t, g: dist.broadcast(t(2, 3), root, group=g))
    check("scatter", lambda t, g: dist.scatter(t(3), [t(3) for _ in range(WORLD)] if RANK == root else None, root,
                                               group=g))
check("all_gather", lambda t, g: dist.all_gather([t(2, 2) for _ in range(WORLD)], t(2, 2), group=g))
check("all_gather_into_tensor", lambda t, g: dist.all_gather_into_tensor(t(2 * WORLD, 2), t(2, 2), group=g))
check("reduce_scatter", lambda t, g: dist.reduce_scatter(t(3), [t(3) for _ in range(WORLD)], group=g))
check("reduce_scatter_tensor", lambda t, g: dist.reduce_scatter_tensor(t(4), t(4 * WORLD), group=g))
check("all_to_all_single", lambda t, g: dist.all_to_all_single(t(2 * WORLD), t(2 * WORLD), group=g))
splits = [[1, 2], [3, 1]]  # rank r sends splits[r][other]
check("all_to_all_single uneven", lambda t, g: dist.all_to_all_single(
    t(sum(row[RANK] for row in splits)), t(sum(splits[RANK])), [row[RANK] for row in splits], splits[RANK], group=g))

def exchange(t, g):
    other = 1 - RANK
    out, back = t(4), t(4)
    if RANK == 0:
        dist.send(out, other, group=g)
        dist.recv(back, other, group=g)
    else:
        dist.recv(back, other, group=g)
        dist.send(out, other, group=g)
check("send, recv", exchange)

def batch(t, g):
    other = 1 - RANK
    ops = [dist.P2POp(dist.isend, t(4), other, group=g), dist.P2POp(dist.irecv, t(4), other, group=g)]
    for work in dist.batch_isend_irecv(ops):
        work.wait()
check("batch_isend_irecv", batch)

# What gloo lacks, or the adapter does in another way.
mean = torch.full((3,), float(RANK), device=DEVICE)
if DEVICE.type != "cpu":
    dist.all_reduce(mean, dist.ReduceOp.AVG)
    assert mean.tolist() == [0.5] * 3
flags = torch.tensor([RANK == 0, False], device=DEVICE)
if DEVICE.type != "cpu":
    dist.all_reduce(flags)
    assert flags.tolist() == [True, False]
gathered = [torch.zeros(2, device=DEVICE) for _ in range(WORLD)] if RANK == 0 else None
dist.gather(torch.full((2,), float(RANK), device=DEVICE), gathered)
assert RANK or torch.stack(gathered).tolist() == [[0, 0], [1, 1]]
objects = [None] * WORLD
dist.all_gather_object(objects, {"rank": RANK})
assert objects == [{"rank": 0}, {"rank": 1}]
dist.barrier()

# Many in flight, large and small, behind work on other streams.
total = torch.zeros(300_001, device=DEVICE)
works = []
for step in range(20):
    part = torch.full((300_001 if step % 2 else 5,), float(step + RANK), device=DEVICE)
    works.append((part, dist.all_reduce(part, async_op=True)))
for part, work in works:
    work.wait()
    total[: len(part)] += part
assert total[0].item() == sum(2 * step + 1 for step in range(20)) and total[-1].item() == 210
print("checked", checked)
dist.destroy_process_group()
"""


def test_every_collective_gives_gloos_answer(machine: Callable[..., Any]) -> None:
    said = finish(start(machine(devices=2), COLLECTIVES))
    assert all(int(text.split()[-1]) > 100 for text in said)


TRAINING = """
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(32), nn.MultiheadAttention(32, 4, batch_first=True)
        self.more = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32))

    def forward(self, x):
        y = self.norm(x)
        mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device), 1)
        x = x + self.attention(y, y, y, attn_mask=mask, need_weights=False)[0]
        return x + self.more(x)

torch.manual_seed(0)
net = nn.Sequential(nn.Embedding(50, 32), Block(), Block(), nn.Linear(32, 50)).to(DEVICE)
tokens = torch.randint(0, 50, (1, 8, 17), generator=torch.Generator().manual_seed(1)).expand(6, 8, 17)

def train(net, rows):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.5)
    losses = []
    for batch in tokens[:, rows].to(DEVICE):
        loss = nn.functional.cross_entropy(net(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        shared = loss.detach().clone()
        if WORLD > 1:
            dist.all_reduce(shared)
        losses.append(shared.item() / WORLD)
    return losses

half = slice(None) if WORLD == 1 else slice(4 * RANK, 4 * RANK + 4)
"""
ALONE = TRAINING + "print(*train(net, half))\ndist.destroy_process_group()\n"
DDP = (
    TRAINING
    + """
ids = None if DEVICE.type == "cpu" else [RANK]
net = nn.parallel.DistributedDataParallel(net, device_ids=ids, bucket_cap_mb=0.02)
print(*train(net, half))
dist.destroy_process_group()
"""
)
FULLY_SHARDED = (
    TRAINING
    + """
from torch.distributed.fsdp import fully_shard
for block in net[1:3]:
    fully_shard(block)
fully_shard(net)
print(*train(net, half))
dist.destroy_process_group()
"""
)


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def test_models_learn_as_one_process_does(machine: Callable[..., Any]) -> None:
    (alone,) = finish(start(machine(devices=1), ALONE, ranks=1))
    for source in (DDP, FULLY_SHARDED):
        first, second = finish(start(machine(devices=2), source))
        assert first == second
        assert numbers(first) == pytest.approx(numbers(alone), rel=1e-5)
    assert numbers(alone)[-1] < numbers(alone)[0]
