"""Servers by name: which one a command means, and what is said where that is not clear."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from jumar.cli import servers
from jumar.cli.refusal import Refusal


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("JUMAR_SERVER", raising=False)
    return tmp_path


def make(place: Path, name: str, owner: int | None = None) -> Path:
    directory = place / f"jumar-{name}"
    directory.mkdir()
    (directory / servers.STATE).touch()
    if owner is not None:
        (directory / servers.OWNER).write_text(f"{owner}\n")
    return directory


def test_the_only_server_is_meant(place: Path) -> None:
    with pytest.raises(Refusal, match="no server lives here"):
        servers.find(None)
    one = make(place, "one", os.getpid())
    assert servers.find(None) == one
    assert servers.find("one") == servers.find("jumar-one") == servers.find(str(one)) == one
    with pytest.raises(Refusal, match="no server 'two' lives here; there are one"):
        servers.find("two")


def test_of_several_one_must_be_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = make(place, "one"), make(place, "two", os.getpid())
    assert servers.live() == [one, two]
    with pytest.raises(Refusal, match="2 servers live here: say --server NAME; there are one, two"):
        servers.find(None)
    monkeypatch.setenv("JUMAR_SERVER", str(two))
    assert servers.find(None) == two  # this shell's own
    assert servers.find("one") == one


def test_a_server_whose_owner_was_killed_does_not_count(place: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    directory = make(place, "left", ended.pid)
    assert servers.abandoned(directory) and servers.live() == []
    (place / "jumar-mine").mkdir()  # something else of that prefix
    assert not servers.abandoned(place / "jumar-mine") and not servers.lives(place / "jumar-mine")
