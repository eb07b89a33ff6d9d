"""`jumar inject` on a server without a program, and what `jumar run` says to faults that cannot be."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jumar.machine import server

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def conditions(directory: Path) -> list[dict[str, Any]]:
    return [chip["condition"] for chip in server.report(directory)["chips"]]


def test_a_fault_strikes_is_seen_and_cleared(jumar: Command, tmp_path: Path) -> None:
    assert "no server lives here" in jumar("inject", "lost").stderr
    assert "did you mean lost" in jumar("inject", "lots").stderr
    assert jumar("env", "--devices", "2", "--name", "train").returncode == 0
    directory = tmp_path / "jumar-train"
    assert "say which: --chip 0" in jumar("inject", "lost").stderr
    assert "--chip 2: the server has 2 chips" in jumar("inject", "lost", "--chip", "2").stderr
    assert jumar("inject", "lost", "--chip", "1", "--server", "train").stdout.split()[-1] == "lost"
    well, lost = conditions(directory)
    assert well["health"] == "OK" and lost["lost"] and lost["faults"][0]["code"] == "80FA4E00"
    assert jumar("inject", "hbm_rows", "--chip", "0").returncode == 0
    assert conditions(directory)[0]["ecc"]["isolated_double"] == 16
    assert jumar("inject", "--clear").stdout == "all chips are well, nothing waits\n"
    assert all(one["health"] == "OK" and not one["faults"] for one in conditions(directory))
    events = [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events if event["kind"] == "lost"] == ["fault", "recovered"]


def test_the_list_has_what_the_catalogue_has(jumar: Command) -> None:
    kinds = json.loads(jumar("inject", "--list", "--json").stdout)
    assert len(kinds) >= 30
    lines = jumar("inject", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [kind["name"] for kind in kinds]


def test_a_run_refuses_faults_that_cannot_be(jumar: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[[fault]]\nkind = 'lost'\nchip = 3\n")
    for options, said in (
        (("--faults", "bad.toml"), "chip 3: the server has chips 0 to 0"),
        (("--faults", "none.toml"), "none.toml: cannot be read"),
        (("--mtbf", "soon"), "--mtbf: 'soon' is no duration"),
        (("--mtbf", "2h", "--no-trace"), "without a trace no time passes"),
    ):
        ended = jumar("run", *options, "true")
        assert ended.returncode == 2 and said in ended.stderr
        assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "jumar-runs").exists()


def test_faults_of_a_run_are_drawn_by_its_seed(jumar: Command) -> None:
    waiting = [jumar("run", "--mtbf", "5000", "--seed", seed, "true").stderr for seed in ("1", "1", "2")]
    first, again, other = (text.split("jumar: 1 ×")[0] for text in waiting)
    assert first == again != other and first.count("chip 0") == 8 and "56 more" in first
