"""Fixtures of the client ring: the device under test, and programs run as processes of their own."""

from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

COUNT = itertools.count()


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


class Machine:
    """A server, or the CPU or real chip in its place, on which programs are started as processes of their own."""

    def __init__(
        self, on: str, directory: Path, chip: str, devices: int, traced: bool, settings: dict[str, Any]
    ) -> None:
        self.on, self.directory = on, directory
        self.environment = {name: value for name, value in os.environ.items() if name != "JUMAR_SERVER"}
        if on == "virtual":
            from jumar import chips, environment
            from jumar.machine import server

            tracing = server.Tracing(directory) if traced else None
            wanted = server.settings(chips.find(chip), devices, False, None, tracing)
            directory.mkdir()
            server.create(directory, dataclasses.replace(wanted, **settings))
            self.environment = environment.applied(environment.for_server(directory, environment.Wishes()))

    def report(self) -> dict[str, Any]:
        from jumar.machine import server

        return server.report(self.directory)

    def start(self, source: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Python source as a process; `DEVICE` and `torch` are defined in it."""
        device = "cpu" if self.on == "cpu" else "npu"
        file = self.directory.parent / f"program{next(COUNT)}.py"
        file.write_text(f"import torch\nDEVICE = {device!r}\n{textwrap.dedent(source)}")
        path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
        environment = {**self.environment, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, **(env or {})}
        return subprocess.Popen(
            [sys.executable, "-X", "faulthandler", str(file)], env=environment, cwd=file.parent, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(
        self, source: str, env: dict[str, str] | None = None, check: bool = True, timeout: float = 240.0
    ) -> subprocess.CompletedProcess[str]:
        """Runs Python source to its end. Fails the test on a non-zero exit."""
        process = self.start(source, env)
        try:
            out, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # faulthandler tells where it hangs
            out, errors = process.communicate()
            pytest.fail(f"still running after {timeout} s\n{out[-4000:]}\n{errors[-8000:]}", pytrace=False)
        if check and process.returncode != 0:
            pytest.fail(f"exit {process.returncode}\n{out[-4000:]}\n{errors[-8000:]}", pytrace=False)
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


@pytest.fixture(scope="session")
def new_machine() -> type[Machine]:
    """For fixtures that outlive a test, which cannot ask for `machine`."""
    return Machine


@pytest.fixture
def machine(on: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Machine]:
    """Makes a server of its own: `machine(chip="910B4", devices=2, traced=True, dry=1, memory_bytes=…)`."""
    always = bool(request.config.getoption("--traced"))

    def make(chip: str = "910B2", devices: int = 1, traced: bool = always, **settings: Any) -> Machine:
        return Machine(on, tmp_path / f"server{next(COUNT)}", chip, devices, traced, settings)

    return make


@pytest.fixture
def run_program(machine: Callable[..., Machine]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs one program on a server of its own; for the arguments see Machine.run."""

    def run(source: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return machine().run(source, **options)

    return run
