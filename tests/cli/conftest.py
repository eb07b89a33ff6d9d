"""The `jumar` command as a person starts it: a process of its own, in an empty directory, on no server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def jumar(tmp_path: Path) -> Command:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    variables |= {"OMP_NUM_THREADS": "1", "XDG_RUNTIME_DIR": str(tmp_path)}

    def run(*arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-c",
            "import sys; from jumar.cli import main; sys.exit(main())",
            *arguments,
        ]
        return subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=timeout, check=False
        )

    return run
