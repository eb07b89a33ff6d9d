"""How fast repositories are scanned, beside `ruff check` and GNU grep in the same run, and whether twice gives the same."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import mirrors

Answer = TypeVar("Answer")
COLUMNS = (
    "repo",
    "commit",
    "lines",
    "python_lines",
    "findings",
    "not_read",
    "failed",
    "cpu_s",
    "seconds",
    "ruff_s",
    "grep_s",
    "same_twice",
    "load",
)


def write(folder: Path, table: Path) -> None:
    """A row for each repository of repositories.tsv, at the commit that is named there."""
    rows = ["\t".join(COLUMNS)]
    for row in mirrors.rows("repositories.tsv"):
        with tempfile.TemporaryDirectory(prefix="jumar-speed-") as place:
            mirrors.export(folder, row["repo"], row["commit"], Path(place))
            rows.append("\t".join((row["repo"], row["commit"], *map(str, _measured(Path(place))))))
            print(rows[-1], flush=True)
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")


def _measured(place: Path) -> tuple[object, ...]:
    from jumar.port import scanning
    from jumar.port.repository import Repository

    load = os.getloadavg()[0]
    repository = Repository.at(place)
    before = _processor_s()
    first, seconds = _timed(lambda: scanning.scan(repository))
    processor_s = _processor_s() - before
    second = scanning.scan(repository, jobs=1)
    _, ruff = _timed(lambda: _run("ruff", "check", "--isolated", "--no-cache", "--quiet", str(place)))
    _, grep = _timed(lambda: _run("grep", "-rniE", "cuda|nccl", str(place)))
    failed = sum(" failed on it" in one.reason for one in first.troubles)
    return (
        sum(first.lines.values()), first.lines.get("python", 0), len(first.findings), len(first.troubles), failed,
        f"{processor_s:.1f}", f"{seconds:.1f}", f"{ruff:.1f}", f"{grep:.1f}",
        _digest(first) == _digest(second), f"{load:.1f}",
    )  # fmt: skip


def _processor_s() -> float:
    """Of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _digest(scan: object) -> str:
    return hashlib.sha256(repr(scan).encode()).hexdigest()


def _timed(work: Callable[[], Answer]) -> tuple[Answer, float]:
    begun = time.perf_counter()
    answer = work()
    return answer, time.perf_counter() - begun


def _run(*command: str) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
