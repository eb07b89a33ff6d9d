"""The commands that a run finds on its PATH: small launchers in the server's directory. Those of a CUDA machine are there
for programs that see one; the vendor's are always."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from jumar import environment

MODULES = {"nvidia-smi": "jumar.cli.nvidia_smi", "nvcc": "jumar.cli.nvcc"}


VENDOR_MODULES = {"msprof": "jumar.cli.msprof", "npu-smi": "jumar.cli.npu_smi"}
# torch_npu looks whether this file of the vendor's toolkit is there, beside the command's own folder.
TOOLKIT_FILE = "profiler_tool/analysis/msprof/msprof.py"


def install(directory: Path) -> None:
    """Writes the launchers where `environment` puts them on PATH."""
    _write(environment.commands(directory), MODULES)
    place = environment.vendor_commands(directory)
    _write(place, VENDOR_MODULES)
    marker = place.parent / TOOLKIT_FILE
    marker.parent.mkdir(parents=True)
    marker.write_text("# jumar: the command msprof does not need this file, torch_npu asks for it\n")


def _write(place: Path, modules: Mapping[str, str]) -> None:
    place.mkdir(parents=True)
    for name, module in modules.items():
        launcher = place / name
        launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        launcher.chmod(0o755)
