"""The commands of a CUDA machine that a run finds on its PATH: small launchers in the server's directory."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from jumar import environment

MODULES = {"nvidia-smi": "jumar.cli.nvidia_smi", "nvcc": "jumar.cli.nvcc"}


def install(directory: Path) -> None:
    """Writes the launchers where `environment` puts them on PATH."""
    place = environment.commands(directory)
    place.mkdir()
    for name, module in MODULES.items():
        launcher = place / name
        launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        launcher.chmod(0o755)
