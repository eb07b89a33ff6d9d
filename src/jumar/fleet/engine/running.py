"""`run`: tasks in, one table of results out; on any engine the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa

from jumar.fleet.engine import cluster, processes
from jumar.fleet.engine.failures import TaskFailed
from jumar.fleet.engine.parts import Parts, identity
from jumar.fleet.engine.pending import Pending
from jumar.fleet.engine.progress import Progress, Silent
from jumar.fleet.engine.tasks import Done, Function, Task, work

Engine = Callable[[Function, Any, Pending, int, Callable[[str], None]], Generator[Done]]


def _here(
    function: Function, shared: Any, pending: Pending, workers: int, on_loss: Callable[[str], None]
) -> Generator[Done]:
    """In this process, one task after another."""
    while pending:
        yield work(function, shared, pending.take())


ENGINES: dict[str, Engine] = {"processes": processes.do, "ray": cluster.do, "here": _here}


def run(
    tasks: Sequence[Task],
    function: Function,
    *,
    shared: Any = None,
    engine: str = "processes",
    workers: int | None = None,
    directory: Path | None = None,
    renew: bool = False,
    progress: Progress | None = None,
) -> pa.Table:
    """Does every task and returns their rows, sorted by task, with the columns `task`, `replica`, `seed`, the
    task's parameters and what the function returned.

    `function(shared, task)` is a function of a module, gives a row (or a list of rows) of plain values, and draws random
    numbers from `task.seed` alone. `engine`: `processes` of this machine, `ray`, or `here` (in this process).
    `workers`: if not given, the cores that this process may use, on Ray all of the cluster. With a directory the rows
    are kept there as Parquet, and what is there already is not done again; OtherResults if it belongs to another run,
    unless `renew` says to delete that. TaskFailed names the task that raised an error, WorkersLost the one that kills
    workers.
    """
    if function.__module__ == "__main__" and engine != "here":
        raise ValueError(
            f"{function.__qualname__}: put it into a module of its own, so that workers can import it"
        )
    crew = workers or (0 if engine == "ray" else len(os.sched_getaffinity(0)))
    watching = progress or Silent()
    parts = Parts(directory, identity(tasks, function, shared) if directory else {}, renew)
    left = [task for task in tasks if task.number not in parts.numbers]
    watching.begin(len(tasks), len(tasks) - len(left))
    chosen = ENGINES[engine] if len(left) > 1 or engine == "ray" else _here
    try:
        with closing(chosen(function, shared, Pending(left, crew), crew, watching.lost)) as finished:
            for done in finished if left else ():
                parts.add(done)
                watching.advance(len(done.numbers))
                if done.failure:
                    raise TaskFailed(done.failure)
    finally:
        parts.flush()
        watching.end()
    return parts.table()
