"""`jumar simulate` as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pyarrow.parquet as pq
import pytest

Command = Callable[..., "CompletedProcess[str]"]
TEXT = """
name = "small"
title = "Does it <hold>?"
days = "6 days"
[layout]
chips = "128 chip"
[failures.chip]
unit = "chip"
between = { value = 900, low = 400, high = 2000, unit = "hour", confidence = "assumption" }
repair = "5 hours"
[work.job]
chips = "120 chip"
hours = "3 days"
blocks = "1 min"
"""
QUICK = ("--replicas", "6", "--study-replicas", "1", "--workers", "2")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_answer_comes_first_and_the_page_last(jumar: Command, small: Path) -> None:
    ended = jumar("simulate", "small.toml", *QUICK, "--out", "out")
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("small: ") and "useful work" in lines[0] and "all work is done" in lines[0]
    assert "Daly" in ended.stdout and "spare hosts" in ended.stdout
    assert "out/report.html" in lines[-1]
    page = (small.parent / "out" / "report.html").read_text(encoding="utf-8")
    assert "Does it &lt;hold&gt;?" in page and "http://" not in page.replace("http://www.w3.org", "")
    parts = (small.parent / "out" / "replicas").glob("part-*.parquet")
    assert sum(pq.read_table(part).num_rows for part in parts) == 6


def test_a_resumed_simulation_gives_the_same(jumar: Command, small: Path) -> None:
    whole = json.loads(jumar("simulate", "small.toml", *QUICK, "--json").stdout)
    jumar("simulate", "small.toml", *QUICK, "--out", "out")
    refused = jumar("simulate", "small.toml", *QUICK, "--out", "out")
    assert refused.returncode == 2 and "--resume" in refused.stderr
    for part in (small.parent / "out" / "replicas").glob("part-*"):
        part.unlink()
    resumed = jumar("simulate", "small.toml", *QUICK, "--out", "out", "--resume", "--json")
    assert json.loads(resumed.stdout) == whole
    assert whole["ranges"]["goodput"]["mean"] > 0.3
    other = jumar("simulate", "small.toml", *QUICK, "--seed", "1", "--out", "out", "--resume")
    assert other.returncode == 2 and "another run" in other.stderr


REFUSED = {
    "simulate none.toml": "none.toml: cannot be read",
    "simulate small.toml --resume": "of what? Give the folder with --out",
    "simulate small.toml --days 0": "greater than 0",
    "simulate small.toml --days ten": "greater than 0",
    "simulate small.toml --replicas 0": "write a whole number, 1 or more",
    "simulate run.toml": 'work.job.step: on which chip? Write { run = "last", chip = "910c" }',
    "simulate chip.toml": "work.job.chips_share",
}


@pytest.mark.parametrize("line", REFUSED)
def test_one_line_and_exit_code_2(jumar: Command, small: Path, line: str) -> None:
    steps = 'steps = "9"\nstep = { run = "last" }'
    (small.parent / "run.toml").write_text(TEXT.replace('hours = "3 days"', steps), encoding="utf-8")
    share = 'chips_share = { run = "no-such-run", chip = "910b2" }'
    (small.parent / "chip.toml").write_text(f"{TEXT}{share}\n", encoding="utf-8")
    ended = jumar(*line.split())
    assert ended.returncode == 2 and ended.stdout == ""
    assert REFUSED[line] in ended.stderr and "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
