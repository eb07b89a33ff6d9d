"""Run directories: what is written comes back, and what is damaged or foreign is refused with its reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import synthetic

from jumar.runs import directory
from jumar.runs.directory import BadRun
from jumar.runs.format import Run


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    directory.write(tmp_path / "one", synthetic.gpt2(steps=2, layers=2))
    return tmp_path / "one"


def test_written_run_comes_back(kept: Path) -> None:
    run, back = synthetic.gpt2(steps=2, layers=2), directory.read(kept)
    assert directory.same(run.events, back.events)
    assert list(back.kinds) == list(run.kinds) and back.names == run.names
    assert back.facts["command"] == run.facts["command"]


def test_empty_run_comes_back(tmp_path: Path) -> None:
    directory.write(tmp_path, directory.empty())
    assert len(directory.read(tmp_path).events) == 0


def test_an_event_takes_few_bytes(tmp_path: Path) -> None:
    run = synthetic.gpt2(steps=8)
    directory.write(tmp_path, run)
    size_b = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert size_b < 64 * len(run.events)


@pytest.mark.parametrize("name", ["events.parquet", "kinds.parquet", "names.parquet", "run.json"])
def test_cut_file_is_named(kept: Path, name: str) -> None:
    path = kept / name
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(BadRun, match=name.replace(".", r"\.")) as said:
        directory.read(kept)
    assert "jumar runs delete one" in str(said.value)


@pytest.mark.parametrize("name", ["events.parquet", "kinds.parquet", "names.parquet"])
def test_missing_file_is_named(kept: Path, name: str) -> None:
    (kept / name).unlink()
    with pytest.raises(BadRun, match=f"{name}: missing"):
        directory.read(kept)


def test_run_without_a_trace_says_why(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(BadRun, match="--no-trace"):
        directory.read(tmp_path)


def test_run_that_did_not_end(kept: Path) -> None:
    (kept / "run.json").unlink()
    with pytest.raises(BadRun, match="not written to the end"):
        directory.read(kept)


def test_newer_format(kept: Path) -> None:
    facts = json.loads((kept / "run.json").read_text())
    (kept / "run.json").write_text(json.dumps({**facts, "schema": 99}))
    with pytest.raises(BadRun, match="use a newer jumar"):
        directory.read(kept)


def test_foreign_json(kept: Path) -> None:
    (kept / "run.json").write_text('{"name": "somebody else"}')
    with pytest.raises(BadRun, match="not written by `jumar run`"):
        directory.read(kept)


def test_fewer_events_than_said(kept: Path) -> None:
    facts = json.loads((kept / "run.json").read_text())
    facts["rows"]["events"] += 5
    (kept / "run.json").write_text(json.dumps(facts))
    with pytest.raises(BadRun, match="events of"):
        directory.read(kept)


def test_find(tmp_path: Path) -> None:
    for number, name in enumerate(("20260101-a", "20260102-b")):
        directory.write(tmp_path / name, synthetic.gpt2(steps=1, layers=1))
        os.utime(tmp_path / name / "run.json", (number, number))
    assert directory.find("last", tmp_path).name == "20260102-b"
    assert directory.find("20260101", tmp_path).name == "20260101-a"
    assert directory.find(str(tmp_path / "20260101-a"), tmp_path / "elsewhere").name == "20260101-a"
    with pytest.raises(BadRun, match="beginning of 2 runs"):
        directory.find("2026", tmp_path)
    with pytest.raises(BadRun, match="no such run"):
        directory.find("x", tmp_path)
    with pytest.raises(BadRun, match="no run under"):
        directory.find("last", tmp_path / "empty")


def test_list_says_what_cannot_be_used(kept: Path) -> None:
    (kept.parent / "old").mkdir()
    (kept.parent / "old" / "summary.json").write_text("{}")
    (kept.parent / "something").mkdir()
    faults = {one.path.name: one.fault for one in directory.listed(kept.parent)}
    assert faults["one"] == "" and "no trace" in faults["old"] and "something" not in faults


def test_delete_leaves_other_folders_alone(kept: Path) -> None:
    (kept.parent / "mine").mkdir()
    with pytest.raises(BadRun, match="not a run"):
        directory.delete(kept.parent / "mine")
    directory.delete(kept)
    assert not kept.exists() and (kept.parent / "mine").exists()


def test_synthetic_step_is_of_the_size_of_a_real_one() -> None:
    run: Run = synthetic.gpt2(steps=2)
    assert 500 < len(run.events) / 2 < 2000
