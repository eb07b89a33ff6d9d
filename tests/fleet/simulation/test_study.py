"""Variants of a cluster: the best interval of checkpoints is near Daly's, spares are weighed against idle hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jumar.fleet import engine
from jumar.fleet.simulation import cluster_file, study, summary
from jumar.fleet.simulation.cluster_file import ClusterFile
from jumar.fleet.simulation.replica import replica, with_spares

TEXT = """
name = "study"
days = "20 days"
[layout]
chips = "512 chip"
[operation]
spares = "1 server"
[failures.host]
unit = "host"
between = "500 hour"
repair = "12 hours"
repair_law = "exponential"
[work.job]
chips = "440 chip"
hours = "1 year"
blocks = "3 min"
restart = "5 min"
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> ClusterFile:
    path = tmp_path_factory.mktemp("study") / "study.toml"
    path.write_text(TEXT, encoding="utf-8")
    return cluster_file.load(path)


@pytest.fixture(scope="module")
def studied(file: ClusterFile) -> list[dict[str, float]]:
    tasks = engine.sweep(study.variants(file.cluster()), 12, 7)
    rows: list[dict[str, float]] = engine.run(tasks, replica, shared=file, engine="here").to_pylist()
    return rows


def test_the_best_interval_is_dalys(file: ClusterFile, studied: list[dict[str, float]]) -> None:
    found = study.checkpoints(file.cluster(), studied)
    assert found["best_h"] == pytest.approx(found["daly_h"], rel=0.3)
    assert found["good_from_h"] <= found["best_h"] <= found["good_to_h"]
    goodputs = [point["mean"] for point in found["points"]]
    assert max(goodputs) - goodputs[0] > 0.02 and max(goodputs) - goodputs[-1] > 0.02
    best = max(found["points"], key=lambda point: point["mean"])
    assert best["mean"] == pytest.approx(found["meta_ettr"], abs=0.05)


def test_spares_are_weighed(file: ClusterFile, studied: list[dict[str, float]]) -> None:
    found = study.spares(file.cluster(), studied)
    assert found["down_on_average"] == pytest.approx(64 * 12 / 512)
    # Below the mean that is in repair a job mostly waits, far above it spares lie idle.
    assert 1 <= found["best"] <= 2 * found["binomial_99"]
    without = next(point["mean"] for point in found["points"] if point["hosts"] == 0)
    assert max(point["mean"] for point in found["points"]) > without + 0.02


def test_a_single_job_takes_what_is_no_spare_with_the_same_work(file: ClusterFile) -> None:
    cluster = file.cluster()
    for spares in (0, 5, 30):
        resized = with_spares(cluster, spares).work[0]
        assert resized.chips == (64 - spares) * 8
        assert resized.hours * resized.chips == pytest.approx(cluster.work[0].hours * cluster.work[0].chips)
    several = replace(cluster, work=(replace(cluster.work[0], count=2),))
    assert with_spares(several, 5).work == several.work


def test_the_summary_holds_together(file: ClusterFile) -> None:
    rows = engine.run(engine.replicas(6, 1), replica, shared=file, engine="here").to_pylist()
    facts = summary.summarise(file, rows, [])
    good = facts["ranges"]["goodput"]
    assert good["low"] <= good["middle"] <= good["high"] and good["low"] <= good["mean"] <= good["high"]
    assert sum(one["mean"] for one in facts["uses"]) == pytest.approx(1)
    assert facts["finished"] == 0 and facts["ranges"]["days_to_end"]["middle"] > 365
    assert len(facts["daily"]) == 20 and facts["checkpoints"] is None
    host = facts["kinds"][0]
    assert host["name"] == "host" and host["failures"]["mean"] == pytest.approx(64 * 480 / 500, rel=0.2)
    assert len(facts["timeline"]) == min(facts["timeline_of"], 400) > 10
    assert facts["gantt"][0]["name"] == "job" and facts["gantt"][0]["ends"] is None
    assert facts["gantt"][0]["until"] == 20
