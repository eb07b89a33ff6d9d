"""The CUDA face on, for one test or for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import jumar


@pytest.fixture(autouse=True)
def switches_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.testing._internal, which other tests of this process import, freezes torch.backends for all."""
    names = torch.backends.flags_frozen.__globals__  # torch.backends itself is an object in the module's place
    monkeypatch.setitem(names, "__allow_nonbracketed_mutation_flag", True)


@pytest.fixture
def face() -> Iterator[None]:
    with jumar.cuda():
        yield


@pytest.fixture(scope="module")
def face_for_module() -> Iterator[None]:
    with jumar.cuda():
        yield
