"""The Grafana dashboard, built of rows: what each panel is called, what it asks Prometheus for, in which unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TITLE = "Ascend chips"
IDENTITY = "jumar-ascend-chips"
SCHEMA = 39  # Grafana's number of the dashboard's format, from version 10.4 on
COLUMNS = 24  # of Grafana's grid
BY_CHIP = 'id=~"$chip"'


@dataclass(frozen=True)
class Panel:
    """`unit` as Grafana names it. `steps`: from which value on which colour, the first colour below all."""

    title: str
    expression: str
    unit: str
    kind: str = "timeseries"
    width: int = 8
    height: int = 7
    legend: str = "NPU {{id}}"
    steps: tuple[tuple[float | None, str], ...] = ((None, "green"),)


GOOD_IS_FULL = ((None, "red"), (1.0, "green"))
ROWS: tuple[tuple[Panel, ...], ...] = (
    (
        Panel("Chips", "machine_npu_nums", "none", "stat", 4, 4, ""),
        Panel("Unhealthy", "machine_unhealthy_npu_nums", "none", "stat", 4, 4, "", ((None, "green"), (1.0, "red"))),
        Panel("Hottest", "max(npu_chip_info_temperature)", "celsius", "stat", 4, 4, "",
              ((None, "green"), (85.0, "orange"), (95.0, "red"))),
        Panel("Power of all", "sum(npu_chip_info_power)", "watt", "stat", 4, 4, ""),
        Panel("Memory held", "sum(npu_chip_info_hbm_used_memory)", "decmbytes", "stat", 4, 4, ""),
        Panel("Processes", "sum(npu_chip_info_process_info_num)", "none", "stat", 4, 4, ""),
    ),
    (
        Panel("Temperature", f"npu_chip_info_temperature{{{BY_CHIP}}}", "celsius",
              steps=((None, "green"), (85.0, "orange"), (95.0, "red"))),
        Panel("Memory temperature", f"npu_chip_info_hbm_temperature{{{BY_CHIP}}}", "celsius",
              steps=((None, "green"), (95.0, "red"))),
        Panel("Power", f"npu_chip_info_power{{{BY_CHIP}}}", "watt"),
    ),
    (
        Panel("Clock", f"npu_chip_info_aicore_current_freq{{{BY_CHIP}}}", "rotmhz"),
        Panel("Load", f"npu_chip_info_utilization{{{BY_CHIP}}}", "percent"),
        Panel("Memory held", f"npu_chip_info_hbm_utilization{{{BY_CHIP}}}", "percent"),
    ),
    (
        Panel("Health", f"npu_chip_info_health_status{{{BY_CHIP}}}", "none", "state-timeline", steps=GOOD_IS_FULL),
        Panel("Links", f"npu_chip_info_link_status{{{BY_CHIP}}}", "none", "state-timeline", steps=GOOD_IS_FULL),
        Panel("Fault codes (decimal)", f"npu_chip_info_error_code{{{BY_CHIP}}}", "none"),
    ),
    (
        Panel("Memory errors, corrected", f"npu_chip_info_hbm_ecc_single_bit_error_cnt{{{BY_CHIP}}}", "none"),
        Panel("Memory errors, not corrected", f"npu_chip_info_hbm_ecc_double_bit_error_cnt{{{BY_CHIP}}}", "none"),
        Panel("Memory of processes", f"npu_chip_info_process_info{{{BY_CHIP}}}", "decmbytes",
              legend="NPU {{id}}, process {{process_id}}"),
    ),
)  # fmt: skip


def build() -> dict[str, Any]:
    """The dashboard as Grafana imports it; it asks which Prometheus to use."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row in ROWS:
        left = 0
        for one in row:
            panels.append(
                _panel(one, len(panels) + 1, {"x": left, "y": top, "w": one.width, "h": one.height})
            )
            left += one.width
        top += max(one.height for one in row)
    return {
        "uid": IDENTITY,
        "title": TITLE,
        "tags": ["ascend", "npu"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "templating": {"list": [_source(), _chips()]},
        "panels": panels,
    }


def _panel(one: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    steps = [{"value": value, "color": colour} for value, colour in one.steps]
    target = {"refId": "A", "datasource": source, "expr": one.expression, "legendFormat": one.legend}
    return {
        "id": number,
        "type": one.kind,
        "title": one.title,
        "gridPos": place,
        "datasource": source,
        "targets": [target],
        "fieldConfig": {
            "defaults": {"unit": one.unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": {},
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _chips() -> dict[str, Any]:
    return {
        "name": "chip",
        "label": "Chip",
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": "label_values(npu_chip_info_health_status, id)",
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "refresh": 2,
    }
