"""The environment variables that jumar reads or sets, in one table; nothing else names one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SERVER = "JUMAR_SERVER"
FACE = "JUMAR_FACE"
SEED = "JUMAR_SEED"

VARIABLES = {
    SERVER: "directory of the virtual server that torch_npu shall see; unset: no virtual chips",
    FACE: "what a CUDA program sees: `transfer` = the vendor's transfer_to_npu, `none` = PyTorch as it is",
    SEED: "number to seed random, numpy and torch with when torch is imported; unset: they are left alone",
}

FACES = ("transfer", "none")

# A real CANN is announced by these; under a virtual server they must not be seen, or the adapter looks there.
CANN = (
    "ASCEND_HOME_PATH",
    "ASCEND_TOOLKIT_HOME",
    "ASCEND_OPP_PATH",
    "ASCEND_CUSTOM_OPP_PATH",
    "ASCEND_AICPU_PATH",
)


def for_server(directory: Path, face: str, seed: int | None) -> dict[str, str | None]:
    """What a program's environment needs to see that server. None: to be unset."""
    changes: dict[str, str | None] = dict.fromkeys(CANN)
    changes |= {SERVER: str(directory), FACE: face, SEED: None if seed is None else str(seed)}
    # torch finds torch_npu by itself unless this says 0, which a surrounding program may have left here.
    changes["TORCH_DEVICE_BACKEND_AUTOLOAD"] = None
    # `python`, `torchrun` and `pytest` shall be those of the environment that jumar is installed in.
    own = str(Path(sys.executable).parent)
    changes["PATH"] = os.pathsep.join([own, *_without(os.environ.get("PATH", os.defpath), own)])
    return changes


def _without(path: str, directory: str) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry and entry != directory]


def applied(changes: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment with the changes."""
    merged = {name: value for name, value in os.environ.items() if changes.get(name, value) is not None}
    return merged | {name: value for name, value in changes.items() if value is not None}
