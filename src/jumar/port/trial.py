"""Runs a program once for `jumar verify`: in a copy of its repository, on one device, with its modules recorded."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jumar import environment
from jumar.port.records import Process, read

LEFT_OUT = (
    ".git", ".hg", ".svn", "__pycache__", ".venv", "venv", ".tox", ".nox", "node_modules",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", "jumar-runs",
)  # fmt: skip
SETTINGS = "settings.json"
LAUNCH = (sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main(sys.argv[1:]))")
TAIL_LINES = 12
LONGEST_FAILURE = 240


@dataclass(frozen=True)
class Setting:
    """What is the same in all runs. `calls`: how many calls of each module are recorded."""

    command: tuple[str, ...]
    workplace: Path
    seed: int = 0
    calls: int = 3
    timeout_s: float = 3600.0
    chip: str = "910B2"
    devices: int = 1


@dataclass(frozen=True)
class Kind:
    """`program`: original or ported. `device`: chip (the virtual one), cpu or cuda (this machine's)."""

    program: str
    device: str
    float64: bool = False

    @property
    def name(self) -> str:
        place = {"chip": "virtual chip", "cpu": "CPU", "cuda": "CUDA"}[self.device]
        return f"{self.program} on the {place}{' in float64' if self.float64 else ''}"


@dataclass
class Trial:
    """A run that is over. `code` None: it took longer than it may."""

    kind: Kind
    code: int | None
    seconds: float
    printed: str
    complained: str
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return self.code == 0

    def failure(self) -> str:
        """The last words of a run that failed."""
        if self.code is None:
            return f"still running after {self.seconds:.0f} s"
        lines = [
            line for line in self.complained.splitlines() if line.strip() and not line.startswith("jumar:")
        ]
        last = next((line for line in reversed(lines) if "Error" in line or "error" in line), "")
        words = last.strip() or (lines[-1].strip() if lines else "said nothing")
        return f"exit code {self.code}: {words[:LONGEST_FAILURE]}"

    def tail(self) -> str:
        return "\n".join(self.complained.splitlines()[-TAIL_LINES:])


def run(setting: Setting, kind: Kind, sources: Path) -> Trial:
    """Copies `sources` to the one place where all runs happen, so that paths are the same, and runs the command."""
    place = setting.workplace / "repository"
    left = setting.workplace / "left"
    for folder in (place, left):
        shutil.rmtree(folder, ignore_errors=True)
    copy(sources, place)
    left.mkdir(parents=True)
    (left / SETTINGS).write_text(json.dumps({"calls": setting.calls, "float64": kind.float64}))
    began = time.monotonic()
    code, printed, complained = _watched(
        _command(setting, kind, place, left), place, _variables(setting, kind, place, left), setting.timeout_s
    )
    trial = Trial(kind, code, time.monotonic() - began, printed, complained, read(left))
    shutil.rmtree(place, ignore_errors=True)
    return trial


def copy(sources: Path, target: Path) -> None:
    """Everything but what is made anew anyway; links stay links."""
    shutil.copytree(sources, target, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))


def _command(setting: Setting, kind: Kind, place: Path, left: Path) -> list[str]:
    command = list(setting.command)
    if kind.device == "chip":
        face = "cuda" if kind.program == "original" else "none"
        chip = ["--chip", setting.chip, "--devices", str(setting.devices)]
        options = ["--face", face, "--seed", str(setting.seed), "--out", str(left / "report"), *chip]
        return [*LAUNCH, "run", *options, "--", *command]
    if command[0].endswith(".py") and (place / command[0]).is_file():
        return [sys.executable, *command]
    return command


def _variables(setting: Setting, kind: Kind, place: Path, left: Path) -> dict[str, str]:
    own = str(Path(sys.executable).parent)
    roots = [str(place), *([str(place / "src")] if (place / "src").is_dir() else [])]
    changes: dict[str, str | None] = {
        environment.MODULES: str(left),
        environment.SEED: str(setting.seed),
        environment.SERVER: None,
        environment.FACE: None,
        environment.RECORDS: None,
        "PATH": os.pathsep.join([own, os.environ.get("PATH", os.defpath)]),
        # An installed copy of the repository must not be taken instead of the one that is being tried.
        "PYTHONPATH": os.pathsep.join([*roots, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "TORCHDYNAMO_DISABLE": "1",  # a compiled module calls none of its parts
    }
    if kind.device == "cpu":
        changes |= {"CUDA_VISIBLE_DEVICES": "", "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}
    return environment.applied(changes)


def _watched(
    command: Sequence[str], place: Path, variables: dict[str, str], timeout_s: float
) -> tuple[int | None, str, str]:
    try:
        child = subprocess.Popen(
            command, cwd=place, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return 127, "", f"{command[0]}: {error.strerror}"
    try:
        printed, complained = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        printed, complained = child.communicate()
        return None, printed, complained
    except BaseException:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()
        raise
    return child.returncode, printed, complained
