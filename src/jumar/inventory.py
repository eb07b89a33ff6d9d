"""The chips of this machine, seen from outside any program: how much memory is taken, and by which processes.

For the commands and packages that answer as NVIDIA's do. Virtual chips are in the server's state, which
`jumar.attachment` introduces here; real ones are asked for with the vendor's `npu-smi`. Imports no torch.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jumar import condition
from jumar.condition import Condition

SERVER = "JUMAR_SERVER"
NPU_SMI = "npu-smi"
ANSWER_WITHIN_S = 20
MIB = 1 << 20

Report = dict[str, Any]
_read_server: Callable[[Path], Report] | None = None


class NoChips(RuntimeError):
    """There is no server and no driver to ask; the message says what was tried."""


@dataclass(frozen=True)
class Process:
    """A program on a chip. `used_bytes`: what it holds there."""

    pid: int
    used_bytes: int
    name: str


@dataclass(frozen=True)
class Chip:
    """One chip as the driver knows it. None: not known, as the heat of a virtual chip in a run without a trace."""

    index: int
    name: str
    memory_bytes: int
    used_bytes: int
    processes: tuple[Process, ...] = ()
    utilization_percent: int | None = None
    temperature_c: int | None = None
    power_w: float | None = None
    condition: Condition = condition.UNKNOWN


def introduce(read_server: Callable[[Path], Report]) -> None:
    """How to read a virtual server's state, for this room knows no machine."""
    global _read_server
    _read_server = read_server


def chips() -> list[Chip]:
    """Every chip of the server or the host, in order, whatever the program has made visible. NoChips if none."""
    if directory := os.environ.get(SERVER):
        return of_server(Path(directory))
    if command := shutil.which(NPU_SMI):
        return of_npu_smi(_ask(command))
    raise NoChips(f"{SERVER} names no virtual server, and there is no {NPU_SMI} on PATH")


def of_server(directory: Path) -> list[Chip]:
    """The chips of the virtual server in that directory. NoChips if it has ended, or is another version's."""
    if _read_server is None:
        raise NoChips("nobody has introduced the virtual server")
    try:
        report = _read_server(directory)
    except RuntimeError as error:
        raise NoChips(str(error)) from error
    return of_report(report)


def of_report(report: Report) -> list[Chip]:
    """The chips of a virtual server."""
    found = []
    for chip in report["chips"]:
        at = chip["id"]
        held = {one["pid"]: one["used_bytes"][at] for one in report["processes"] if one["used_bytes"][at]}
        processes = tuple(Process(pid, used, process_name(pid)) for pid, used in sorted(held.items()))
        load = round(
            100 * chip["utilisation"]
        )  # on the virtual clock, just now; without a trace there is none
        how = condition.of_report(chip.get("condition"))
        heat = None if how.temperature_c is None else round(how.temperature_c)
        sizes = chip["memory_bytes"], chip["used_bytes"]
        found.append(Chip(at, report["soc_name"], *sizes, processes, load, heat, how.power_w, how))
    return found


def process_name(pid: int) -> str:
    """The program that runs there, as NVIDIA's driver names it: the path of its executable."""
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return "[Not Found]"


def _ask(command: str) -> str:
    try:
        done = subprocess.run(
            [command, "info"], capture_output=True, text=True, timeout=ANSWER_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoChips(f"{command} info: {error}") from error
    if done.returncode:
        raise NoChips(
            f"{command} info ended with {done.returncode}: {(done.stderr or done.stdout).strip()[:200]}"
        )
    return done.stdout


# | 0     910B2               | OK            | 93.6        41                0    / 0             |
# | 0                         | 0000:C1:00.0  | 0           0    / 0          3161 / 65536         |
_FIRST = re.compile(r"^\|\s*(\d+)\s+(\S+)\s*\|\s*([A-Za-z]+)\s*\|\s*([\d.]+|-|NA)\s+(\d+|-|NA)\b")
_SECOND = re.compile(r"^\|\s*(\d+)(?:\s+(\d+|-))?\s*\|\s*([0-9A-Fa-f:.]+|NA)\s*\|\s*(\d+|-|NA)\b(.*)\|$")
_PAIR = re.compile(r"(\d+)\s*/\s*(\d+)")
# | 0       0                 | 1234          | python                   | 3050                    |
_PROCESS = re.compile(r"^\|\s*(\d+)\s+(\d+)\s*\|\s*(\d+)\s*\|\s*(.*?)\s*\|\s*(\d+)\s*\|")


def of_npu_smi(text: str) -> list[Chip]:
    """The chips in what `npu-smi info` prints: two lines for each, then the processes. Sizes there are in MiB."""
    found: dict[tuple[int, int], Chip] = {}
    first: re.Match[str] | None = None
    for line in text.splitlines():
        if process := _PROCESS.match(line):
            _add_process(found, process)
        elif match := _FIRST.match(line):
            first = match
        elif first and (second := _SECOND.match(line)):
            pairs = [(int(used), int(total)) for used, total in _PAIR.findall(second[5])]
            if pairs:
                used, total = next((pair for pair in reversed(pairs) if pair[1]), (0, 0))
                found[int(first[1]), int(second[1])] = Chip(
                    index=len(found),
                    name=f"Ascend{first[2].removeprefix('Ascend')}",
                    memory_bytes=total * MIB,
                    used_bytes=used * MIB,
                    utilization_percent=_whole(second[4]),
                    temperature_c=_whole(first[5]),
                    power_w=None if first[4] in ("-", "NA") else float(first[4]),
                    condition=Condition(health=first[3]),
                )
    if not found:
        raise NoChips(f"{NPU_SMI} info names no chip")
    return list(found.values())


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _add_process(found: dict[tuple[int, int], Chip], match: re.Match[str]) -> None:
    at = int(match[1]), int(match[2])
    if at in found:
        one = Process(int(match[3]), int(match[5]) * MIB, match[4])
        found[at] = replace(found[at], processes=(*found[at].processes, one))
