"""Packages of the CUDA world that are not there: each a folder or file here, imported under its own name.

The rows of packages.tsv without a dot, or whose parent has none, are packages; what `ascend` says of one decides:

| ascend                          | what an import gets                                                       |
|---------------------------------|---------------------------------------------------------------------------|
| stand-in                        | what is here under that name, unless the package is installed             |
| stand-in, even where installed  | what is here; the installed one cannot work without an NVIDIA GPU         |
| the installed package           | that, made ready; if there is none an ImportError with the row's note     |
| (empty)                         | an ImportError with the row's note; whoever only looks for it finds none  |

The other rows are names in the stand-ins; each use of one is counted in the account.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from jumar import cudamap
from jumar.cuda import account

HERE = Path(__file__).parent
TABLE = "packages"
_MACHINERY = ("importlib", "jumar.")  # whose frames stand between an import and its finder
STAND_IN, INSTEAD, INSTALLED = "stand-in", "stand-in, even where installed", "the installed package"
_INSTALLED_IN = ("site-packages", "dist-packages")
# Package: the distribution that brings it, and the version whose interface the stand-in has.
VERSIONS = {
    "apex": ("apex", "0.1"),
    "bitsandbytes": ("bitsandbytes", "0.48.2"),
    "flash_attn": ("flash-attn", "2.8.3"),
    "pynvml": ("nvidia-ml-py", "12.575.51"),
    "xformers": ("xformers", "0.0.32"),
}


@cache
def rows() -> dict[str, cudamap.Name]:
    return {row.cuda: row for row in cudamap.names(TABLE)}


def has_stand_in(package: str) -> bool:
    row = rows().get(package)
    return row is not None and row.ascend in (STAND_IN, INSTEAD)


def find_spec(name: str, asking: FrameType | None) -> ModuleSpec | None:
    """The stand-in of that module; ModuleNotFoundError with the remedy if an `import` wants what has none."""
    importer = _importer(asking)
    by_program = importer is not None and _is_program(importer)
    if has_stand_in(name.partition(".")[0]):
        if by_program and name in VERSIONS:
            account.note("adapted", f"import {name}")
        return _stand_in(name)
    row = rows().get(name)
    if row is None or importer is None:
        return None
    if by_program:
        account.note("refused", f"import {name}")
    raise ModuleNotFoundError(f"No module named {name!r}: {row.note}", name=name)


def _importer(asking: FrameType | None) -> FrameType | None:
    """Who imports; None if importlib.util.find_spec asks, as programs do that want to know what is installed."""
    imports = False
    while asking is not None and asking.f_globals.get("__name__", "").startswith(_MACHINERY):
        imports = imports or asking.f_code.co_name == "_find_and_load_unlocked"
        asking = asking.f_back
    return asking if imports else None


def _is_program(frame: FrameType) -> bool:
    """Whether this is the program's own code; a library that only tries what is there is none of its doing."""
    name, file = frame.f_globals.get("__name__", ""), frame.f_code.co_filename
    return name.partition(".")[0] not in account.NOT_THE_PROGRAM and not any(
        one in file for one in _INSTALLED_IN
    )


def _stand_in(name: str) -> ModuleSpec | None:
    place = HERE.joinpath(*name.split("."))
    package = (place / "__init__.py").is_file()
    file = place / "__init__.py" if package else place.with_suffix(".py")
    if not file.is_file():
        return None
    spec = importlib.util.spec_from_file_location(name, file, loader=_Loader(name, str(file)))
    if spec is not None and package:
        spec.submodule_search_locations = []  # so that its modules are looked for here too, and counted
    return spec


class _Loader(SourceFileLoader):
    """Runs a stand-in under the package's own name and counts the use of what the table lists."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name in VERSIONS:
            module.__version__ = VERSIONS[name][1]  # type: ignore[attr-defined]
            account.NOT_THE_PROGRAM.add(name)
        super().exec_module(module)
        for row in rows().values():
            owner, _, attribute = row.cuda.rpartition(".")
            if owner == name and hasattr(module, attribute):
                setattr(module, attribute, _counted(row.cuda, getattr(module, attribute)))


def _counted(name: str, found: Any) -> Any:
    if isinstance(found, type):
        if "__init__" in vars(found):
            found.__init__ = account.counted("adapted", name, found.__init__)  # type: ignore[misc]
        return found
    counted_already = getattr(found, "__wrapped__", None) is not None
    return account.counted("adapted", name, found) if callable(found) and not counted_already else found


def loaded() -> list[str]:
    """The modules that are stand-ins."""
    return [
        name for name, module in list(sys.modules.items())
        if has_stand_in(name.partition(".")[0]) and isinstance(module.__loader__, _Loader)
    ]  # fmt: skip


def forget() -> None:
    """As if no stand-in had been imported."""
    for name in loaded():
        del sys.modules[name]


class _Metadata(Distribution):
    """What importlib.metadata says of a stand-in."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._name, self._version = VERSIONS[package]

    def read_text(self, filename: str) -> str | None:
        return {
            "METADATA": f"Metadata-Version: 2.1\nName: {self._name}\nVersion: {self._version}\n",
            "top_level.txt": f"{self._package}\n",
        }.get(str(filename))

    def locate_file(self, path: Any) -> Any:
        return HERE / path


def distributions(wanted: str | None) -> Iterator[Distribution]:
    """The stand-ins' metadata: of one distribution, or of all that are not installed."""
    for package, (name, _) in VERSIONS.items():
        if wanted is None:
            if not _installed(name):
                yield _Metadata(package)
        elif _normal(wanted) in (_normal(name), _normal(package)):
            yield _Metadata(package)


def _installed(distribution: str) -> bool:
    try:
        return not isinstance(Distribution.from_name(distribution), _Metadata)
    except PackageNotFoundError:
        return False


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
