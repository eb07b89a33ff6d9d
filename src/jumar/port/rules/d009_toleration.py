"""Tolerations and taints of nodes with NVIDIA's GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import cluster_keys
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D009",
    name="toleration",
    kinds=cluster_keys.KINDS,
    triggers=cluster_keys.TRIGGERS,
    layer="data centre",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="nodes of Ascend are tainted otherwise or not at all",
    replacement="no toleration, or one of the taint that the cluster puts on its Ascend nodes",
    examples=(
        Example(
            "apiVersion: v1\nkind: Pod\nspec:\n  tolerations:\n  - key: nvidia.com/gpu\n    "
            "operator: Exists\n    effect: NoSchedule\n",
            path="pod.yaml",
        ),
    ),
    keep=(
        Example(
            "apiVersion: v1\nkind: Pod\nspec:\n  tolerations:\n  - key: node.kubernetes.io/not-ready\n",
            path="pod.yaml",
        ),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    return cluster_keys.findings(RULE, document, "toleration")
