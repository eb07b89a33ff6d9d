"""NVIDIA's operators, device plugins and kinds of their own in Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import cluster_keys, dictionary
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D010",
    name="operator",
    kinds=cluster_keys.KINDS,
    triggers=("nvidia.com", "gke-", "amazonaws.com/acc", "karpenter", "aliyun.com/gpu", "volcano.sh/"),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the component manages NVIDIA's GPUs",
    replacement="MindCluster: Ascend Device Plugin, Ascend Docker Runtime, Ascend Operator, Volcano "
    "with its plug-in, NPU Exporter",
    examples=(
        Example("apiVersion: nvidia.com/v1\nkind: ClusterPolicy\n", path="policy.yaml"),
        Example("apiVersion: resource.nvidia.com/v1beta1\nkind: ComputeDomain\n", path="x.yaml"),
    ),
    keep=(Example("apiVersion: apps/v1\nkind: Deployment\n", path="a.yaml"),),
)


def check(document: Document) -> Iterator[Finding]:
    for key in cluster_keys.keys(document):
        if key.role == "operator":
            row = dictionary.find("datacentre/kubernetes", key.name.replace("\\\\", ""))
            says = dictionary.says(row, RULE.replacement)
            severity = "cosmetic" if document.kind == "markdown" else None
            yield RULE.found(
                document,
                key.start,
                key.end,
                key.name,
                replacement=says,
                layer=roles.layer_of(document),
                severity=severity,
            )
