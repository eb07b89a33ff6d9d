"""Metrics of DCGM and nvidia-smi in alerts, dashboards and programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import dictionary
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import without_comments
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W006",
    name="metric",
    kinds=("yaml", "json", "text", "markdown", "python", "shell", "ini", "toml"),
    triggers=("dcgm_", "nvidia_smi_", "nv_gpu_"),
    layer="workflow",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the NPU Exporter gives other names, so panels stay empty and alerts never fire",
    replacement="metrics of the NPU Exporter; a twin of the file is written by jumar port",
    examples=(
        Example(
            "groups:\n- name: g\n  rules:\n  - alert: Hot\n    expr: DCGM_FI_DEV_GPU_TEMP > 80\n",
            path="alerts.yaml",
        ),
        Example('{"expr": "avg(DCGM_FI_DEV_GPU_UTIL)"}\n', path="grafana/gpu.json"),
        Example('query = "DCGM_FI_DEV_FB_USED"\n', path="m.py"),
        Example("tests:\n- metrics: 1\n  series: DCGM_FI_DEV_FB_USED\n", path="alerts_test.yaml"),
    ),
    keep=(
        Example(
            "groups:\n- name: g\n  rules:\n  - alert: Cpu\n    expr: node_load1 > 80\n", path="alerts.yaml"
        ),
    ),
)

NAME = re.compile(
    r"\b(?:DCGM_(?:FI|EXP)_\w+|nvidia_smi_\w+|nv_gpu_\w+|dcgm_(?:gpu|fb|power|sm|memory|"
    r"mem|xid|ecc|pcie|nvlink|enc|dec|retired|board)\w*)"
)

QUERIES = re.compile(r"\bexpr\b|\bquery\b|\bmetrics?\b|seriesQuery", re.IGNORECASE)
NAMED_ANYWHERE = re.compile(r"\bDCGM_(?:FI|EXP)_\w+|(?<=[\"'])nv_gpu_\w+")
"""Programs have names of their own that begin as the others do."""

OF_LIST = "it is in the list of what NVIDIA's exporter exports; the NPU Exporter has names of its own"
OF_DCGM = "the program speaks of a field of DCGM's, which is NVIDIA's"
SERIES = re.compile(r"[ \t]*-?[ \t]*[\"']?series[\"']?:")
"""What a test of alerts feeds to them."""


def check(document: Document) -> Iterator[Finding]:
    asks = document.kind in ("yaml", "json") and QUERIES.search(document.text)
    pattern = NAME if asks else NAMED_ANYWHERE
    for match in pattern.finditer(without_comments(document)):
        row = dictionary.find("datacentre/metrics", match[0])
        says = dictionary.says(row, RULE.replacement)
        if row and row.ascend:
            says = f"{row.ascend} ({row.note})" if row.note else row.ascend
        listed = document.path.endswith(".csv")  # what NVIDIA's exporter is told to export
        told = document.kind == "text" or SERIES.match(
            document.lines[document.position(match.start())[0] - 1]
        )
        program = document.kind == "python" and document.text[match.start() - 1 : match.start()] not in (
            "'",
            '"',
            " ",
            "(",
            "{",
        )
        severity = "degrades" if listed or program else "cosmetic" if told else None
        yield RULE.found(
            document,
            *match.span(),
            match[0],
            replacement=says,
            severity=severity,
            why=OF_LIST if listed else OF_DCGM if program or document.kind == "text" else None,
        )
