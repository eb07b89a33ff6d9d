"""What a program leaves in its trace, and that its own timing code reads the virtual clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ranks import finish, start

from jumar.runs import collecting, directory
from jumar.runs.format import Exchange, Phase, Run, Type

pytestmark = pytest.mark.virtual_only

TRAINING = """
from torch import nn
model = nn.Sequential(nn.Linear(512, 1024), nn.GELU(), nn.Linear(1024, 512)).to(DEVICE)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
start, end = (torch.npu.Event(enable_timing=True) for _ in range(2))
for step in range(3):
    x = torch.randn(256, 512).to(DEVICE)
    start.record()
    y = model(x)
    loss = y.square().mean()
    loss.backward()
    optimizer.step()
    end.record()
    optimizer.zero_grad()
    torch.npu.synchronize()
    print(start.elapsed_time(end))
"""
LINE_OF = {text.strip(): number + 2 for number, text in enumerate(TRAINING.splitlines(), 1)}


def kept(machine: Any) -> Run:
    return collecting.collect(machine.directory, {})


def operators(run: Run, step: int = 1) -> list[tuple[str, str, str, str]]:
    """Of one step: operator, phase, module, line."""
    events = run.events
    rows = np.flatnonzero((events.type == Type.OPERATOR) & (events.step == step))
    return [
        (
            run.kinds[events.kind[row]].operator,
            Phase(events.phase[row]).name,
            run.names.get((0, "module", int(events.module[row])), ""),
            run.names.get((0, "line", int(events.line[row])), "").rpartition(":")[2],
        )
        for row in rows
    ]


@pytest.fixture(scope="module", params=["full", "dry"])
def training(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, new_machine: Callable[..., Any]
) -> tuple[Run, list[float]]:
    folder = tmp_path_factory.mktemp("trace") / "server"
    server = new_machine("virtual", folder, "910B2", 1, True, {"dry": int(request.param == "dry")})
    out = server.run(TRAINING).stdout
    return kept(server), [float(line) for line in out.split()]


def test_operators_belong_to_modules_lines_and_phases(training: tuple[Run, list[float]]) -> None:
    found = operators(training[0])
    forward, loss = str(LINE_OF["y = model(x)"]), str(LINE_OF["loss = y.square().mean()"])
    step = str(LINE_OF["optimizer.step()"])
    assert ("aclnnAddmm", "FORWARD", "Sequential.0", forward) in found
    assert ("aclnnGelu", "FORWARD", "Sequential.1", forward) in found
    assert ("aclnnMean", "FORWARD", "", loss) in found
    assert ("aclnnGeluBackward", "BACKWARD", "Sequential.1", forward) in found
    assert ("aclnnMm", "BACKWARD", "Sequential.2", forward) in found
    assert {phase for _, phase, _, line in found if line == step} == {"OPTIMIZER"}
    assert all(line for *_, line in found)


def test_the_clock_says_the_same_every_time(training: tuple[Run, list[float]]) -> None:
    _, elapsed = training
    assert all(time_ms > 0 for time_ms in elapsed)
    assert elapsed[1] == elapsed[2]


def test_kinds_bring_their_work(training: tuple[Run, list[float]]) -> None:
    run, _ = training
    assert all(kind.work is not None and kind.operator.startswith("aclnn") for kind in run.kinds)
    linear = next(kind for kind in run.kinds if kind.operator == "aclnnAddmm")
    assert linear.work is not None and linear.work.operations == 2 * 256 * 512 * 1024
    assert [operand["sizes"] for operand in linear.arguments[:3]] == [[1024], [256, 512], [512, 1024]]


def test_memory_is_told_block_by_block(training: tuple[Run, list[float]]) -> None:
    events = training[0].events
    given = events.bytes[events.type == Type.BLOCK_ALLOCATE]
    assert (given == 512 * 1024 * 4).sum() >= 2  # two weights
    assert given.sum() > events.bytes[events.type == Type.BLOCK_FREE].sum() > 0
    assert (events.type == Type.ALLOCATE).sum() >= 1
    assert (events.line[events.type == Type.BLOCK_ALLOCATE] >= 0).all()


def test_times_of_full_and_dry_are_the_same(machine: Callable[..., Any]) -> None:
    said = [machine(traced=True, dry=dry).run(TRAINING).stdout for dry in (0, 1)]
    assert said[0] == said[1]


def test_a_run_can_be_stored_and_read(training: tuple[Run, list[float]], tmp_path: Path) -> None:
    directory.write(tmp_path / "run", training[0])
    assert directory.same(directory.read(tmp_path / "run").events, training[0].events)


def test_a_long_program_is_cut_and_says_so(machine: Callable[..., Any]) -> None:
    server = machine(traced=True, trace_events=40)
    elapsed = [float(line) for line in server.run(TRAINING).stdout.split()]
    run = kept(server)
    assert len(run.events) == 40
    assert "the first 40 of" in run.facts["cut"][0]
    assert elapsed[1] == elapsed[2] > 0  # the clock goes on


def test_a_killed_program_leaves_what_it_did(machine: Callable[..., Any]) -> None:
    server = machine(traced=True, dry=1)
    program = server.start(TRAINING + "\nprint('there', flush=True)\nimport time\ntime.sleep(600)\n")
    for line in program.stdout:
        if line == "there\n":
            break
    program.send_signal(signal.SIGKILL)
    program.communicate()
    run = kept(server)
    assert (run.events.type == Type.STEP).sum() == 3
    assert all(kind.work is not None for kind in run.kinds)


def test_threads_of_python_do_not_hold_each_other_up(machine: Callable[..., Any]) -> None:
    """Each finds lines nobody has seen before, while the others hold Python's lock."""
    server = machine(traced=True)
    server.run(
        """
        import threading
        def work(number):
            for turn in range(30):
                space = {"torch": torch, "DEVICE": DEVICE}
                source = "\\n" * turn + "x = torch.ones(9, device=DEVICE) + 1; x.sum().item()"
                exec(compile(source, f"<{number}>", "exec"), space)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        """,
        timeout=240,
    )
    run = kept(server)
    lines = {text for (_, what, _), text in run.names.items() if what == "line"}
    assert {f"<{number}>:30" for number in range(6)} <= lines


