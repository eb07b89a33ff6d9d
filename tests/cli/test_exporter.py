"""`jumar exporter`: read back with Prometheus's own parser; the dashboard and the alert rules ask for what is given."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from jumar.cli import exporter
from jumar.cli.refusal import Refusal
from jumar.report.monitoring import boards, dashboard, metrics

RULES_TEST = Path(__file__).with_name("alerts_test.yml")
NAME = re.compile(r"\b(?:npu|machine|jumar|DCGM)_\w+")


def chosen(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    exporter.arguments(parser)
    return parser.parse_args(words)


def scraped(*words: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Name of each sample → its labels and value."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(exporter.metrics(chosen(*words)).decode()):
        assert family.documentation and family.type in ("gauge", "counter"), family
        for sample in family.samples:
            # This parser adds _total to counters that lack it; Prometheus takes names as they are.
            own = sample.name.removesuffix("_total") if sample.name.startswith("DCGM") else sample.name
            found.setdefault(own, []).append((sample.labels, sample.value))
    return found


def of_chip(found: list[tuple[dict[str, str], float]], chip: str, label: str = "id") -> float | None:
    return next((value for labels, value in found if labels[label] == chip), None)


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("npu_chip_info_temperature", (96.4, None, None)),
        ("npu_chip_info_hbm_temperature", (88.2, None, None)),
        ("npu_chip_info_power", (287.25, None, None)),
        ("npu_chip_info_aicore_current_freq", (1350, None, 1800)),
        ("npu_chip_info_health_status", (0, 0, 1)),
        ("npu_chip_info_link_status", (1, 0, 1)),
        ("npu_chip_info_error_code", (0x80E01801, 0x40F84E00, None)),
        ("npu_chip_info_hbm_ecc_double_bit_error_cnt", (2, 0, None)),
        ("npu_chip_info_hbm_used_memory", (3072, 0, 0)),
        ("npu_chip_info_utilization", (61, None, 0)),
        ("npu_chip_info_process_info", (3072, None, None)),
        ("jumar_chip_lost", (0, 1, 0)),
        ("jumar_chip_health_level", (2, 3, 0)),
        ("jumar_chip_energy_joules_total", (431, None, None)),
    ],
)
def test_vendors_names(shown: dict[str, Any], metric: str, values: tuple[float | None, ...]) -> None:
    found = scraped("--names", "npu")[metric]
    assert tuple(of_chip(found, chip) for chip in "012") == values


def test_labels_are_the_vendors(shown: dict[str, Any]) -> None:
    found = scraped("--names", "npu")
    labels = found["npu_chip_info_power"][0][0]
    assert sorted(labels) == [
        "container_name",
        "id",
        "model_name",
        "namespace",
        "pcie_bus_info",
        "pod_name",
        "vdie_id",
    ]
    assert (labels["model_name"], labels["pcie_bus_info"]) == ("910B2-Ascend-V1", "0000:C1:00.0")
    assert found["npu_chip_info_process_info"][0][0]["process_id"] == str(os.getpid())
    assert found["npu_chip_info_name"][0][0]["name"] == "910B2-Ascend-V1"
    machine = {
        name: found[f"machine_{name}"][0][1]
        for name in ("npu_nums", "healthy_npu_nums", "unhealthy_npu_nums")
    }
    assert machine == {"npu_nums": 3, "healthy_npu_nums": 1, "unhealthy_npu_nums": 2}
    assert not [name for name in found if name.startswith("DCGM")]


def test_nvidias_names(shown: dict[str, Any]) -> None:
    found = scraped("--names", "dcgm", "--as", "A100")
    values = {name: of_chip(found[f"DCGM_FI_DEV_{name}"], "0", "gpu")
              for name in ("GPU_TEMP", "POWER_USAGE", "FB_USED", "XID_ERRORS", "SM_CLOCK", "ECC_DBE_VOL_TOTAL",
                           "TOTAL_ENERGY_CONSUMPTION")}  # fmt: skip
    assert values == {"GPU_TEMP": 96.4, "POWER_USAGE": 287.25, "FB_USED": 3072, "XID_ERRORS": 48,
                      "SM_CLOCK": round(1410 * 0.75), "ECC_DBE_VOL_TOTAL": 2,
                      "TOTAL_ENERGY_CONSUMPTION": 431000}  # fmt: skip
    assert of_chip(found["DCGM_FI_DEV_XID_ERRORS"], "1", "gpu") == 79
    labels = found["DCGM_FI_DEV_GPU_TEMP"][0][0]
    assert labels["modelName"].startswith("NVIDIA A100") and labels["UUID"].startswith("GPU-")
    assert not [name for name in found if name.startswith("npu_")]


def test_counters_keep_their_names(shown: dict[str, Any]) -> None:
    text = exporter.metrics(chosen()).decode()
    assert "# TYPE DCGM_FI_DEV_ECC_DBE_VOL_TOTAL counter\n" in text
    assert "_total_total" not in text and "# TYPE jumar_chip_operators_total counter\n" in text


def test_every_metric_with_a_value_can_be_seen(shown: dict[str, Any]) -> None:
    shown["chips"][0]["condition"]["faults"] = [
        {"code": f"80E0180{digit}", "kind": "made up", "virtual_s": digit} for digit in range(10)
    ]
    expected = {one.metric for name in metrics.EXPORTERS for one in metrics.given(name)}
    assert set(scraped()) == expected


def test_without_a_server_there_are_no_chips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JUMAR_SERVER", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    found = scraped()
    assert found["machine_npu_nums"] == [({}, 0.0)]
    assert not [name for name in found if name.startswith("npu_chip")]
    with pytest.raises(Refusal, match="no server"):
        exporter.execute(chosen("--once"))


def test_over_http(shown: dict[str, Any]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), exporter.handler(chosen())) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"http://127.0.0.1:{server.server_address[1]}/metrics"
        with urllib.request.urlopen(where, timeout=20) as answer:
            assert answer.headers["Content-Type"] == exporter.CONTENT_TYPE
            assert b"machine_npu_nums 3.0\n" in answer.read()
        server.shutdown()


def test_rows_are_refused_with_file_and_line() -> None:
    with pytest.raises(metrics.BadMetric, match=r"metrics.tsv:7: nothing in values.py is called heat"):
        metrics._checked(["npu-exporter", "npu_x", "gauge", "heat", "a text"], 7)


def asked(expressions: list[str]) -> set[str]:
    return {name for text in expressions for name in NAME.findall(text)}


def test_dashboard_is_whole_and_asks_for_what_is_given(tmp_path: Path) -> None:
    assert exporter.write(tmp_path) == 0
    board = json.loads((tmp_path / exporter.DASHBOARD).read_text())
    panels = board["panels"]
    assert [one["id"] for one in panels] == list(range(1, len(panels) + 1))
    cells = [
        (column, line)
        for place in (one["gridPos"] for one in panels)
        for column in range(place["x"], place["x"] + place["w"])
        for line in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells)) and max(column for column, _ in cells) < dashboard.COLUMNS
    given = {one.metric for name in metrics.EXPORTERS for one in metrics.given(name)}
    expressions = [target["expr"] for one in panels for target in one["targets"]]
    queries = [one["query"] for one in board["templating"]["list"]]
    assert len(asked(expressions)) > 12 and asked(expressions + queries) <= given
    rules = yaml.safe_load((tmp_path / "alerts.yml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alerts) > 8 and asked([rule["expr"] for rule in alerts]) <= given
    assert all(NAME.search(rule["expr"]) and rule["annotations"]["summary"] for rule in alerts)


def test_grafana_knows_every_field_of_the_dashboard() -> None:
    """Read into Grafana's own types and written again, nothing is lost or changed."""
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    plugins.register_default_plugins()
    board = dashboard.build()
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(json.dumps(board)))))
    assert list(lost(board, known, "")) == []


