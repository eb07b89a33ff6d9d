"""Several processes: DataLoader workers, processes that share a server, and one of them killed."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
import torch
from torch.utils.data import Dataset

GIB = 2**30


class Squares(Dataset):
    """Must lie at the top of a module: spawned workers import it."""

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.full((5,), float(index * index)), index


LOADER = """
import torch.utils.data
from test_processes import Squares

def main():
    print("chips", DEVICE == "cpu" or torch.ones(3, device=DEVICE).sum().item() == 3)
    loader = torch.utils.data.DataLoader(
        Squares(), batch_size=8, num_workers=2, multiprocessing_context="{context}", pin_memory=DEVICE != "cpu",
        persistent_workers=True, pin_memory_device="",
    )
    for epoch in range(2):
        total = sum(values.to(DEVICE, non_blocking=True).sum() for values, _ in loader)
        print(total.item())

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_data_loader(run_program: Callable, context: str) -> None:
    expected = str(5.0 * sum(index * index for index in range(40)))
    lines = run_program(LOADER.format(context=context)).stdout.split()
    assert lines == ["chips", "True", expected, expected]


@pytest.mark.needs_chip
def test_workers_cannot_use_a_chip_after_fork(run_program: Callable) -> None:
    """The adapter's own refusal, instead of a hang."""
    source = """
    import multiprocessing
    def work():
        try:
            torch.ones(3, device=DEVICE).sum().item()
        except RuntimeError as error:
            print("refused", "forked subprocess" in str(error), flush=True)
    torch.ones(3, device=DEVICE).sum().item()
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    print("parent", torch.ones(3, device=DEVICE).sum().item())
    """
    assert run_program(source).stdout.split() == ["refused", "True", "parent", "3.0"]


HOLDER = """
import sys
held = torch.ones({size}, dtype=torch.uint8, device=DEVICE)
torch.npu.synchronize()
print("holds", flush=True)
for line in sys.stdin:
    free, total = torch.npu.mem_get_info()
    print(free, torch.ones(5, device=DEVICE).sum().item(), flush=True)
"""


def ask(process: object) -> list[str]:
    process.stdin.write("?\n")
    process.stdin.flush()
    return process.stdout.readline().split()


@pytest.mark.virtual_only
def test_killing_one_process_leaves_the_other_working(machine: Callable) -> None:
    server = machine(memory_bytes=4 * GIB)
    survivor = server.start(HOLDER.format(size=256 << 20))
    victim = server.start(HOLDER.format(size=1 << 30))
    assert [process.stdout.readline() for process in (survivor, victim)] == ["holds\n"] * 2
    free, total = ask(survivor)
    assert GIB <= 4 * GIB - int(free) - (256 << 20) < 1.2 * GIB and total == "5.0"
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    free, total = ask(survivor)
    assert int(free) > 3.6 * GIB and total == "5.0"
    used = sum(one["used_bytes"] for one in server.report()["chips"])
    assert 256 << 20 <= used < 320 << 20
    survivor.stdin.close()
    assert survivor.wait(60) == 0
    assert sum(one["used_bytes"] for one in server.report()["chips"]) == 0


@pytest.mark.virtual_only
def test_processes_share_the_memory_of_a_chip(machine: Callable) -> None:
    server = machine(memory_bytes=2 * GIB)
    holder = server.start(HOLDER.format(size=1 << 30))
    assert holder.stdout.readline() == "holds\n"
    source = """
    try:
        torch.empty(3 << 29, dtype=torch.uint8, device=DEVICE)
    except torch.OutOfMemoryError:
        print("no room")
    """
    assert server.run(source).stdout == "no room\n"
    holder.stdin.close()
    holder.wait(60)
    assert server.run(source).stdout == ""


@pytest.mark.virtual_only
def test_nothing_is_left_when_a_program_ends(machine: Callable) -> None:
    """Also not the executor of a program that was killed in the middle of its work."""
    server = machine()
    source = """
    while True:
        torch.ones(500, 500, device=DEVICE).tanh()
        print("alive", flush=True)
    """
    process = server.start(source)
    assert process.stdout.readline() == "alive\n"
    children = processes_of(process.pid)
    assert children, "the executor is a child of the program"
    process.kill()
    process.communicate()
    limit = time.monotonic() + 20
    while any(running(pid) for pid in children):
        assert time.monotonic() < limit, "the executor outlives its program"
        time.sleep(0.05)


def processes_of(parent: int) -> list[int]:
    with open(f"/proc/{parent}/task/{parent}/children") as file:  # noqa: PTH123
        return [int(word) for word in file.read().split()]


def running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.needs_chip
def test_a_failing_program_ends_with_its_own_exit_code(run_program: Callable) -> None:
    source = """
    import sys
    torch.ones(3, device=DEVICE).add_(1)
    sys.exit(7)
    """
    assert run_program(source, check=False).returncode == 7


@pytest.mark.needs_chip
def test_a_tensor_goes_to_a_spawned_process(run_program: Callable) -> None:
    source = """
    import torch.multiprocessing as mp

    def work(tensor, results):
        results.put((tensor.device.type, (tensor.to(DEVICE) * 2).sum().item()))

    if __name__ == "__main__":
        context = mp.get_context("spawn")
        results = context.Queue()
        torch.ones(4, device=DEVICE)
        child = context.Process(target=work, args=(torch.ones(10).share_memory_(), results))
        child.start()
        print(*results.get(timeout=120))
        child.join()
    """
    assert run_program(source).stdout.split() == ["cpu", "20.0"]


@pytest.mark.needs_chip
def test_processes_see_what_others_write(run_program: Callable) -> None:
    """As Hogwild training has it: parameters on the chip, shared by spawned workers."""
    source = """
    import torch.multiprocessing as mp

    def work(tensor, results, done):
        results.put(tensor.sum().item())
        tensor[1:].mul_(3)
        results.put((tensor + tensor.new_ones(4)).tolist())  # memory of both processes in one operator
        done.wait()

    if __name__ == "__main__":
        context = mp.get_context("spawn")
        results, done = context.Queue(), context.Event()
        shared = torch.arange(8.0, device=DEVICE)[4:]
        child = context.Process(target=work, args=(shared, results, done))
        child.start()
        print(results.get(timeout=120), results.get(timeout=120), shared.tolist(), sep="\\n")
        done.set()
        child.join()
        print(child.exitcode)
    """
    assert run_program(source).stdout.splitlines() == [
        "22.0", "[5.0, 16.0, 19.0, 22.0]", "[4.0, 15.0, 18.0, 21.0]", "0",
    ]  # fmt: skip


@pytest.mark.virtual_only
def test_a_long_run_holds_no_more_memory_at_its_end(run_program: Callable) -> None:
    """The short form of benchmarks/soak.py: a leak shows in every round, a buffer that grows once in one."""
    source = """
    def held():
        with open("/proc/self/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Anonymous:")) << 10
    tensor = torch.zeros(64, device=DEVICE)
    def work(count):
        global tensor
        for _ in range(count):
            tensor = tensor + 1
        torch.npu.synchronize()
        return held()
    sizes = [work(32000) for _ in range(5)]
    assert tensor[0].item() == 160000
    print(min(after - before for before, after in zip(sizes, sizes[1:])))
    """
    assert int(run_program(source).stdout) < 1 << 20  # 33 bytes an operator
