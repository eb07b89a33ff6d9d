"""Results on disk: Parquet parts, each whole or not there, and what run they belong to; a resumed run continues them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jumar import __version__
from jumar.fleet.engine.failures import OtherResults
from jumar.fleet.engine.fingerprint import fingerprint
from jumar.fleet.engine.tasks import Done, Function, Task

RUN = "run.json"
NUMBERS = b"jumar tasks"  # key in a part's metadata: the tasks that are done in it, also those without rows
PART_S, PART_TASKS = 5.0, 512  # a part is written when it is so old or so large


class Parts:
    """What has been done so far, in memory and, with a directory, on disk."""

    def __init__(self, directory: Path | None, identity: dict[str, Any], renew: bool = False) -> None:
        self.directory = directory
        self.numbers: set[int] = set()
        self.tables: list[pa.Table] = []
        self._waiting: list[Done] = []
        self._written = time.monotonic()
        self._count = 0
        if directory is not None:
            self._open(directory, identity, renew)

    def _open(self, directory: Path, identity: dict[str, Any], renew: bool) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        record = directory / RUN
        if record.exists():
            before = json.loads(record.read_text(encoding="utf-8"))
            differing = [key for key in identity if identity[key] != before.get(key)]
            if differing and renew:
                for part in _parts(directory):
                    part.unlink()
                _replace(record, json.dumps(identity, indent=2) + "\n")
            elif differing:
                raise OtherResults(
                    f"{directory}: holds results of another run ({', '.join(differing)} differ); "
                    "choose another directory, or delete it"
                )
        else:
            _replace(record, json.dumps(identity, indent=2) + "\n")
        for path in _parts(directory):
            table = pq.read_table(path)
            self.numbers |= set(json.loads(table.schema.metadata[NUMBERS]))
            self.tables.append(table.replace_schema_metadata(None))
            self._count = int(path.stem.removeprefix("part-")) + 1

    def add(self, done: Done) -> None:
        self._waiting.append(done)
        self.numbers |= set(done.numbers)
        old = time.monotonic() - self._written > PART_S
        if old or sum(len(one.numbers) for one in self._waiting) >= PART_TASKS:
            self.flush()

    def flush(self) -> None:
        """Writes what waits as one part."""
        numbers = [number for done in self._waiting for number in done.numbers]
        if not numbers:
            return
        table = _table([row for done in self._waiting for row in done.rows])
        if self.directory is not None:
            path = self.directory / f"part-{self._count:06d}.parquet"
            beside = path.with_suffix(".writing")
            pq.write_table(table.replace_schema_metadata({NUMBERS: json.dumps(numbers)}), beside)
            beside.replace(path)
        self.tables.append(table)
        self._waiting, self._count, self._written = [], self._count + 1, time.monotonic()

    def table(self) -> pa.Table:
        """All rows in the order of tasks; rows of one task in the order in which it gave them."""
        whole = [table for table in self.tables if table.num_rows]
        if not whole:
            return pa.table({"task": pa.array([], pa.int64())})
        joined = pa.concat_tables(whole, promote_options="permissive")
        row = pa.array(range(joined.num_rows), pa.int64())
        order = joined.append_column("row", row).sort_by([("task", "ascending"), ("row", "ascending")])
        return order.drop_columns(["row"])


def _parts(directory: Path) -> list[Path]:
    return sorted(directory.glob("part-*.parquet"))


def _table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows as columns; a row that lacks a value of the others has none there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def identity(tasks: Sequence[Task], function: Function, shared: Any) -> dict[str, Any]:
    """What tells one run from another: program, function, tasks and what they share."""
    return {
        "jumar": __version__,
        "function": f"{function.__module__}.{function.__qualname__}",
        "tasks": len(tasks),
        "tasks_digest": fingerprint(list(tasks)),
        "shared_digest": fingerprint(shared),
    }


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".writing")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
