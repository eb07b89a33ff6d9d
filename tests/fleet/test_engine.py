"""Many tasks, whatever happens to workers, give the numbers that one process gives, and nothing is done twice."""

from __future__ import annotations

import importlib
import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from jumar.fleet import engine
from jumar.fleet.engine.fingerprint import fingerprint

ALL = [
    "processes",
    pytest.param(
        "ray",
        marks=pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not installed"),
    ),
]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("replica_work")


def test_seeds_go_with_the_replica_alone() -> None:
    tasks = engine.sweep([{"chips": 8}, {"chips": 16}], 3, seed=11)
    assert [task.number for task in tasks] == list(range(6))
    assert [task.seed for task in tasks[:3]] == [task.seed for task in tasks[3:]]
    assert len({task.seed for task in tasks}) == 3
    assert tasks[0].seed != engine.replicas(1, seed=12)[0].seed
    # Longer runs begin with the same replicas.
    assert [one.seed for one in engine.replicas(9, 11)][:3] == [one.seed for one in tasks[:3]]


@pytest.mark.parametrize("chosen", ALL)
def test_workers_give_what_one_process_gives_also_when_one_is_killed(
    chosen: str, work: ModuleType, tmp_path: Path
) -> None:
    tasks = engine.replicas(1000, seed=5)
    shared = {"scale": 0.1, "mark": str(tmp_path / "died")}
    here = engine.run(tasks, work.draw, shared=shared, engine="here")
    watching = Watching()
    there = engine.run(
        tasks,
        work.draw_or_die,
        shared=shared,
        engine=chosen,
        workers=2,
        directory=tmp_path / "parts",
        progress=watching,
    )
    assert (tmp_path / "died").exists()
    assert there.equals(here)
    assert there.num_rows == 1000 and len(set(there["mean"].to_pylist())) == 1000
    assert watching.done == watching.total == 1000
    if chosen == "processes":  # Ray repeats by itself and does not tell
        assert len(watching.losses) == 1 and "signal 9" in watching.losses[0]


