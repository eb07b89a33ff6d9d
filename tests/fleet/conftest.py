"""A small scenario, whole or with lines changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jumar.fleet import scenario_file
from jumar.fleet.scenario import Scenario

SMALL = Path(__file__).with_name("small.toml")
Changed = Callable[..., Scenario]


@pytest.fixture
def small() -> Path:
    """The file of a complete scenario: chips `near`, `far`, `old`, workloads `train`, `chat`."""
    return SMALL


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """Reads that scenario after replacing pieces of it and adding lines at its end."""

    def read(*edits: tuple[str, str], more: str = "") -> Scenario:
        text = SMALL.read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {SMALL.name}"
            text = text.replace(old, new)
        path = tmp_path / "changed.toml"
        path.write_text(f"{text}\n{more}\n", encoding="utf-8")
        return scenario_file.load(path)

    return read
