"""Does tasks in processes of this machine. A process that dies is replaced, and its tasks are done again."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import ModuleType
from typing import Any

from jumar.fleet.engine.failures import WorkersLost
from jumar.fleet.engine.pending import Pending
from jumar.fleet.engine.tasks import Done, Function, Task, described, work

MOST_LOSSES = 3  # of the same task, before it is taken to be the cause
# Threads inside a worker would fight over the cores, and could change the order of a sum.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Worker:
    """One process and the batch that it is on."""

    process: SpawnProcess
    pipe: Connection
    batch: list[Task] = field(default_factory=list)


def do(
    function: Function, shared: Any, pending: Pending, workers: int, on_loss: Callable[[str], None]
) -> Generator[Done]:
    """Yields what each batch gave, in the order in which they finish."""
    crew: list[Worker] = []
    losses: dict[int, int] = {}
    try:
        while pending or any(worker.batch for worker in crew):
            _staff(crew, pending, workers, function, shared)
            ready = wait([worker.pipe for worker in crew if worker.batch])
            for worker in [one for one in crew if one.pipe in ready]:
                done = _received(worker)
                if done is None:
                    _replace(worker, crew, pending, losses, on_loss)
                    continue
                worker.batch = []
                pending.learn(done)
                yield done
    finally:
        for worker in crew:
            worker.process.terminate()
            worker.process.join()
            worker.pipe.close()


def _staff(crew: list[Worker], pending: Pending, workers: int, function: Function, shared: Any) -> None:
    """Gives every idle worker a batch, and starts workers while there are batches for them."""
    while pending:
        worker = next((one for one in crew if not one.batch), None)
        if worker is None:
            if len(crew) >= workers:
                return
            worker = _start(function, shared)
            crew.append(worker)
        worker.batch = pending.take()
        try:
            worker.pipe.send(worker.batch)
        except OSError:  # it died idle: the wait that follows sees the closed pipe
            continue


def _start(function: Function, shared: Any) -> Worker:
    context = multiprocessing.get_context("spawn")  # threads of this process must not be copied half alive
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, function, shared), daemon=True)
    with _one_thread(), _no_main():
        process.start()
    theirs.close()
    return Worker(process, ours)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The environment that a new process inherits; ours is as before afterwards."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _no_main() -> Iterator[None]:
    """A new process would run the program's main module once more, which does everything again if it is not guarded.
    Workers need none of it: what they do is a function of a module."""
    ours = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = ours


def _received(worker: Worker) -> Done | None:
    """What the worker sent; None if it is gone."""
    try:
        done = worker.pipe.recv()
    except (EOFError, OSError):
        return None
    assert isinstance(done, Done)
    return done


def _replace(
    worker: Worker,
    crew: list[Worker],
    pending: Pending,
    losses: dict[int, int],
    on_loss: Callable[[str], None],
) -> None:
    """Takes a lost worker off the crew and puts its tasks back; gives up if they cost one worker after another."""
    worker.process.join()
    worker.pipe.close()
    crew.remove(worker)
    code = worker.process.exitcode
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    for task in worker.batch:
        losses[task.number] = losses.get(task.number, 0) + 1
        if losses[task.number] >= MOST_LOSSES:
            raise WorkersLost(
                f"{described(task)}: {MOST_LOSSES} workers died while it was in their hands, the last with {how}; "
                "if memory ran out, try fewer --workers"
            )
    on_loss(f"a worker died ({how}); {len(worker.batch)} tasks are done again")
    pending.put_back(worker.batch)


def _serve(pipe: Connection, function: Function, shared: Any) -> None:
    """Life of a worker: batches come in, results go out, until nobody is there any more."""
    while True:
        try:
            batch = pipe.recv()
            pipe.send(work(function, shared, batch))
        except (EOFError, OSError, KeyboardInterrupt):
            return
