"""Makes the idioms importable, as the package that a tool runs too, and the environment that of `jumar run`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture(scope="module")
def machine() -> Iterator[None]:
    """Variables and commands of a CUDA machine, for what the idioms start."""
    from jumar import environment
    from jumar.cli import commands

    before, directory = dict(os.environ), Path(os.environ[environment.SERVER])
    commands.install(directory)
    os.environ.update(environment.applied(environment.for_server(directory, environment.Wishes("cuda"))))
    yield
    os.environ.clear()
    os.environ.update(before)
