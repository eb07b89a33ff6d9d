"""The tables of versions that the vendor says fit together, and which of them this machine has."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TARGETS = ("ascend",)
ARCHITECTURES = {"x86_64": "x86-64", "amd64": "x86-64", "aarch64": "aarch64", "arm64": "aarch64"}
CANN_HOMES = ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH")
CANN_PLACES = ("/usr/local/Ascend/cann", "/usr/local/Ascend/ascend-toolkit/latest")
DRIVER_FILE = Path("/usr/local/Ascend/driver/version.info")
VERSION = re.compile(r"^(?:Version|version|package_version)\s*=\s*\[?([\w.]+)", re.MULTILINE)


class BadVersions(ValueError):
    """A row that cannot be used; the message names file and line."""


@dataclass(frozen=True)
class Pair:
    """torch and torch_npu of one release, with the CANN they were made for, those they also run on, and the
    Pythons that there are wheels for."""

    torch_npu: str
    torch: str
    cann: str
    also: tuple[str, ...]
    python: tuple[str, ...]
    confidence: str
    source: str


@dataclass(frozen=True)
class Driver:
    """Which releases of driver and firmware (Ascend HDK) a release of CANN runs on."""

    cann: str
    hdk: tuple[str, ...]
    confidence: str
    source: str


@dataclass(frozen=True)
class Environment:
    """What is, or shall be, on a machine. None: not known, or not chosen yet."""

    torch: str | None = None
    torch_npu: str | None = None
    cann: str | None = None
    driver: str | None = None
    python: str | None = None
    architecture: str | None = None


@cache
def pairs() -> tuple[Pair, ...]:
    """Newest first."""
    rows = _rows("pairs.tsv", ("torch_npu", "torch", "cann", "also", "python", "confidence", "source"))
    return tuple(
        Pair(row[0], row[1], row[2], tuple(row[3].strip("-").split()), tuple(row[4].split()), row[5], row[6])
        for row in rows
    )


@cache
def drivers() -> tuple[Driver, ...]:
    rows = _rows("drivers.tsv", ("cann", "hdk", "confidence", "source"))
    return tuple(Driver(row[0], tuple(row[1].split()), row[2], row[3]) for row in rows)


def _rows(file: str, columns: tuple[str, ...]) -> list[list[str]]:
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    if tuple(lines[0].split("\t")) != columns:
        raise BadVersions(f"{file}:1: the first line must be the columns {', '.join(columns)}")
    rows = [line.split("\t") for line in lines[1:]]
    for number, row in enumerate(rows, 2):
        if len(row) != len(columns) or not all(row):
            raise BadVersions(f"{file}:{number}: wants {len(columns)} fields, none of them empty")
    return rows


def base(version: str) -> str:
    """Without the build tag: 2.4.0+cu121 is 2.4.0."""
    return version.partition("+")[0]


def driver_of(cann: str) -> Driver | None:
    """The row of the longest version that begins this one: 8.5 for 8.5.2."""
    fitting = [row for row in drivers() if cann == row.cann or cann.startswith(row.cann + ".")]
    return max(fitting, key=lambda row: len(row.cann), default=None)


def here() -> Environment:
    """This machine, as far as files and package metadata tell; nothing is run."""
    return Environment(
        torch=_package("torch"),
        torch_npu=_package("torch-npu"),
        cann=_cann(),
        driver=_version_in(DRIVER_FILE),
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        architecture=ARCHITECTURES.get(platform.machine().lower(), platform.machine()),
    )


def _package(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cann() -> str | None:
    named = [os.environ[name] for name in CANN_HOMES if os.environ.get(name)]
    for place in (*named, *CANN_PLACES):
        for file in ("version.cfg", "ascend_toolkit_install.info", "version.info"):
            if found := _version_in(Path(place) / file):
                return found
        for described in sorted(Path(place).glob("*-linux/ascend_toolkit_install.info")):
            if version := _version_in(described):
                return version
    return None


def _version_in(file: Path) -> str | None:
    try:
        match = VERSION.search(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return match[1] if match else None
