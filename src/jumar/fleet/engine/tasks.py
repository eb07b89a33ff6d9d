"""What one task is, how replicas get their seeds, and how a worker does a batch of tasks."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Row = Mapping[str, Any]
# What does a task: (what all tasks share, the task) -> one row of results, or several.
Function = Callable[[Any, "Task"], Row | Sequence[Row]]


@dataclass(frozen=True)
class Task:
    """One thing to do. `seed` goes with the replica alone, so that every variant of a sweep meets the same
    luck; `parameters` are plain values that JSON can hold."""

    number: int
    replica: int
    seed: int
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What a worker hands back for a batch: rows of results, or what went wrong in which task."""

    numbers: tuple[int, ...]
    rows: tuple[dict[str, Any], ...]
    seconds: float
    failure: str = ""


def replica_seed(seed: int, replica: int) -> int:
    """The seed of one replica: 63 bits that depend on nothing but these two numbers."""
    drawn = np.random.SeedSequence(entropy=seed, spawn_key=(replica,)).generate_state(1, np.uint64)[0]
    return int(drawn >> np.uint64(1))


def replicas(count: int, seed: int, parameters: Mapping[str, Any] | None = None) -> list[Task]:
    """`count` tasks that differ in their seed only."""
    return sweep([parameters or {}], count, seed)


def sweep(variants: Iterable[Mapping[str, Any]], count: int, seed: int) -> list[Task]:
    """`count` replicas of each variant; replica r has the same seed in each of them."""
    seeds = [replica_seed(seed, replica) for replica in range(count)]
    pairs = [(variant, replica) for variant in variants for replica in range(count)]
    return [
        Task(number, replica, seeds[replica], dict(variant))
        for number, (variant, replica) in enumerate(pairs)
    ]


def work(function: Function, shared: Any, batch: Sequence[Task]) -> Done:
    """Does the tasks one after another; stops at the first that fails, and keeps what was done before it."""
    begun = time.perf_counter()
    numbers: list[int] = []
    rows: list[dict[str, Any]] = []
    failure = ""
    for task in batch:
        try:
            found = function(shared, task)
        except Exception:  # noqa: BLE001 - the parent raises it again, with the task's name
            failure = f"{described(task)}\n{traceback.format_exc()}"
            break
        numbers.append(task.number)
        rows += [_row(task, row) for row in ([found] if isinstance(found, Mapping) else found)]
    return Done(tuple(numbers), tuple(rows), time.perf_counter() - begun, failure)


def _row(task: Task, row: Row) -> dict[str, Any]:
    return {"task": task.number, "replica": task.replica, "seed": task.seed, **task.parameters, **row}


def described(task: Task) -> str:
    """A task as people name it."""
    given = "".join(f", {key}={value}" for key, value in task.parameters.items())
    return f"task {task.number} (replica {task.replica}, seed {task.seed}{given})"