def test_a_resumed_run_does_what_is_missing_and_nothing_else(work: ModuleType, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    shared, parts = {"scale": 2.0, "log": str(log)}, tmp_path / "parts"
    tasks = engine.sweep([{"chips": 8}, {"chips": 16}], 40, seed=3)
    whole = engine.run(tasks, work.draw_and_log, shared=shared, workers=2, directory=parts)
    assert len(list(log.iterdir())) == 80
    lost = sorted(parts.glob("part-*.parquet"))[-1]
    missing = engine.run(tasks, work.draw_and_log, shared=shared, workers=2, directory=parts)
    assert missing.equals(whole) and len(list(log.iterdir())) == 80
    lost.unlink()
    again = engine.run(tasks, work.draw_and_log, shared=shared, workers=2, directory=parts)
    assert again.equals(whole) and 80 < len(list(log.iterdir())) <= 160
    assert whole["chips"].to_pylist() == [8] * 40 + [16] * 40


def test_a_failing_task_is_named_and_what_was_done_before_is_kept(work: ModuleType, tmp_path: Path) -> None:
    shared = {"scale": 1.0, "at": 21, "mended": str(tmp_path / "mended")}
    tasks = engine.replicas(30, seed=1)
    for _ in range(2):  # resuming meets the same error, not another one
        with pytest.raises(engine.TaskFailed, match=r"task 21 \(replica 21, seed \d+\)[\s\S]*no chips left"):
            engine.run(tasks, work.fail_at, shared=shared, workers=1, directory=tmp_path / "parts")
    assert list((tmp_path / "parts").glob("part-*.parquet"))
    (tmp_path / "mended").touch()
    done = engine.run(tasks, work.fail_at, shared=shared, workers=1, directory=tmp_path / "parts")
    assert done.equals(engine.run(tasks, work.draw, shared=shared, engine="here"))


def test_a_task_that_kills_every_worker_ends_the_run(work: ModuleType) -> None:
    with pytest.raises(engine.WorkersLost, match=r"task 3 .*fewer --workers"):
        engine.run(engine.replicas(6, seed=1), work.always_die, shared={"scale": 1.0}, workers=2)


def test_a_program_without_a_guard_is_not_run_once_more_in_every_worker(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import replica_work\nfrom jumar.fleet import engine\nprint('begins')\n"
        "rows = engine.run(engine.replicas(4, seed=1), replica_work.draw, shared={'scale': 1.0}, workers=2)\n"
        "print(rows.num_rows)\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["begins", "4"] and not done.stderr


def test_results_of_another_run_are_refused(work: ModuleType, tmp_path: Path) -> None:
    tasks = engine.replicas(4, seed=1)
    engine.run(tasks, work.draw, shared={"scale": 1.0}, engine="here", directory=tmp_path)
    for other, shared in ((engine.replicas(4, seed=2), {"scale": 1.0}), (tasks, {"scale": 1.5})):
        with pytest.raises(engine.OtherResults, match="choose another directory"):
            engine.run(other, work.draw, shared=shared, engine="here", directory=tmp_path)
    (tmp_path / "notes.txt").write_text("keep me")
    fresh = engine.run(
        tasks[:2], work.draw, shared={"scale": 3.0}, engine="here", directory=tmp_path, renew=True
    )
    assert fresh.equals(engine.run(tasks[:2], work.draw, shared={"scale": 3.0}, engine="here"))
    assert {path.name for path in tmp_path.iterdir()} == {"run.json", "part-000000.parquet", "notes.txt"}


def test_without_ray_the_message_says_what_to_install(
    work: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(engine.EngineMissing, match=r"pip install 'jumar\[ray\]'"):
        engine.run(engine.replicas(2, seed=1), work.draw, shared={"scale": 1.0}, engine="ray")


def test_digests_depend_on_what_values_say_alone() -> None:
    values = [
        1.0,
        1,
        "1",
        (1,),
        [1],
        {1: 2},
        {2: 1},
        {1},
        np.array([1.0]),
        np.array([1]),
        np.array([[1.0]]),
        None,
    ]
    digests = {fingerprint(value) for value in values}
    assert len(digests) == len(values)
    assert fingerprint({"a": 1, "b": [2, 3]}) == fingerprint({"b": [2, 3], "a": 1})
    assert fingerprint({f"name {at}" for at in range(50)}) == fingerprint(
        {f"name {at}" for at in range(49, -1, -1)}
    )
    assert fingerprint(engine.replicas(2, 1)) != fingerprint(engine.replicas(2, 2))
    with pytest.raises(TypeError, match="plain values"):
        fingerprint(object())


def test_progress_says_what_was_there_what_was_lost_and_what_is_left() -> None:
    said = io.StringIO()
    printer = engine.Printer("replicas", said)
    printer.begin(100, 40)
    printer.said -= 60  # as if the last line were a minute old
    printer.begun -= 60
    printer.advance(30)
    printer.lost("a worker died (signal 9); 3 tasks are done again")
    printer.end()
    assert said.getvalue().splitlines() == [
        "replicas: 40 of 100 are there from before",
        "replicas: 70 of 100, about 60 s left",
        "replicas: a worker died (signal 9); 3 tasks are done again",
    ]


def test_tasks_may_give_no_row_or_several(work: ModuleType, tmp_path: Path) -> None:
    tasks = engine.replicas(5, seed=1)
    for _ in range(2):  # the second time from disk
        table = engine.run(tasks, work.several_rows, engine="here", directory=tmp_path)
        assert table["task"].to_pylist() == [1, 1, 3, 3]
        assert table["value"].to_pylist() == [0.5, 1, 0.5, 1]


class Watching:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self.losses: list[str] = []

    def begin(self, total: int, kept: int) -> None:
        self.total, self.done = total, kept

    def advance(self, done: int) -> None:
        self.done += done

    def lost(self, how: str) -> None:
        self.losses.append(how)

    def end(self) -> Any:
        pass
