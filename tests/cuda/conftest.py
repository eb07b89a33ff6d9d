"""The CUDA face on, for one test or for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import jumar


@pytest.fixture
def face() -> Iterator[None]:
    with jumar.cuda():
        yield


@pytest.fixture(scope="module")
def face_for_module() -> Iterator[None]:
    with jumar.cuda():
        yield
