"""Does tasks on a Ray cluster: the one that `RAY_ADDRESS` names, or one on this machine. Ray itself repeats what
a lost worker had."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

from jumar.fleet.engine.failures import EngineMissing, WorkersLost
from jumar.fleet.engine.pending import Pending
from jumar.fleet.engine.tasks import Done, Function, Task, work

REPEATS = 5  # Ray does a batch again so often when its worker or its machine is lost
AHEAD = 2  # batches on their way for each worker, so that none waits for the driver
STORE_B = 256 << 20
ADDRESS = "RAY_ADDRESS"  # Ray's own variable


def do(
    function: Function, shared: Any, pending: Pending, workers: int, on_loss: Callable[[str], None]
) -> Generator[Done]:
    """Yields what each batch gave, in the order in which they finish; with 0 workers on all cores that Ray has.
    Leaves Ray as it found it."""
    ray = _imported()
    ours = not ray.is_initialized()
    if ours:
        _join(ray, workers)
    pending.workers = workers = workers or int(ray.cluster_resources().get("CPU", 1))
    try:
        yield from _spread(ray, function, shared, pending, workers)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError) as error:
        raise WorkersLost(
            f"Ray lost a worker {REPEATS + 1} times on the same tasks; if memory ran out, try fewer --workers: "
            f"{str(error).splitlines()[0]}"
        ) from error
    finally:
        if ours:
            ray.shutdown()


def _imported() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported
    try:
        import ray
    except ImportError as error:
        raise EngineMissing(
            "--engine ray needs Ray, which is not installed: pip install 'jumar[ray]'"
        ) from error
    return ray


def _join(ray: Any, workers: int) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if os.environ.get(ADDRESS):
        ray.init(**quiet)
    else:
        paths = os.pathsep.join(path for path in sys.path if path)  # what we can import, workers can
        quiet["runtime_env"] = {"env_vars": {"PYTHONPATH": paths}}
        ray.init(
            num_cpus=workers or len(os.sched_getaffinity(0)),
            include_dashboard=False,
            object_store_memory=STORE_B,
            **quiet,
        )


def _spread(ray: Any, function: Function, shared: Any, pending: Pending, workers: int) -> Iterator[Done]:
    @ray.remote(num_cpus=1, max_retries=REPEATS)  # type: ignore[untyped-decorator]
    def batch_on_worker(given: Any, batch: list[Task]) -> Done:
        return work(function, given, batch)

    kept = ray.put(shared)
    running: list[Any] = []
    while pending or running:
        while pending and len(running) < AHEAD * workers:
            running.append(batch_on_worker.remote(kept, pending.take()))
        ready, running = ray.wait(running, num_returns=1)
        for one in ready:
            done: Done = ray.get(one)
            pending.learn(done)
            yield done
