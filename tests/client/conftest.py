"""Fixtures of the client ring: the device under test, and programs run as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def on(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--on"))


@pytest.fixture(scope="session")
def device(on: str) -> str:
    """The name PyTorch knows the device by."""
    return "cpu" if on == "cpu" else "npu"


@pytest.fixture(autouse=True)
def quiet_device(device: str) -> Iterator[None]:
    """Each test begins and ends with an idle device, so that a late error is told by the test that caused it."""
    yield
    if device == "npu":
        import torch

        torch.npu.synchronize()


def command_line(on: str, chip: str | None, devices: int, dry: bool, settings: dict[str, Any]) -> list[str]:
    if on != "virtual":
        return []
    options = ["--devices", str(devices)] + ["--dry"] * dry + (["--chip", chip] if chip else [])
    for name, value in settings.items():
        options += [f"--{name.replace('_', '-')}", str(value)]
    return [sys.executable, "-m", "jumar", "run", *options, "--"]


@pytest.fixture
def run_program(on: str, device: str, tmp_path: Path) -> Program:
    """Runs Python source on a fresh server of its own; `DEVICE` is defined in it. Fails the test on a non-zero exit."""

    def run(
        source: str,
        *,
        chip: str | None = None,
        devices: int = 1,
        dry: bool = False,
        env: dict[str, str] | None = None,
        check: bool = True,
        timeout: float = 300.0,
        **settings: Any,
    ) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "program.py"
        file.write_text(f"DEVICE = {device!r}\n" + textwrap.dedent(source))
        environment = {name: value for name, value in os.environ.items() if name != "JUMAR_SERVER"}
        environment.update({"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE), **(env or {})})
        done = subprocess.run(
            [*command_line(on, chip, devices, dry, settings), sys.executable, str(file)],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        if check and done.returncode != 0:
            pytest.fail(f"exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}", pytrace=False)
        return done

    return run
