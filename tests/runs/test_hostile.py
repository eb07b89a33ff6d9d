"""Runs that no program made: random events and damaged files are priced or refused with a reason, and never crash."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import synthetic

from jumar import chips
from jumar.report import heat_section
from jumar.runs import directory
from jumar.runs.account import account, heat_of
from jumar.runs.directory import BadRun
from jumar.runs.format import Events, Exchange, Phase, Run, Type, events_of
from jumar.runs.heating import Surroundings
from jumar.runs.pricing import Options, price_run

CHIPS = [chips.find(name) for name in ("910b2", "h100", "v5p")]


def any_events(seed: int, count: int, kinds: int) -> Events:
    draw = np.random.default_rng(seed)
    type_ = draw.integers(0, max(Type) + 1, count)
    columns = {
        "process": draw.integers(0, 3, count),
        "type": type_,
        "kind": np.where(type_ == Type.OPERATOR, draw.integers(-1, kinds, count), -1),
        "chip": draw.integers(0, 2, count),
        "stream": draw.integers(0, 4, count),
        "bytes": draw.choice([0, 1, 1 << 10, 1 << 30, 1 << 50], count),
        "address": draw.integers(0, 20, count),
        "event": draw.integers(-1, 6, count),
        "blocking": draw.integers(0, 2, count),
        "host_ns": draw.integers(0, 1 << 40, count),
        "blocked_ns": draw.integers(0, 1 << 30, count),
        "line": draw.integers(-1, 5, count),
        "module": draw.integers(-1, 5, count),
        "phase": draw.integers(0, max(Phase) + 1, count),
        "step": np.sort(draw.integers(0, 5, count)),
        "communicator": draw.integers(0, 2, count),
        "exchange": draw.integers(0, 8, count),
        "collective": draw.integers(0, max(Exchange) + 1, count),
        "ranks": draw.integers(0, 9, count),
        "peer": draw.integers(-1, 4, count),
    }
    return events_of(columns, count)


@pytest.mark.parametrize("seed", range(25))
def test_any_events_are_priced(seed: int, tmp_path: Path) -> None:
    kinds = synthetic.gpt2(steps=1, layers=1).kinds
    run = Run({}, kinds, any_events(seed, [1, 5, 40, 400][seed % 4], len(kinds)), {})
    directory.write(tmp_path, run)
    back = directory.read(tmp_path)
    for chip in CHIPS:
        for options in (Options(), Options(host="measured")):
            priced = price_run(back, chip, options)
            assert np.isfinite(priced.end_s).all() and priced.step_s >= 0
            assert sum(priced.parts.values()) == pytest.approx(priced.step_s, rel=1e-6, abs=1e-12)
        account(back, priced)
    if seed < 6:
        told = heat_of(back, priced, Surroundings("degraded"))
        assert np.isfinite([told["die_c"], told["stack_c"], told["power_w"]]).all()
        assert not np.isnan(told["recorded"]["power_w"]).any()
        assert heat_section.section(told).body


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_are_refused_or_read(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed)
    directory.write(tmp_path / "run", synthetic.gpt2(steps=2, layers=1, processes=2))
    path = tmp_path / "run" / choose.choice(["events.parquet", "kinds.parquet", "names.parquet", "run.json"])
    data = bytearray(path.read_bytes())
    for _ in range(choose.choice([1, 3, 20])):
        data[choose.randrange(len(data))] = choose.randrange(256)
    path.write_bytes(bytes(data[: choose.randrange(len(data))] if choose.random() < 0.2 else data))
    try:
        run = directory.read(tmp_path / "run")
    except BadRun as error:
        assert str(tmp_path / "run") in str(error)
        return
    assert price_run(run, CHIPS[0]).step_s >= 0


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("type", 99, "type of event"),
        ("kind", 1000, "a kind that is none"),
        ("bytes", -1, "negative size"),
        ("process", -1, "process or chip"),
        ("phase", 9, "phase"),
        ("stream", -2, "stream or step"),
    ],
)
def test_impossible_events_are_named(column: str, value: int, said: str, tmp_path: Path) -> None:
    run = synthetic.gpt2(steps=1, layers=1)
    columns = {name: getattr(run.events, name).copy() for name in Events.__dataclass_fields__}
    columns[column][7] = value
    directory.write(tmp_path, Run(run.facts, run.kinds, events_of(columns, len(run.events)), run.names))
    with pytest.raises(BadRun, match=f"event 7 has .*{said}"):
        directory.read(tmp_path)
    shutil.rmtree(tmp_path)
