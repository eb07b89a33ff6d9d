"""`jumar doctor`: what is installed, what fits what, what is patched. Exits 1 if something is bad."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from jumar import __version__, attachment, cudamap, environment
from jumar.abi.generate import operator_names
from jumar.cli import serving, target
from jumar.machine import libraries, observe

COMPILERS = ("c++", "g++", "clang++")
OLDEST_PYTHON = (3, 11)
REINSTALL = "reinstall jumar with `pip install .`"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is well (`ok`, `note` or `bad`), what was seen, what to do."""

    subject: str
    state: str
    seen: str
    remedy: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patches", action="store_true", help="list every CUDA name and what becomes of it in a run"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    target.arguments(parser)


def execute(chosen: argparse.Namespace) -> int:
    if chosen.patches:
        return list_patches()
    if chosen.target:
        return target.execute(chosen)
    findings = [finding for check in CHECKS for finding in check()]
    if chosen.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            remedy = f" → {finding.remedy}" if finding.remedy else ""
            print(f"{finding.state:<5}{finding.subject:<18}{finding.seen}{remedy}")
    return int(any(finding.state == "bad" for finding in findings))


def python() -> list[Finding]:
    seen = f"{platform.python_version()} at {sys.executable}"
    good = sys.version_info >= OLDEST_PYTHON
    return [Finding("Python", "ok" if good else "bad", seen, "" if good else "use Python 3.11 or later")]


def packages() -> list[Finding]:
    torch, adapter = serving.version(serving.TORCH), serving.version(serving.ADAPTER)
    good = serving.fits(torch, adapter)
    remedy = "" if good else f"pip install torch=={serving.PAIR} torch-npu=={serving.PAIR}"
    fit = "they fit" if good else f"jumar needs {serving.PAIR} of both"
    seen = f"{torch or 'missing'}, {adapter or 'missing'}: {fit}"
    pair = Finding("torch, torch_npu", "ok" if good else "bad", seen, remedy)
    return [Finding("jumar", "ok", __version__), pair]


def native_core() -> list[Finding]:
    found = libraries.directory()
    if found is None:
        return [Finding("native core", "bad", "not installed", libraries.REMEDY)]
    try:
        libraries.load_core()
    except ImportError as error:
        return [Finding("native core", "bad", str(error), REINSTALL)]
    return [
        Finding("native core", "ok", f"loads; {len(libraries.with_vendor_names())} vendor names in {found}")
    ]


def compiler() -> list[Finding]:
    for name in COMPILERS:
        if path := shutil.which(name):
            answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            return [Finding("compiler", "ok", answer.splitlines()[0] if answer else path)]
    return [
        Finding("compiler", "note", "none found", "needed only to install from source: apt-get install g++")
    ]


def cann() -> list[Finding]:
    if attachment.cann_present():
        return [Finding("CANN", "note", f"found; it is used wherever {environment.SERVER} is not set")]
    return [Finding("CANN", "ok", "not found; without a virtual server torch_npu sees no chips")]


def start_up() -> list[Finding]:
    asks = [sys.executable, "-c", "import sys; print('jumar.startup' in sys.modules)"]
    answer = subprocess.run(asks, capture_output=True, text=True, check=False).stdout.strip()
    if answer == "True":
        return [Finding("start-up hook", "ok", f"active in a new Python, from {startup_file()}")]
    return [
        Finding(
            "start-up hook", "bad", "not active in a new Python: torch_npu will not find jumar", REINSTALL
        )
    ]


def startup_file() -> Path | None:
    places = (Path(entry) / "jumar.pth" for entry in sys.path if entry)
    return next((place for place in places if place.is_file()), None)


def current_server() -> list[Finding]:
    place = os.environ.get(environment.SERVER)
    if not place:
        return [Finding("virtual server", "ok", "none in this shell; `jumar run` makes its own")]
    if (Path(place) / "state").is_file():
        return [Finding("virtual server", "ok", place)]
    return [
        Finding(
            "virtual server",
            "bad",
            f"{place} is gone",
            f"unset {environment.SERVER}, or run `jumar env` anew",
        )
    ]


def operators() -> list[Finding]:
    known = set(operator_names())
    try:
        from jumar.ops.registry import operators as written
    except ImportError as error:
        return [Finding("operators", "bad", f"cannot be imported: {error}", REINSTALL)]
    done = written().keys() & known
    return [Finding("operators", "ok", f"{len(done)} of {len(known)} have arithmetic")]


def patches() -> list[Finding]:
    """What `jumar run` changes in the program's process; without a virtual server nothing is changed."""
    rows = [attachment.CANN_CHECK, *observe.PATCHES, *observe.ADAPTER_PATCHES]
    watched = [Finding("patched in a run", "note", f"{row.target}: {row.why}") for row in rows]
    seen = f"{len(cudamap.all_names())} CUDA names are known; `jumar doctor --patches` lists them"
    return [*watched, Finding("CUDA face", "note", seen)]


def list_patches() -> int:
    """Every CUDA name, what becomes of it under the CUDA face, and why; all or none are in force."""
    for table in cudamap.all_tables():
        print(f"{table}:")
        for name in cudamap.names(table):
            becomes = name.ascend if name.ascend and name.ascend != name.cuda else name.status
            print(f"  {name.cuda:<48} {becomes}{f': {name.note}' if name.note else ''}")
    return 0


CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    python,
    packages,
    native_core,
    compiler,
    cann,
    start_up,
    current_server,
    operators,
    patches,
)
