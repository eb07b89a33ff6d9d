"""What the benchmarks share: a server around the script, interleaved timing, and the two forms of a result."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GIB = 2**30


def on_server(chip: str = "910B2", **settings: int) -> None:
    """Runs this script again as a program on a virtual server of its own; returns only in that program."""
    if "JUMAR_SERVER" in os.environ:
        return
    from jumar import chips, environment
    from jumar.machine import server

    directory = Path(tempfile.mkdtemp(prefix="jumar-benchmark-"))
    try:
        wanted = server.settings(chips.find(chip), devices=1, dry=False, seed=0)
        server.create(directory, dataclasses.replace(wanted, **settings))
        inside = environment.applied(environment.for_server(directory, environment.Wishes()))
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=inside, check=False).returncode)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def operators_so_far() -> int:
    """Operators that this server has run or skipped since it was made."""
    from jumar.machine import server

    counts = server.report(Path(os.environ["JUMAR_SERVER"]))["operators"].values()
    return sum(one["run"] + one["skipped"] for one in counts)


def interleaved(sides: dict[str, Callable[[], Any]], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of each side, measured in turns, so that whatever else the machine does falls on all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(warm_up + rounds):
        for name, side in sides.items():
            started = time.perf_counter()
            side()
            if number >= warm_up:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in seconds.items()}


def resident_bytes(pid: int | str = "self") -> int:
    """What a process holds in memory now, shared pages of device memory included."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def peak_resident_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def child_processes() -> list[int]:
    """The executor, once it is there."""
    return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def tell(name: str, facts: dict[str, Any], sentence: str) -> None:
    """One line of JSON, and one for people."""
    print(json.dumps({"benchmark": name, "cores": os.cpu_count(), **facts}))
    print(f"{name}: {sentence}", flush=True)
