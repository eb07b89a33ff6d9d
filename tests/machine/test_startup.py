"""What installing jumar does to a Python that does not ask for it: nothing that is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jumar

PTH = Path(jumar.__file__).parent.parent / "jumar.pth"


def python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A fresh Python on no server, with these variables."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUMAR_", "ASCEND_")) and name != "TORCH_DEVICE_BACKEND_AUTOLOAD"
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_plain_torch_works_and_does_not_load_the_adapter() -> None:
    ended = python("import torch, sys; print(torch.ones(2).sum().item(), 'torch_npu' in sys.modules)")
    assert (ended.stdout, ended.stderr) == ("2.0 False\n", "")


def test_the_autoload_switch_does_not_leak_into_children() -> None:
    """Else `jumar run` started from Python would run a program that never finds its chips."""
    ended = python("import torch, os; print(os.environ.get('TORCH_DEVICE_BACKEND_AUTOLOAD'))")
    assert ended.stdout == "None\n"


def test_the_adapter_imports_and_sees_no_chips() -> None:
    code = "import torch_npu, torch; print(torch.npu.is_available(), torch.npu.device_count())"
    ended = python(code)
    assert ended.stdout == "False 0\n", ended.stderr


def test_transformers_works() -> None:
    """It imports torch_npu whenever that is installed, which alone fails without CANN."""
    ended = python("import transformers; from transformers import BertConfig, BertModel; print('fine')")
    assert ended.stdout == "fine\n", ended.stderr


def test_a_real_cann_is_left_alone() -> None:
    """With a CANN announced, the loaders of torch are untouched; here torch_npu then finds no libraries."""
    code = (
        "import importlib.util as u; from importlib.machinery import SourceFileLoader as L;"
        "print([('exec_module' in vars(u.find_spec(name).loader)) for name in ('torch', 'torch_npu')])"
    )
    assert python(code, ASCEND_HOME_PATH="/usr/local/Ascend/latest").stdout == "[False, False]\n"
    assert python(code).stdout == "[True, True]\n"


def test_a_library_of_a_real_cann_on_the_search_path_is_seen(tmp_path: Path) -> None:
    (tmp_path / "libascendcl.so").touch()
    code = "from jumar import attachment; print(attachment.situation().name)"
    assert python(code, LD_LIBRARY_PATH=f"/nowhere:{tmp_path}").stdout == "CANN\n"
    assert python(code).stdout == "NOTHING\n"
    assert python(code, JUMAR_SERVER="/somewhere", ASCEND_HOME_PATH="/x").stdout == "SERVER\n"


def test_a_server_that_is_gone_shows_no_chips() -> None:
    """A shell in which the server was stopped elsewhere still runs programs."""
    ended = python("import torch; print(torch.npu.device_count())", JUMAR_SERVER="/nonexistent/server")
    assert ended.stdout.splitlines()[-1:] == ["0"], ended.stderr


def test_start_up_imports_next_to_nothing() -> None:
    """Every Python of the environment pays for the hook: nothing else may be imported by it."""
    watched = "('jumar', 'ctypes', 'torch', 'subprocess')"
    code = f"import sys; print(sorted(name for name in sys.modules if name.startswith({watched})))"
    assert python(code).stdout == "['jumar', 'jumar.startup']\n"


def test_the_hook_is_silent_when_jumar_is_half_uninstalled(tmp_path: Path) -> None:
    (tmp_path / "jumar.pth").write_text(PTH.read_text() if PTH.exists() else installed_pth())
    (tmp_path / "jumar").mkdir()
    code = f"import site; site.addsitedir({str(tmp_path)!r}); print('still here')"
    ended = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.stderr) == ("still here\n", "")


def installed_pth() -> str:
    places = (Path(entry) / "jumar.pth" for entry in sys.path if entry)
    return next(place for place in places if place.is_file()).read_text()
