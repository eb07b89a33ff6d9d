"""The tasks that nobody has taken yet, handed out in batches that take about a second each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from jumar.fleet.engine.tasks import Done, Task

BATCH_S = 1.0  # long against the cost of handing over, short against the patience of who watches
LARGEST = 64


class Pending:
    """A queue that learns how long a task takes. Which tasks go together changes no result."""

    def __init__(self, tasks: Iterable[Task], workers: int) -> None:
        self._tasks = deque(tasks)
        self.workers = workers
        self._seconds, self._done = 0.0, 0

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def take(self) -> list[Task]:
        """The next batch; single tasks until it is known how long one takes."""
        mean_s = self._seconds / self._done if self._done else BATCH_S
        fair = -(
            -len(self._tasks) // (2 * max(1, self.workers))
        )  # near the end nobody waits for one long batch
        size = max(1, min(LARGEST, fair, int(BATCH_S / max(mean_s, 1e-6))))
        return [self._tasks.popleft() for _ in range(min(size, len(self._tasks)))]

    def put_back(self, tasks: Iterable[Task]) -> None:
        """Tasks whose worker was lost: they come next."""
        self._tasks.extendleft(reversed(list(tasks)))

    def learn(self, done: Done) -> None:
        self._seconds += done.seconds
        self._done += len(done.numbers)
