"""Alerts, dashboards and scrape settings on the NPU Exporter's metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jumar.cudamap import names
from jumar.port import dictionary
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries, yaml_entries
from jumar.port.reading.entries import Entry
from jumar.port.twins.base import Draft, Twin, beside, comment, is_twin

METRIC = re.compile(
    r"\b(?:DCGM_(?:FI|EXP)_\w+|nvidia_smi_\w+|nv_gpu_\w+|dcgm_(?:gpu|fb|power|sm|memory|"
    r"mem|xid|ecc|pcie|nvlink)\w*)"
)
LABELS = {row.cuda: row.ascend for row in names("datacentre/metric_labels")}
SELECTOR = re.compile(r"\{(?P<inside>(?:[^{}]|\$\{[\w:]+\})*)\}")
MATCHER = re.compile(r"(?P<label>\w+)(?=\s*(?:=~|!=|!~|=))")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\((?P<inside>[^()]*)\)")
LABEL_VALUES = re.compile(r"label_values\([^()]*?,\s*(?P<label>\w+)\s*\)")
SHOWN = re.compile(r"\{\{\s*(?P<label>\w+)\s*\}\}|\$labels\.(?P<alert>\w+)|(?<=byField\": \")(?P<field>\w+)")
ASKS = re.compile(
    r"\bexpr\b|\bquery\b|scrape_configs|ServiceMonitor|PodMonitor|\btargets\b|seriesQuery|\bmetric",
    re.IGNORECASE,
)
SOURCE = re.compile(r"kind:[ \t]*(?:DaemonSet|Deployment|StatefulSet)|DCGM_\w+,[ \t]*(?:gauge|counter)")
"""The exporter itself, or the list of what it exports."""
EXPORTER = re.compile(r"(?:nvidia-)?dcgm-exporter")
PORT = re.compile(r"(?<=:)9400\b")


def twin(document: Document, findings: Sequence[Finding]) -> Twin | None:
    """The twin on the NPU Exporter, None if nothing asks for NVIDIA's metrics."""
    if document.kind not in ("yaml", "json") or is_twin(document.path):
        return None
    scrapes = (
        "scrape_configs" in document.text
        or "ServiceMonitor" in document.text
        or "PodMonitor" in document.text
    )
    if not any(one.code == "W006" for one in findings) and not (scrapes and EXPORTER.search(document.text)):
        return None
    if not ASKS.search(document.text) or SOURCE.search(document.text) or "/templates/" in document.path:
        return None
    draft = Draft(document)
    read = json_entries.entries if document.kind == "json" else yaml_entries.entries
    entries = read(document)
    absent = [name for entry in entries if entry.value for name in _expression(draft, entry)]
    for match in EXPORTER.finditer(document.text):
        draft.replace(*match.span(), "npu-exporter")
    if scrapes:
        for match in PORT.finditer(document.text):
            draft.replace(*match.span(), "8082")
    _names(draft, entries)
    if not draft.edits:
        return None
    missing = ", ".join(dict.fromkeys(absent))
    why = "the twin on the NPU Exporter's metrics"
    if document.kind == "json":
        said = f"{why}; without counterpart: {missing}" if missing else why
        return Twin(beside(document.path), draft.text(), said)
    head = comment(
        [
            f"Written by jumar port from {document.path.rsplit('/', 1)[-1]}, on the metrics of the NPU Exporter.",
            *([f"Without counterpart, so still NVIDIA's: {missing}."] if missing else []),
        ],
        document.newline,
    )
    return Twin(beside(document.path), draft.text(head), why)


def _expression(draft: Draft, entry: Entry) -> Iterator[str]:
    """Metrics and labels of one value. The names that have no counterpart."""
    text = draft.document.text
    if SHOWN.search(text, entry.start, entry.end):
        for match in SHOWN.finditer(text, entry.start, entry.end):
            group = match.lastgroup or "label"
            if match[group] in LABELS:
                draft.replace(*match.span(group), LABELS[match[group]])
    if not METRIC.search(text, entry.start, entry.end):
        return
    for match in METRIC.finditer(text, entry.start, entry.end):
        row = dictionary.find("datacentre/metrics", match[0])
        if row is None or not row.ascend:
            yield match[0]
        else:
            draft.replace(*match.span(), row.ascend)
            _labels_of(draft, match.end(), entry.end)
            if row.ascend.startswith("(") and text[match.end() : match.end() + 1] == "{":
                _inside(draft, match, row.ascend, entry.end)
    for match in GROUPING.finditer(text, entry.start, entry.end):
        for word in re.finditer(r"\w+", match["inside"]):
            _rename(draft, match.start("inside") + word.start(), word[0])
    for match in LABEL_VALUES.finditer(text, entry.start, entry.end):
        _rename(draft, match.start("label"), match["label"])


def _labels_of(draft: Draft, start: int, end: int) -> None:
    """Labels in the braces that follow a metric."""
    match = SELECTOR.match(draft.document.text, start, end)
    if match:
        for word in MATCHER.finditer(match["inside"]):
            _rename(draft, match.start("inside") + word.start(), word["label"])


def _inside(draft: Draft, metric: re.Match[str], ascend: str, end: int) -> None:
    """`(a / 100){gpu="0"}` is no PromQL: the braces belong behind the metric's name."""
    match = SELECTOR.match(draft.document.text, metric.end(), end)
    whole = match[0] if match else ""
    draft.take_back(metric.start(), metric.end() + len(whole))
    braces = MATCHER.sub(lambda word: LABELS.get(word["label"], word["label"]), whole)
    moved = re.sub(
        r"(npu_\w+)", lambda name: name[1] + braces.replace("\\", "\\\\").replace("\\\\", "\\"), ascend
    )
    draft.replace(metric.start(), metric.end() + len(whole), moved)


def _rename(draft: Draft, start: int, label: str) -> None:
    if label in LABELS:
        draft.replace(start, start + len(label), LABELS[label])


def _names(draft: Draft, entries: Sequence[Entry]) -> None:
    """A dashboard or a PrometheusRule beside the original needs a name of its own."""
    text = draft.document.text
    is_rule = any(
        entry.key == "kind" and entry.value in ("PrometheusRule", "ServiceMonitor") for entry in entries
    )
    for entry in entries:
        start, end = entry.inner(text)
        if draft.document.kind == "json" and len(entry.path) == 1 and entry.value and entry.quoted:
            if entry.key == "title":
                draft.insert(end, " (NPU)")
            elif entry.key == "uid":
                draft.replace(start, end, f"{entry.value[:36]}-npu")
        elif is_rule and entry.path == ("metadata", "name") and entry.value and "exporter" not in entry.value:
            draft.insert(end, "-npu")
