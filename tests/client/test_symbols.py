"""Reads the installed torch_npu wheel: whatever its libraries link or look up by name is served, where they ask for it."""

from __future__ import annotations

import csv
import ctypes
import importlib.metadata
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

elftools = pytest.importorskip("elftools.elf.elffile", reason="pyelftools reads the wheel's libraries")

import jumar  # noqa: E402

pytestmark = pytest.mark.virtual_only

TABLES = next(path for root in jumar.__path__ if (path := Path(root) / "abi").joinpath("acl_functions.tsv").is_file())
SYSTEM = ("libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libstdc++.so.6", "libgcc_s.so.1")
# Parts of the wheel that are not served, and why. One that is served all the same fails.
NOT_SERVED = {
    "torchair": "the graph compiler's front end: links the C++ graph engine; loaded by `import torchair` only",
}
# Names that are asked for alone: no operator with a twin for its workspace.
ALONE = {"aclnnNpuFormatCastCalculateSizeAndFormat", "aclnnReselectStaticKernel", "aclnnReselectStaticKernelWithPath"}
ALONE |= {"aclnnSetPytorchRandom"}
# Strings in the wheel that look like operators and are words of messages.
NO_OPERATORS = {"aclnnNotFound", "aclnnNotFoundV2", "aclnnLogH", "aclnnNonL", "aclnnUniH"}


def wheel_libraries() -> list[Path]:
    files = importlib.metadata.files("torch_npu") or []
    return sorted(Path(str(file.locate())) for file in files if re.search(r"\.so(\.|$)", file.name))


@cache
def dynamic_symbols(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Names that a library defines, and names that it needs."""
    with path.open("rb") as file:
        table = elftools.ELFFile(file).get_section_by_name(".dynsym")
        defined, needed = set(), set()
        for symbol in table.iter_symbols():
            if symbol["st_shndx"] != "SHN_UNDEF":
                defined.add(symbol.name)
            elif symbol["st_info"]["bind"] != "STB_WEAK":
                needed.add(symbol.name)
    return frozenset(defined), frozenset(needed)


def strings(path: Path, pattern: bytes) -> set[str]:
    return {match.decode() for match in re.findall(pattern, path.read_bytes())}


@cache
def thin(library: str) -> ctypes.CDLL | None:
    from jumar.machine import libraries

    folder = libraries.directory()
    assert folder is not None, libraries.REMEDY
    path = folder / (library if ".so" in library else f"{library}.so")
    return ctypes.CDLL(str(path)) if path.is_file() else None


def serves(library: str, name: str) -> bool:
    found = thin(library)
    return found is not None and hasattr(found, name)


def rows(file: str) -> list[dict[str, str]]:
    with (TABLES / file).open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def linked_names(path: Path) -> set[str]:
    """What this library of the wheel needs and neither the wheel, PyTorch, Python nor the system defines."""
    import torch

    others = {*wheel_libraries(), *(Path(torch.__path__[0]) / "lib").glob("*.so*")}
    elsewhere = frozenset().union(*(dynamic_symbols(other)[0] for other in others))
    system = [ctypes.CDLL(name) for name in SYSTEM]
    python = ctypes.CDLL(None)
    names = {name for name in dynamic_symbols(path)[1] - elsewhere if name}
    return {
        name for name in names
        if not any(hasattr(library, name) for library in system)
        and not (name.startswith(("Py", "_Py")) and hasattr(python, name))
    }  # fmt: skip


def needed_libraries(path: Path) -> list[str]:
    with path.open("rb") as file:
        tags = elftools.ELFFile(file).get_section_by_name(".dynamic").iter_tags("DT_NEEDED")
        return [tag.needed for tag in tags]


def elsewhere(library: str) -> bool:
    """Whether it comes with the wheel, with PyTorch or with the system."""
    import torch

    shipped = {path.name for path in [*wheel_libraries(), *(Path(torch.__path__[0]) / "lib").iterdir()]}
    return library in shipped or library in SYSTEM or library.startswith("ld-linux")


def each_library() -> list[Any]:
    """The wheel's libraries as test parameters, those in NOT_SERVED marked as failing."""
    found = []
    for path in wheel_libraries():
        reason = next((why for part, why in NOT_SERVED.items() if part in str(path)), None)
        marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
        found.append(pytest.param(path, id=path.name, marks=marks))
    return found


def adapter() -> Path:
    return next(path for path in wheel_libraries() if path.name == "libtorch_npu.so")


@pytest.mark.parametrize("path", each_library())
def test_linked_names_are_served(path: Path) -> None:
    """By a library that it needs itself, or that the adapter has loaded before it."""
    libraries = {name for name in [*needed_libraries(path), *needed_libraries(adapter())] if thin(name) is not None}
    absent = {name for name in needed_libraries(path) if not elsewhere(name) and thin(name) is None}
    assert not absent
    missing = {name for name in linked_names(path) if not any(serves(library, name) for library in libraries)}
    assert not missing


def test_the_wheel_links_what_we_think() -> None:
    """Guards the test above against finding nothing."""
    names = linked_names(adapter())
    assert len(names) >= 80, sorted(names)
    assert {"aclInit", "aclrtMalloc"} <= names


@pytest.mark.parametrize("library", sorted({row["library"] for row in rows("acl_functions.tsv")}))
def test_looked_up_names_are_served(library: str) -> None:
    names = [row["function"] for row in rows("acl_functions.tsv") if row["library"] == library]
    assert thin(library) is not None, f"{library}.so is not there"
    assert [name for name in names if not serves(library, name)] == []


def test_operators_are_served() -> None:
    names = [row["operator"] for row in rows("aclnn_signatures.tsv")]
    assert len(names) >= 904
    alone = {name for name in names if name in ALONE or name.endswith("GetMaxWorkspaceSize")}
    twins = [f"{name}GetWorkspaceSize" for name in names if name not in alone]
    assert [entry for entry in [*names, *twins] if not serves("libopapi", entry)] == []


def test_every_operator_of_the_wheel_is_known() -> None:
    mentioned = set().union(*(strings(path, rb"\0(aclnn[A-Z][A-Za-z0-9_]+)(?=\0)") for path in wheel_libraries()))
    names = {name.removesuffix("GetWorkspaceSize") for name in mentioned} - NO_OPERATORS
    assert len(names) > 850
    functions = {row["function"] for row in rows("acl_functions.tsv")}
    assert names - {row["operator"] for row in rows("aclnn_signatures.tsv")} - functions == set()
