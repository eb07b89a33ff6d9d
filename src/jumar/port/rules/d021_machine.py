"""Machines and accelerators of clouds asked for in YAML, JSON and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port import machines
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries, roles, yaml_entries
from jumar.port.reading.entries import Entry
from jumar.port.reading.scripts import script_commands
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D021",
    name="machine",
    kinds=("yaml", "json", "shell", "toml", "ci", "markdown"),
    triggers=(
        "p3",
        "p4",
        "p5",
        "p6",
        "g4",
        "g5",
        "g6",
        "standard_n",
        "a2-",
        "a3-",
        "a4",
        "g2-",
        "a100",
        "h100",
        "h200",
        "v100",
        "t4",
        "l4",
        "a10",
        "gpu_",
        "bm.",
        "accelerat",
        "b200",
        "h20",
        "rtx",
    ),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the machine has NVIDIA's GPUs",
    replacement="machines with Ascend: Huawei Cloud, or one's own servers",
    examples=(
        Example("resources:\n  accelerators: A100:8\n", path="task.yaml"),
        Example("instance_type: p4d.24xlarge\n", path="cluster.yaml"),
        Example("guest_accelerator:\n- type: nvidia-rtx-pro-6000\n  count: 1\n", path="blueprint.yaml"),
        Example(
            "gcloud compute instances create x --machine-type=a2-highgpu-1g "
            "--accelerator=type=nvidia-l4,count=1\n",
            path="a.sh",
        ),
    ),
    keep=(
        Example("instance_type: m5.large\nname: T4 notes\n", path="cluster.yaml"),
        Example("see g5.md\n", path="README.md"),
        Example('{"hardware": "NVIDIA H100 80GB"}\n', path="data/benchmarks.json"),
        Example('{"system": {"accelerator": "NVIDIA L40S"}}\n', path="results/run.json"),
        Example("```\nrun.py [--accelerator {nvidia.com/gpu,ascend-npu}]\n```\n", path="README.md"),
        Example("nvidia.com/gpu.product: A100-SXM4-40GB\n", path="pod.yaml"),
    ),
)

GPU = re.compile(
    r"^(?:nvidia[-_ ]?)?(?:tesla[-_ ])?(?:A100|H100|H200|H20|H800|A800|V100|P100|T4|L4|"
    r"L40S?|A10G?|A30|A40|B200|B300|GB200|GB300|RTX[\w\- ]+|K80)"
    r"(?:[-_ ](?:\d+G?B?|80gb|SXM\d?|PCIE|NVL)[\w\-]*)*(?::\d+)?$",
    re.IGNORECASE,
)
KEY = re.compile(
    r"accelerator|gpu|instance|machine|flavor|node_?type|vm_?size|shape|sku|hardware|"
    r"product|device_?type",
    re.IGNORECASE,
)
CHOSEN = re.compile(r"type|id$|ids$|machine|instance", re.IGNORECASE)
CARD = re.compile(r"nvidia-(?:tesla|rtx|[a-z]{1,2}\d)[\w\-]*$")
WITH_CARD = re.compile(r"^[\w\-]+-nvidia-(?:tesla-)?[a-z]{1,3}\d+[\w\-]*$", re.IGNORECASE)
NAMED = re.compile(r"nvidia[-_][\w\-]+$")
OPTION = re.compile(
    r"--(?:accelerator|machine-type|instance-type|node-type|gpus?-type|vm-size|"
    r"gpu-product)[= ](?P<value>\S+)"
)


LISTED: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "a list of a cloud's machines names one with NVIDIA's GPUs; it chooses none",
    "replacement": "nothing, as long as the list is of that cloud: machines with Ascend are not there",
}
OF_TEST: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "data that a test reads names one of NVIDIA's GPUs",
    "replacement": "a row for Ascend beside it, once the program knows its chips",
}
OF_CHOICES = re.compile(
    r"allowed|enum$|choices|options|supported|recommended|skus?$|valid|known", re.IGNORECASE
)
"""A list from which somebody chooses."""
MANY = 8
"""Machines from which a file is taken for a list of what a cloud has."""


def _is_catalogue(document: Document, entries: list[Entry]) -> bool:
    """Whether the file tells which machines there are, rather than choosing some."""
    if roles.is_kubernetes(document) or roles.is_ci(document):
        return False
    return len({one.value for one in entries if machines.tie(one.value or "")}) >= MANY


def check(document: Document) -> Iterator[Finding]:
    layer = roles.layer_of(document)
    if document.kind in ("yaml", "json"):
        read = json_entries.entries if document.kind == "json" else yaml_entries.entries
        named = [one for one in read(document) if one.value and len(one.value) <= 80]
        catalogue = _is_catalogue(document, named)
        for entry in named:
            if entry.value is None:
                continue
            start, end = entry.inner(document.text)
            if row := machines.tie(entry.value):
                placed = "affinity" in " ".join(entry.path).lower()
                listed = (catalogue and not placed) or (entry.is_item and OF_CHOICES.search(entry.named))
                more = LISTED if listed or roles.is_test_data(document) else {"replacement": row.note}
                yield RULE.found(document, start, end, entry.value, layer=layer, **more)
            elif (KEY.search(entry.named) and GPU.match(entry.value)) or (
                (entry.named.lower().startswith("accelerator") and NAMED.match(entry.value))
                or (entry.named == "type" and CARD.match(entry.value))
                or (CHOSEN.search(entry.named) and WITH_CARD.search(entry.value))
            ):
                if "nvidia.com/" in entry.named or (" " in entry.value and not CHOSEN.search(entry.named)):
                    continue  # a label that another rule tells of; a caption, which chooses no machine
                yield RULE.found(
                    document,
                    start,
                    end,
                    entry.value,
                    layer=layer,
                    **(OF_TEST if roles.is_test_data(document) else {}),
                )
    for command in script_commands(document):
        text = document.text[command.start : command.end]
        for option in OPTION.finditer(text):
            if option["value"].startswith(("{", "nvidia.com/")):
                continue  # the choices that a usage text names, or a resource
            if machines.tie(option["value"]) or "nvidia" in option["value"] or GPU.match(option["value"]):
                start = command.start + option.start("value")
                yield RULE.found(document, start, start + len(option["value"]), option["value"], layer=layer)
