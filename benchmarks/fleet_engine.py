"""1,000 replicas of a cluster in processes and on Ray, a worker of each killed on the way: the same numbers, bit for bit?

python benchmarks/fleet_engine.py [--replicas 1000] [--workers 2] [--days 1] [CLUSTER.toml]
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from jumar.cli import cluster_loading
from jumar.fleet import engine
from jumar.fleet.simulation.cluster_file import ClusterFile
from jumar.fleet.simulation.replica import replica

EXAMPLE = Path(__file__).parents[1] / "examples" / "fleet" / "cluster.toml"
# What a worker's command line has in it.
WORKERS = {"processes": "multiprocessing", "ray": "ray::"}


@dataclass
class Killer:
    """A progress that kills one worker after a third of the tasks."""

    marked: str
    total: int = 0
    done: int = 0
    killed: list[int] = field(default_factory=list)

    def begin(self, total: int, kept: int) -> None:
        self.total, self.done = total, kept

    def advance(self, done: int) -> None:
        self.done += done
        if self.marked and not self.killed and self.done >= self.total / 3:
            victim = next(one for one in descendants(os.getpid()) if self.marked in command_line(one))
            os.kill(victim, signal.SIGKILL)
            self.killed.append(victim)

    def lost(self, how: str) -> None:
        print(f"  {how}")

    def end(self) -> None:
        pass


def descendants(parent: int) -> list[int]:
    """Processes that this one has started, and theirs, the youngest first."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
    found, fresh = [], [parent]
    while fresh:
        fresh = [one for one, of in parents.items() if of in fresh]
        found += fresh
    return sorted(found, reverse=True)


def command_line(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


def measure(file: ClusterFile, chosen: argparse.Namespace, name: str, killing: bool) -> pa.Table:
    watching = Killer(WORKERS[name] if killing else "")
    tasks = engine.replicas(chosen.replicas, seed=0)
    begun = time.perf_counter()
    table = engine.run(tasks, replica, shared=file, engine=name, workers=chosen.workers, progress=watching)
    seconds = time.perf_counter() - begun
    said = f", worker {watching.killed[0]} killed" if watching.killed else ""
    print(f"{name}: {table.num_rows:,} replicas, {chosen.workers} workers, {seconds:.1f} s{said}", flush=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cluster", nargs="?", type=Path, default=EXAMPLE)
    parser.add_argument("--replicas", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--days", type=float, default=1)
    chosen = parser.parse_args()
    file = cluster_loading.load(chosen.cluster).lasting(chosen.days)
    tables = {
        (name, killing): measure(file, chosen, name, killing) for name in WORKERS for killing in (False, True)
    }
    first = tables["processes", False]
    same = all(same_bits(table, first) for table in tables.values())
    print("all four are the same, bit for bit" if same else "THEY DIFFER")
    raise SystemExit(0 if same else 1)


def same_bits(one: pa.Table, other: pa.Table) -> bool:
    """Also where there is no number: what was not observed is not-a-number in both."""
    with pa.BufferOutputStream() as left, pa.BufferOutputStream() as right:
        for table, place in ((one, left), (other, right)):
            with pa.ipc.new_stream(place, table.schema) as writer:
                writer.write_table(table.combine_chunks())
        return bool(left.getvalue().equals(right.getvalue()))


if __name__ == "__main__":
    main()
