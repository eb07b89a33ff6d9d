"""Builds the native core with sanitizers and runs its own tests, which play the adapter in C++.

The default run has the address and undefined-behaviour sanitizers; `--sweep` adds the thread sanitizer.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [
    "copy",
    "dry",
    "engine",
    "fault",
    "graph",
    "hccl",
    "legacy",
    "memory",
    "operator",
    "process",
    "profile",
    "server",
    "stream",
    "trace",
]


def environment(**more: str) -> dict[str, str]:
    """Without what would lead the tests to another build, or to the server of this pytest process."""
    strange = ("JUMAR_", "LD_", "ASCEND_")
    return {key: value for key, value in os.environ.items() if not key.startswith(strange)} | more


def command(*words: str | Path, seconds: int, **more: str) -> None:
    """Runs it; what it said is in the failure."""
    done = subprocess.run(
        words,
        env=environment(**more),
        timeout=seconds,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        pytest.fail(
            f"{shlex.join(map(str, words))} ended with {done.returncode}:\n{done.stdout[-20000:]}",
            pytrace=False,
        )


def build(directory: Path, sanitizer: str) -> Path:
    """The directory with the core and its tests. `sanitizer`: JUMAR_SANITIZE in native/CMakeLists.txt."""
    cmake = shutil.which("cmake") or pytest.fail("cmake is missing: pip install 'jumar[test]'", pytrace=False)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    settings = [
        "-DJUMAR_TESTS=ON",
        f"-DJUMAR_SANITIZE={sanitizer}",
        "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g",
    ]
    python = f"-DPython3_EXECUTABLE={sys.executable}"
    command(cmake, "-S", ROOT / "native", "-B", directory, *generator, *settings, python, seconds=120)
    targets = ["native_tests", "jumar_executor"]
    command(cmake, "--build", directory, "--parallel", "2", "--target", *targets, seconds=900)
    return directory


@pytest.fixture(scope="session")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("native")
    yield build(directory, "ON")
    shutil.rmtree(directory)  # pytest would keep it


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_address_and_undefined_behaviour(sanitized: Path, chapter: str) -> None:
    command(sanitized / "tests/native_tests", chapter, seconds=300)


def test_executor_with_address_sanitizer(sanitized: Path, tmp_path: Path) -> None:
    """The executor's C++ under the sanitizer inside an ordinary Python, which has it preloaded."""
    package = tmp_path / "jumar"  # this source tree, with the sanitized libraries
    (package / "lib").mkdir(parents=True)
    for path in (ROOT / "src/jumar").iterdir():
        if path.name != "lib":
            (package / path.name).symlink_to(path)
    for path in sanitized.glob("libjumar_*.so"):
        (package / "lib" / path.name).symlink_to(path)
    compiler = os.environ.get("CXX", "c++")
    libraries = [
        subprocess.run(
            [compiler, f"-print-file-name={name}"], check=True, text=True, stdout=subprocess.PIPE
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    settings = {
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",  # of CPython and PyTorch, which free little at exit
        "PYTHONPATH": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }
    script = tmp_path / "python"
    assignments = " ".join(f"{key}={shlex.quote(value)}" for key, value in settings.items())
    script.write_text(f'#!/bin/sh\nexec env {assignments} {shlex.quote(sys.executable)} "$@"\n')
    script.chmod(0o755)
    command(sanitized / "tests/native_tests", "python", seconds=300, JUMAR_TEST_PYTHON=str(script))


@pytest.fixture(scope="session")
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not request.config.getoption("--sweep"):
        pytest.skip("the thread sanitizer needs a second build of the core, two minutes long: --sweep")
    directory = tmp_path_factory.mktemp("native-threads")
    yield build(directory, "thread")
    shutil.rmtree(directory)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_threads(watched: Path, chapter: str) -> None:
    command(watched / "tests/native_tests", chapter, seconds=600, TSAN_OPTIONS="halt_on_error=1")
