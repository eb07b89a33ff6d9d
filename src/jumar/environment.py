"""The environment variables that jumar reads or sets, in one table; nothing else names one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SERVER = "JUMAR_SERVER"
FACE = "JUMAR_FACE"
SEED = "JUMAR_SEED"
RECORDS = "JUMAR_RECORDS"
PERSONA = "JUMAR_AS"
FLOAT64 = "JUMAR_FLOAT64"
MODULES = "JUMAR_MODULES"
RANKS = "JUMAR_RANKS"

VARIABLES = {
    SERVER: "directory of the virtual server that torch_npu shall see; unset: no virtual chips",
    FACE: "what a CUDA program sees: `cuda` = jumar's CUDA face, `transfer` = the vendor's transfer_to_npu, `none`",
    RECORDS: "directory in which each process leaves what it saw, for the summary; unset: it leaves nothing",
    PERSONA: "the NVIDIA GPU that the CUDA face answers as; unset: A100",
    FLOAT64: "what becomes of double precision under the CUDA face: `chip`, `error`, `emulate`, `downcast`",
    MODULES: "directory in which each process leaves what its modules computed, for `jumar verify`; unset: nothing",
    RANKS: "ranks of a dry run in which only one is there and the others are imagined; unset: none are",
    SEED: "number to seed random, numpy and torch with when torch is imported; unset: they are left alone",
}

FACES = ("cuda", "transfer", "none")
FLOAT64_POLICIES = ("chip", "error", "emulate", "downcast")

# A real CANN is announced by these; under a virtual server they must not be seen, or the adapter looks there.
CANN = (
    "ASCEND_HOME_PATH",
    "ASCEND_TOOLKIT_HOME",
    "ASCEND_OPP_PATH",
    "ASCEND_CUSTOM_OPP_PATH",
    "ASCEND_AICPU_PATH",
)


# What a launcher would say to the one rank that is there, on its host; nobody ever connects to that address.
ALONE = {"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


# A kernel written in Python runs on the host where the chips are virtual; its package reads these.
KERNELS_ON_THE_HOST = {"TRITON_INTERPRET": "1", "NUMBA_ENABLE_CUDASIM": "1"}


@dataclass(frozen=True)
class Wishes:
    """What a run was asked for beside its chips. None: not asked for."""

    face: str = "none"
    seed: int | None = None
    persona: str | None = None
    float64: str | None = None
    ranks: int = 0  # that a dry run imagines, its own among them; 0: none
    rank: int = 0


def for_server(directory: Path, wishes: Wishes) -> dict[str, str | None]:
    """What a program's environment needs to see that server. None: to be unset."""
    kernels = KERNELS_ON_THE_HOST if wishes.face == "cuda" else {}
    changes = {**dict.fromkeys(CANN), **for_real(directory, wishes), **kernels, SERVER: str(directory)}
    return {**changes, "PATH": f"{vendor_commands(directory)}{os.pathsep}{changes['PATH']}"}


def for_real(records: Path, wishes: Wishes) -> dict[str, str | None]:
    """What it needs on this machine's own chips: CANN stays announced."""
    changes: dict[str, str | None] = {
        SERVER: None,
        FACE: wishes.face,
        SEED: None if wishes.seed is None else str(wishes.seed),
        RECORDS: str(records),
        PERSONA: wishes.persona,
        FLOAT64: wishes.float64,
        RANKS: str(wishes.ranks) if wishes.ranks else None,
    }
    if wishes.ranks:
        changes |= {"RANK": str(wishes.rank), "WORLD_SIZE": str(wishes.ranks), **ALONE}
    # torch finds torch_npu by itself unless this says 0, which a surrounding program may have left here.
    changes["TORCH_DEVICE_BACKEND_AUTOLOAD"] = None
    # `python`, `torchrun` and `pytest` shall be those of the environment that jumar is installed in.
    own = str(Path(sys.executable).parent)
    first = [str(commands(records)), own] if wishes.face == "cuda" else [own]
    changes["PATH"] = os.pathsep.join([*first, *_without(os.environ.get("PATH", os.defpath), own)])
    return changes


def commands(records: Path) -> Path:
    """Where the commands of a CUDA machine lie: nvidia-smi, nvcc."""
    return records / "bin"


def vendor_commands(records: Path) -> Path:
    """Where commands of the vendor's toolkit lie, laid out as there: msprof."""
    return records / "tools" / "profiler" / "bin"


def _without(path: str, directory: str) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry and entry != directory]


def applied(changes: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment with the changes."""
    merged = {name: value for name, value in os.environ.items() if changes.get(name, value) is not None}
    return merged | {name: value for name, value in changes.items() if value is not None}
