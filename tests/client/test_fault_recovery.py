"""A training loop that comes to the same weights as an undisturbed one, and random schedules that leave nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.virtual_only, pytest.mark.needs_chip]
JUMAR = [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())"]
TRAIN = [str(ROOT / "examples" / "checkpointed_train.py"), "--steps", "20", "--check"]
SCENARIO = """
seed = 7
[[fault]]
kind = "overheat"
chip = 0
after = 100
amount = 30
[[fault]]
kind = "corrupt"
chip = 0
after = 400
[[fault]]
kind = "hbm_ecc"
chip = 0
after = 900
[[fault]]
kind = "lost"
chip = 0
after = 1000
"""


def start(place: Path, *words: str) -> subprocess.Popen[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    variables |= {"OMP_NUM_THREADS": "1", "XDG_RUNTIME_DIR": str(place)}
    place.mkdir()
    return subprocess.Popen(
        [*JUMAR, "run", "--devices", "2", "--out", "report", *words],
        cwd=place, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def told(running: subprocess.Popen[str]) -> list[str]:
    out, errors = running.communicate(timeout=300)
    assert running.returncode == 0, out + errors
    return out.splitlines()


def test_a_loop_with_checkpoints_reaches_the_undisturbed_weights(tmp_path: Path) -> None:
    (tmp_path / "faults.toml").write_text(SCENARIO)
    undisturbed = start(tmp_path / "undisturbed", *TRAIN)
    disturbed = start(
        tmp_path / "disturbed", "--faults", str(tmp_path / "faults.toml"), *TRAIN, "--attempts", "5"
    )
    (expected,) = told(undisturbed)
    lines = told(disturbed)
    assert expected.startswith("weights ") and lines[-1] == expected
    assert any("silent corruption" in line for line in lines)
    ends = [line for line in lines if line.startswith("fault on chip")]
    assert "HBM MULTI BIT ECC ERROR" in ends[0] and "507010" in ends[1]
    assert all("507033" in line for line in ends[2:])  # the lost chip does not open again
    assert all("chip 0" in line for line in ends)  # chip 1 takes over
    events = (tmp_path / "disturbed" / "report" / "events.jsonl").read_text()
    for kind in ("overheat", "corrupt", "hbm_ecc", "lost"):
        assert f'"event":"fault","code":"{code(kind)}","kind":"{kind}"' in events
    assert not list((tmp_path / "disturbed").glob("jumar-*/state"))


def code(name: str) -> str:
    from jumar.machine import faults

    return faults.find(name).code


def test_random_schedules_leave_nothing_behind() -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    ended = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "fault_schedules.py"), "--schedules", "12", "--processes", "0"],
        env=variables | {"OMP_NUM_THREADS": "1"}, text=True, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr[-4000:]
    assert "no hang, nothing left allocated" in ended.stdout
