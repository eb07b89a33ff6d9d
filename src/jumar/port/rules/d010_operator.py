"""NVIDIA's operators, device plugins and kinds of their own in Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import cluster_keys
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D010",
    name="operator",
    kinds=cluster_keys.KINDS,
    triggers=cluster_keys.TRIGGERS,
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="only NVIDIA's components for clusters, and what goes with them, know the key",
    replacement="what MindCluster has in its place, if anything: Ascend Device Plugin, Ascend Docker Runtime, "
    "Ascend Operator, Volcano with its plug-in, NPU Exporter",
    examples=(
        Example("apiVersion: nvidia.com/v1\nkind: ClusterPolicy\n", path="policy.yaml"),
        Example("apiVersion: resource.nvidia.com/v1beta1\nkind: ComputeDomain\n", path="x.yaml"),
    ),
    keep=(
        Example('Prefix = "nvidia.com/mig"\nUse = "nvidia.com/use-gputype"\n', path="a.go"),
        Example('sparkConf:\n  "spark.executor.resource.gpu.vendor": "nvidia.com"\n', path="app.yaml"),
        Example('require.Equal(t, "nvidia.com/gdrcopy=all", devices[0])\n', path="cdi_test.go"),
        Example("apiVersion: apps/v1\nkind: Deployment\n", path="a.yaml"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    return cluster_keys.findings(RULE, document, "operator")
