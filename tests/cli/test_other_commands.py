"""`jumar env`, `jumar chips`, `jumar doctor`, and that the parser alone is cheap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Command = Callable[..., "CompletedProcess[str]"]
JUMAR = f"""{sys.executable} -c 'import sys; from jumar.cli import main; sys.exit(main())'"""


def test_env_starts_and_stops_a_server_in_a_shell(tmp_path: Path) -> None:
    script = f"""
    set -e
    eval "$({JUMAR} env --chip 910C --devices 8 --seed 3)"
    test -f "$JUMAR_SERVER/state"; echo "$JUMAR_SERVER $JUMAR_FACE $JUMAR_SEED"
    eval "$({JUMAR} env --stop)"
    echo "[$JUMAR_SERVER$JUMAR_FACE$JUMAR_SEED]"
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    ended = subprocess.run(
        ["sh", "-c", script], env=variables, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    first, second = ended.stdout.splitlines()
    directory, face, seed = first.split()
    assert (face, seed, second) == ("cuda", "3", "[]")
    assert not Path(directory).exists()
    assert "8 × Ascend910_9382" in ended.stderr


def test_stop_refuses_a_directory_that_is_no_server(tmp_path: Path) -> None:
    """`jumar env --stop` deletes a directory, so it must be sure which."""
    (tmp_path / "precious").write_text("keep me")
    ended = subprocess.run(
        ["sh", "-c", f"{JUMAR} env --stop"],
        env={**os.environ, "JUMAR_SERVER": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2 and "was not made by `jumar env`" in ended.stderr
    assert (tmp_path / "precious").exists()


def test_chips_lists_names_and_sources(jumar: Command) -> None:
    table = jumar("chips").stdout
    assert "Ascend910B2 " in table and "64.0 GiB" in table and "[1] github:hicann/runtime" in table
    card = jumar("chips", "910A").stdout
    assert "given as 32 GB" in card and "vendor-2nd" in card


def test_chips_as_json(jumar: Command) -> None:
    (one,) = json.loads(jumar("chips", "910b4", "--json").stdout)
    size = one["quantities"]["memory.size"]
    assert (one["name"], size["value"], size["unit"], size["confidence"]) == (
        "Ascend910B4",
        2**35,
        "B",
        "vendor",
    )
    assert len(json.loads(jumar("chips", "--json").stdout)) > 8


def test_doctor_finds_this_environment_sound(jumar: Command) -> None:
    ended = jumar("doctor", "--json")
    found = {finding["subject"]: finding for finding in json.loads(ended.stdout)}
    assert ended.returncode == 0, [finding for finding in found.values() if finding["state"] == "bad"]
    assert "they fit" in found["torch, torch_npu"]["seen"]
    assert "loads" in found["native core"]["seen"]
    assert "active in a new Python" in found["start-up hook"]["seen"]
    assert int(found["operators"]["seen"].split()[0]) >= 350
    patched = [
        finding["seen"] for finding in json.loads(ended.stdout) if finding["subject"] == "patched in a run"
    ]
    assert any("torch.autograd:backward" in line for line in patched)


def test_doctor_names_what_is_bad(jumar: Command) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main(['doctor']))"],
        env={**os.environ, "JUMAR_SERVER": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "bad  virtual server    /nonexistent is gone" in ended.stdout


def test_the_parser_imports_nothing_heavy() -> None:
    """`jumar --help` is instant because no command's module is imported before that command is chosen."""
    heavy = "{'torch', 'torch_npu', 'numpy', 'tomllib', 'subprocess', 'ctypes', 'json'}"
    code = f"import sys; from jumar.cli.main import parser; parser(); print(*({heavy} & sys.modules.keys()))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "\n"
