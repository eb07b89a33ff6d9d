"""NVIDIA's devices as resources of Kubernetes: `nvidia.com/gpu`."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import cluster_keys
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D006",
    name="kubernetes-resource",
    kinds=cluster_keys.KINDS,
    triggers=cluster_keys.TRIGGERS,
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="no node of Ascend offers the resource, so the pod stays pending",
    replacement="huawei.com/Ascend910 with schedulerName: volcano; a twin of the file is written by "
    "jumar port",
    examples=(
        Example(
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - resources:\n      limits:\n    "
            "    nvidia.com/gpu: 1\n",
            path="pod.yaml",
        ),
        Example("resources:\n  limits: {nvidia.com/gpu: 2}\n", path="values.yaml"),
        Example(
            "{{- if .Values.gpu }}\n      limits:\n        nvidia.com/gpu: {{ .Values.gpu }}\n{{- end }}\n",
            path="templates/a.yaml",
        ),
        Example(
            "kubectl get nodes -o=custom-columns=GPU:'.status.allocatable.nvidia\\\\.com/gpu'\n", path="a.sh"
        ),
        Example("sparkConf:\n  spark.executor.resource.gpu.vendor: nvidia.com\n", path="a.yaml"),
        Example("- expression: device.attributes['gpu.nvidia.com'].type == 'A100'\n", path="a.yaml"),
        Example("- deviceClassName: gpu.nvidia.com\n", path="a.yaml"),
        Example("limits:\n  aliyun.com/gpu-core.percentage: 30\n", path="a.yaml"),
        Example('PrintLine(w, "all nodes which own aliyun.com/gpu-mem here:")\n', path="a.go"),
        Example('name := "nvidia.com/gpu"\n', path="a_test.go"),
        Example("kubectl get nodes -o json | grep nvidia.com/gpu\n", path="a.sh"),
    ),
    keep=(
        Example("# nvidia.com/gpu: 1\nlimits:\n  cpu: 1\n", path="values.yaml"),
        Example("see: https://developer.nvidia.com/gpu-cloud\n", path="a.yaml"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    return cluster_keys.findings(RULE, document, "resource")
