"""What the engine's tests let workers do: a module of its own, because workers import it by name."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from jumar.fleet.engine import Task


def draw(shared: Any, task: Task) -> dict[str, Any]:
    """Numbers that depend on every bit of the seed."""
    luck = random.Random(task.seed)
    values = [luck.gauss() for _ in range(50)]
    return {"mean": sum(values) / 50, "path": values[:3], "scaled": shared["scale"] * values[0]}


def draw_and_log(shared: Any, task: Task) -> dict[str, Any]:
    """The same, leaving a file for each time that it is done."""
    (Path(shared["log"]) / f"{task.number}-{os.getpid()}-{time.monotonic_ns()}").touch()
    return draw(shared, task)


def draw_or_die(shared: Any, task: Task) -> dict[str, Any]:
    """The same, but the first worker that meets task 7 is killed there."""
    mark = Path(shared["mark"])
    if task.number == 7 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(shared, task)


def always_die(shared: Any, task: Task) -> dict[str, Any]:
    if task.number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(shared, task)


def fail_at(shared: Any, task: Task) -> dict[str, Any]:
    if task.number == shared["at"] and not Path(shared["mended"]).exists():
        raise ValueError("no chips left")
    return draw(shared, task)


def several_rows(shared: Any, task: Task) -> list[dict[str, Any]]:
    """None for even replicas, two for odd ones."""
    return [{"half": half, "value": 1 if half else 0.5} for half in range(2 * (task.replica % 2))]
