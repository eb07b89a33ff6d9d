"""Packages that are not there: which are found, what is said of the others, and that leaving takes all back."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys

import pytest

import jumar
from jumar import cudamap, startup
from jumar.cuda import packages

STAND_INS = [row.cuda for row in packages.rows().values() if packages.has_stand_in(row.cuda)]
KINDS = (packages.STAND_IN, packages.INSTEAD, packages.INSTALLED, "")


def of_packages() -> list[cudamap.Name]:
    rows = packages.rows()
    return [row for name, row in rows.items() if name.rpartition(".")[0] not in rows or row.status == "absent"]


def test_every_package_says_what_an_import_gets() -> None:
    for row in of_packages():
        if row.cuda.rpartition(".")[0].partition(".")[0] not in STAND_INS:
            assert row.ascend in KINDS, row
            assert (row.ascend == "") == (row.status == "absent"), row


def test_those_that_stand_before_the_installed_are_known_at_start() -> None:
    wanted = {name for name, row in packages.rows().items() if row.ascend == packages.INSTEAD}
    assert wanted == startup.INSTEAD


def test_every_stand_in_has_a_version() -> None:
    assert set(STAND_INS) == set(packages.VERSIONS)


def test_every_row_names_something_that_is_there(face: None) -> None:
    for name, row in packages.rows().items():
        owner, _, attribute = name.rpartition(".")
        if name.partition(".")[0] in STAND_INS and owner:
            assert hasattr(importlib.import_module(owner), attribute), row


@pytest.mark.parametrize("name", ["cupy", "tensorrt", "nvidia.dali", "pycuda"])
def test_a_package_without_counterpart_says_what_to_do(face: None, name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named") as caught:
        importlib.import_module(name)
    assert packages.rows()[name.partition(".")[0]].note in str(caught.value)
    assert importlib.util.find_spec(name.partition(".")[0]) is None


def test_found_and_with_version_by_those_who_look(face: None) -> None:
    assert importlib.util.find_spec("flash_attn") is not None
    assert importlib.metadata.version("flash_attn") == importlib.metadata.version("flash-attn") == "2.8.3"
    assert "flash_attn" in importlib.metadata.packages_distributions()


def test_what_a_stand_in_lacks_is_an_import_error(face: None) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"flash_attn\.nothing"):
        importlib.import_module("flash_attn.nothing")


def test_nothing_is_found_without_the_face() -> None:
    with jumar.cuda():
        importlib.import_module("flash_attn")
    assert "flash_attn" not in sys.modules
    assert importlib.util.find_spec("flash_attn") is None
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'cupy'$"):
        importlib.import_module("cupy")


def test_from_the_start_of_python_without_torch() -> None:
    program = (
        "import sys, importlib.util as u; assert u.find_spec('flash_attn'); assert u.find_spec('cupy') is None\n"
        "import pynvml; assert 'torch' not in sys.modules\n"
        "try: import cupy\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"JUMAR_FACE": "cuda"}, capture_output=True, text=True, check=True
    )
    assert "CuPy needs an NVIDIA GPU" in done.stdout
