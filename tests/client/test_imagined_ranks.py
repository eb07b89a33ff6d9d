"""One rank of a job whose other ranks are imagined: nobody is waited for, exchanges are recorded with all their ranks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jumar.runs import directory
from jumar.runs.format import Exchange, Type
from jumar.runs.tracks import stride_of

pytestmark = pytest.mark.virtual_only

JUMAR = str(Path(sys.executable).with_name("jumar"))

PROGRAM = """
import torch, torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("nccl")
torch.cuda.set_device(0)
rank, ranks = dist.get_rank(), dist.get_world_size()
tensor, data = dist.new_group([4, 5, 6, 7]), dist.new_group([1, 5])
x = torch.full((4,), 3.0, device="cuda")
dist.all_reduce(x)
gathered = torch.empty(ranks * 4, device="cuda")
dist.all_gather_into_tensor(gathered, x)
part = torch.empty(1, device="cuda")
dist.reduce_scatter_tensor(part, torch.ones(4, device="cuda"), group=tensor)
across = torch.empty(8, device="cuda")
dist.all_to_all_single(across, torch.arange(8.0, device="cuda"), group=tensor)
objects = [None] * ranks
dist.all_gather_object(objects, {"rank": rank})
dist.send(x, 6)
dist.recv(x.clone(), 4)
dist.barrier()
model = DistributedDataParallel(nn.Linear(2048, 2048).cuda(), process_group=data)
model(torch.randn(64, 2048, device="cuda")).sum().backward()
print("said", rank, ranks, x.tolist(), gathered[-1].item(), part.item(), across.tolist(), objects[0])
dist.destroy_process_group()
"""


def test_collectives_go_on_without_the_others(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(PROGRAM)
    words = [JUMAR, "run", "--dry", "--ranks", "8", "--rank", "5", "--out", "out", "job.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    said = next(line for line in done.stdout.splitlines() if line.startswith("said"))
    assert said == (
        "said 5 8 [24.0, 24.0, 24.0, 24.0] 24.0 4.0 [2.0, 3.0, 2.0, 3.0, 2.0, 3.0, 2.0, 3.0] {'rank': 5}"
    )
    run = directory.read(tmp_path / "out")
    met = run.events.take(run.events.type == Type.COLLECTIVE)
    assert {8, 4, 2} == set(met.ranks.tolist())
    assert {Exchange.SEND, Exchange.RECEIVE, Exchange.ALL_TO_ALL} <= set(met.collective.tolist())
    strides = {int(n): stride_of(run, 0, int(c)) for c, n in zip(met.communicator, met.ranks, strict=True)}
    assert strides == {8: 1, 4: 1, 2: 4}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ranks", "8"], "add --dry"),
        (["--dry", "--ranks", "1"], "from 2 to 64"),
        (["--dry", "--ranks", "8", "--rank", "8"], "one of 0 to 7"),
        (["--dry", "--ranks", "8", "--devices", "2"], "leave out --devices"),
    ],
)
def test_what_cannot_be_imagined_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from jumar.cli import main

    assert main(["run", *words, "true"]) == 2
    assert said in capsys.readouterr().err
