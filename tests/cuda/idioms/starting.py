"""Starts workers for idioms and reads what became of each; after a crash, the rest goes on in another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from idioms import Idiom

LIMIT_S = 120  # for one idiom; the worker ends itself after it

Outcome = dict[str, str]  # "kind": ok, wrong, raised or died; "text": what came instead


def run(chosen: Iterable[Idiom], face: str, together: bool = False) -> dict[str, Outcome]:
    """Outcomes by name. `together`: those that need no process of their own share one; else it is one a theme."""

    def place(one: Idiom) -> tuple[str, str]:
        return (one.process, "") if one.process or together else ("", one.theme)

    groups = [list(group) for _, group in groupby(sorted(chosen, key=place), key=place)]
    with ThreadPoolExecutor(2) as pool:
        found: dict[str, Outcome] = {}
        for outcomes in pool.map(lambda group: run_group(group, face), groups):
            found |= outcomes
    return found


def run_group(group: list[Idiom], face: str) -> dict[str, Outcome]:
    """Those of one process, in order."""
    found: dict[str, Outcome] = {}
    while pending := [one.name for one in group if one.name not in found]:
        found |= attempt(pending, group[0], face)
    return found


def attempt(names: list[str], first: Idiom, face: str) -> dict[str, Outcome]:
    """What one process did with them; at least one outcome."""
    with tempfile.TemporaryDirectory(prefix="idioms-") as directory:
        command = [sys.executable, *first.launcher, "-m", "idioms.worker", f"{directory}/lines", *names]
        done = subprocess.run(
            command, env=environment(first.environment, face), capture_output=True, text=True
        )
        ranks = [file.read_text().splitlines() for file in sorted(Path(directory).iterdir())]
    told: dict[str, list[Outcome]] = {}
    begun: set[str] = set()
    for rank in ranks:
        for line in map(json.loads, rank):
            if "begins" in line:
                begun.add(line["begins"])
            else:
                told.setdefault(line["name"], []).append(line)
    found = {name: worst(outcomes) for name, outcomes in told.items() if len(outcomes) == len(ranks)}
    broken = [name for name in names if name not in found]
    died = {"kind": "died", "text": ending(done.returncode, done.stderr)}
    for name in [one for one in broken if one in begun] or ([] if found else broken):
        found[name] = worst([*told.get(name, []), died])
    return found


def environment(changes: Mapping[str, str], face: str) -> dict[str, str]:
    """`transfer` is the vendor's, imported by the worker as a ported program does."""
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    own = {
        "PYTHONPATH": path,
        "JUMAR_FACE": "none" if face == "transfer" else face,
        "IDIOMS_FACE": face,
        "IDIOMS_LIMIT_S": str(LIMIT_S),
        "OMP_NUM_THREADS": "1",
    }
    return {**os.environ, **own, **changes}


def worst(outcomes: list[Outcome]) -> Outcome:
    """One for all ranks: the first that is not ok."""
    return next((one for one in outcomes if one["kind"] != "ok"), outcomes[0])


def ending(code: int, errors: str) -> str:
    if "Timeout (" in errors:
        return f"still running after {LIMIT_S} s"
    if code < 0:
        return f"the process died of {signal.Signals(-code).name}"
    lines = [line for line in errors.splitlines() if line and not line.startswith((" ", "["))]
    return f"the process ended with code {code}: {lines[-1] if lines else ''}"
