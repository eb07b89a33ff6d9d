"""The `jumar` command as a person starts it: a process of its own, in an empty directory, on no server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


@pytest.fixture
def told() -> dict[str, Any]:
    """A server's report: the first chip is busy, hot and slowed down, the second is lost, the third rests untraced."""
    hot = {
        "temperature_c": 96.4, "hbm_temperature_c": 88.2, "inlet_c": 35.0, "power_w": 287.25, "clock_share": 0.75,
        "slow": 1, "health": "Alarm", "lost": False, "link_up": True, "operators": 120, "virtual_s": 1.5,
        "energy_j": 431.0, "ecc": {"single": 7, "double": 2, "isolated_single": 1, "isolated_double": 2},
        "faults": [{"code": "80E01801", "kind": "hbm_multi_bit_ecc", "virtual_s": 1.25}],
    }  # fmt: skip
    lost = {"lost": True, "health": "Critical", "link_up": False, "temperature_c": 40.0, "power_w": 90.0,
            "ecc": {"single": 0, "double": 0, "isolated_single": 0, "isolated_double": 0},
            "faults": [{"code": "40F84E00", "kind": "chip_lost", "virtual_s": 1.0}]}  # fmt: skip
    sizes = {"memory_bytes": 64 << 30, "peak_bytes": 3 << 30}
    chips = [
        {"id": 0, **sizes, "used_bytes": 3 << 30, "utilisation": 0.61, "condition": hot},
        {"id": 1, **sizes, "used_bytes": 0, "utilisation": 0.0, "condition": lost},
        {"id": 2, **sizes, "used_bytes": 0, "utilisation": 0.0},
    ]
    processes = [{"pid": os.getpid(), "used_bytes": [3 << 30, 0, 0]}]
    return {"soc_name": "Ascend910B2", "chips": chips, "processes": processes}


@pytest.fixture
def shown(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """The same report as what this shell's server says; changes of it are seen at once."""
    from jumar import inventory

    monkeypatch.setattr(inventory, "_read_server", lambda directory: told)
    monkeypatch.setenv("JUMAR_SERVER", str(tmp_path))
    (tmp_path / "state").touch()
    return told