def test_forked_workers_and_spawned_children(machine: Callable[..., Any]) -> None:
    server = machine(traced=True)
    server.run(
        """
        import multiprocessing, os, sys
        def child():
            import torch
            (torch.ones(3, device=DEVICE) + 1).sum().item()
        if __name__ == "__main__":
            class Squares(torch.utils.data.Dataset):
                def __len__(self): return 8
                def __getitem__(self, n): return torch.nn.Linear(2, 2)(torch.full((2,), float(n))).detach()
            for batch in torch.utils.data.DataLoader(Squares(), batch_size=4, num_workers=2):
                batch.to(DEVICE).sum().item()
            other = multiprocessing.get_context("spawn").Process(target=child)
            other.start(); other.join(); sys.exit(other.exitcode)
        """
    )
    run = kept(server)
    assert len(run.facts["processes"]) == 2
    assert run.facts["cut"] == []
    assert set(run.events.process[run.events.type == Type.OPERATOR]) == {0, 1}


RANKS = """
mine = torch.full((128,), float(RANK), device=DEVICE)
dist.all_reduce(mine)
parts = [torch.zeros(128, device=DEVICE) for _ in range(2)]
dist.all_gather(parts, mine)
dist.send(mine, 1) if RANK == 0 else dist.recv(mine, 0)
dist.barrier()
torch.npu.synchronize()
dist.destroy_process_group()
"""


def test_ranks_meet_in_the_same_collectives(machine: Callable[..., Any]) -> None:
    server = machine(devices=2, traced=True)
    finish(start(server, RANKS))
    run = kept(server)
    events = run.events
    assert [process["rank"] for process in run.facts["processes"]] == [0, 1]
    assert [process["chips"] for process in run.facts["processes"]] == [[0], [1]]

    def exchanges(process: int) -> list[tuple[int, ...]]:
        rows = (events.type == Type.COLLECTIVE) & (events.process == process)
        columns = (events.communicator, events.exchange, events.collective, events.bytes, events.ranks)
        return [tuple(map(int, row)) for row in zip(*(column[rows] for column in columns), strict=True)]

    both = [row for row in exchanges(0) if row[2] not in (Exchange.SEND, Exchange.RECEIVE)]
    assert both == [row for row in exchanges(1) if row[2] not in (Exchange.SEND, Exchange.RECEIVE)]
    assert {(Exchange.ALL_REDUCE, 512), (Exchange.ALL_GATHER, 1024)} <= {row[2:4] for row in both}
    assert any(row[2] == Exchange.SEND and row[3] == 512 for row in exchanges(0))
    assert any(row[2] == Exchange.RECEIVE and row[3] == 512 for row in exchanges(1))
    members = [text for (_, what, _), text in run.names.items() if what == "communicator"]
    assert members and all('"members": [0, 1]' in text for text in members)


def test_jumar_run_keeps_a_run_unless_told_not_to(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import torch\n(torch.ones(3, device='npu') + 1).sum().item()\n")
    outcomes = {}
    for name, words in {"kept": ["--host", "100"], "not": ["--no-trace"]}.items():
        out = tmp_path / name
        command = [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())"]
        command += ["run", "--face", "none", "--out", str(out), *words, str(program)]
        inside = {key: value for key, value in os.environ.items() if not key.startswith("JUMAR_")}
        subprocess.run(command, env=inside, check=True, capture_output=True, timeout=240, cwd=tmp_path)
        outcomes[name] = out
    run = directory.read(outcomes["kept"])
    assert run.facts["host"] == {"mode": "given", "call_s": pytest.approx(1e-4), "factor": 1.0}
    assert len(run.events) > 3
    assert not (outcomes["kept"] / "trace").exists()
    assert not (outcomes["not"] / "run.json").exists()


def test_reading_a_trace_waits_for_who_still_writes_it(tmp_path: Path) -> None:
    """A line that was cut off is left out; the lock of its writer is waited for."""
    script = """import fcntl, sys, time
f = open(sys.argv[1], "a")
fcntl.flock(f, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(0.5)
f.write('{"kind": 2}\\n{"ki')
"""
    path = tmp_path / "kinds-1.jsonl"
    path.write_text('{"kind": 1}\n')
    writer = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None and writer.stdout.readline() == b"locked\n"
    started = time.monotonic()
    assert [line["kind"] for line in collecting._lines(path, 30.0)] == [1, 2]
    assert time.monotonic() - started > 0.2
    writer.wait()
