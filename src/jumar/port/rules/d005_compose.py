"""Services of Docker Compose that ask for NVIDIA's GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, yaml_entries
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D005",
    name="compose",
    kinds=("yaml",),
    triggers=("nvidia", "gpu"),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the service asks NVIDIA's container runtime for GPUs",
    replacement="devices: /dev/davinci0, /dev/davinci_manager, /dev/devmm_svm and /dev/hisi_hdc, the "
    "driver mounted; a twin of the file is written by jumar port",
    examples=(
        Example("services:\n  a:\n    runtime: nvidia\n", path="docker-compose.yml"),
        Example(
            "services:\n  a:\n    deploy:\n      resources:\n        reservations:\n          "
            "devices:\n            - driver: nvidia\n              count: all\n              "
            "capabilities: [gpu]\n",
            path="compose.yaml",
        ),
        Example("services:\n  a:\n    gpus: all\n", path="compose.yaml"),
    ),
    keep=(
        Example(
            "services:\n  a:\n    image: postgres\n    deploy:\n      resources:\n        "
            "limits:\n          memory: 1G\n",
            path="compose.yaml",
        ),
        Example("runtime: nvidia\n", path="notes.yaml"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    if not roles.is_compose(document):
        return
    for entry in yaml_entries.entries(document):
        start, end = entry.inner(document.text)
        if entry.key == "runtime" and entry.value == "nvidia":
            yield RULE.found(document, entry.key_start, end, "runtime: nvidia")
        elif entry.key == "driver" and entry.value == "nvidia":
            yield RULE.found(document, entry.key_start, end, "driver: nvidia")
        elif entry.named == "capabilities" and entry.value == "gpu":
            yield RULE.found(document, start, end, "capabilities: [gpu]")
        elif entry.key == "gpus" and len(entry.path) == 3:
            yield RULE.found(document, entry.key_start, entry.key_end, "gpus")
        elif entry.named == "devices" and entry.value and "nvidia" in entry.value:
            yield RULE.found(document, start, end, entry.value)
