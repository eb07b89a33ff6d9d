"""Where the tests run: `--on virtual` (default) makes a virtual server for this pytest process before torch is imported,
`--on real` uses the chip and the CANN of this machine, `--on cpu` checks the test bodies themselves."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

CHIP = "910B2"
CHIPS_A_SERVER = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("jumar")
    group.addoption("--on", choices=("virtual", "real", "cpu"), default="virtual", help="what `device` is")
    group.addoption("--traced", action="store_true", help="virtual servers keep a trace, as under `jumar run`")
    group.addoption("--sweep", action="store_true", help="every OpInfo operator, dtype and sample (about an hour)")
    group.addoption("--fuzz", type=int, default=300, metavar="N", help="broken files that the scanner is given")
    group.addoption("--record", metavar="FILE", help="append the outcome of every OpInfo test to FILE")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs_chip: the body looks at the chip itself and means nothing on the CPU")
    config.addinivalue_line("markers", "virtual_only: the body asks for what only a virtual chip has")
    controls_workers = bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")
    if config.getoption("--on") == "virtual" and not controls_workers:
        _enter_server(config)


def _enter_server(config: pytest.Config) -> None:
    """Every pytest process has a server of its own, so that what one test holds cannot starve another's chip."""
    if "JUMAR_SERVER" in os.environ:
        return
    from jumar import chips, environment
    from jumar.machine import server

    directory = Path(tempfile.mkdtemp(prefix="jumar-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))
    tracing = server.Tracing(directory) if config.getoption("--traced") else None
    server.create(directory, server.settings(chips.find(CHIP), CHIPS_A_SERVER, False, None, tracing))
    inside = environment.applied(environment.for_server(directory, environment.Wishes()))
    for name in set(os.environ) - set(inside):
        del os.environ[name]
    os.environ.update(inside)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    on = config.getoption("--on")
    for item in items:
        if on == "cpu" and item.get_closest_marker("needs_chip"):
            item.add_marker(pytest.mark.skip(reason="needs a chip, virtual or real"))
        if on != "virtual" and item.get_closest_marker("virtual_only"):
            item.add_marker(pytest.mark.skip(reason="asks for what only a virtual chip has"))