def lost(given: Any, known: Any, where: str) -> Iterator[str]:
    """Places that are not the same in what was read."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            yield from lost(value, known.get(name), f"{where}/{name}")
    elif isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        for at, (one, other) in enumerate(zip(given, known, strict=True)):
            yield from lost(one, other, f"{where}/{at}")
    elif given != known:
        yield where


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)"
)
def test_promtool_accepts_the_rules_and_they_fire(tmp_path: Path) -> None:
    exporter.write(tmp_path)
    shutil.copy(RULES_TEST, tmp_path)
    for words in (["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"],
                  ["test", "rules", RULES_TEST.name]):  # fmt: skip
        done = subprocess.run(["promtool", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)"
)
def test_promtool_accepts_the_metrics(shown: dict[str, Any]) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=exporter.metrics(chosen("--names", "npu")),
                          capture_output=True, check=False)  # fmt: skip
    # Its taste in names (3) is not the vendor's; text that it cannot read is another matter (1).
    assert done.returncode in (0, 3), done.stderr
    assert b"error while linting" not in done.stderr


def test_boards_give_each_chip_an_address_of_its_own() -> None:
    for soc in ("Ascend910B2", "Ascend910_9382", "Ascend910A", "Ascend310P3", "Ascend950PR_957b", "nobody's"):
        own = boards.board(soc)
        assert len({own.bus_id(index) for index in range(64)}) == 64


def test_of_several_servers_one_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JUMAR_SERVER", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("jumar-one", "jumar-two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state").touch()
    with pytest.raises(Refusal, match="say --server NAME; there are one, two"):
        exporter.execute(chosen())
    with pytest.raises(Refusal):  # an empty file is no server's
        exporter.execute(chosen("--server", "one"))
