"""Runs many independent tasks (replicas, sweeps) in processes or on a Ray cluster, with the same numbers on either."""

from jumar.fleet.engine.failures import EngineMissing, OtherResults, TaskFailed, WorkersLost
from jumar.fleet.engine.progress import Printer, Progress
from jumar.fleet.engine.running import ENGINES, run
from jumar.fleet.engine.tasks import Function, Task, replicas, sweep

__all__ = [
    "ENGINES",
    "EngineMissing",
    "Function",
    "OtherResults",
    "Printer",
    "Progress",
    "Task",
    "TaskFailed",
    "WorkersLost",
    "replicas",
    "run",
    "sweep",
]
