"""Labels, selectors, affinities and annotations that name NVIDIA's GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import cluster_keys
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D008",
    name="node-selector",
    kinds=cluster_keys.KINDS,
    triggers=cluster_keys.TRIGGERS,
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="nodes of Ascend have other labels, so what is chosen by this one is found nowhere",
    replacement="accelerator: huawei-Ascend910, and accelerator-type for the module (module-910b-8 "
    "and the like)",
    examples=(
        Example(
            "apiVersion: v1\nkind: Pod\nspec:\n  nodeSelector:\n    nvidia.com/gpu.product: "
            "NVIDIA-A100-SXM4-80GB\n",
            path="pod.yaml",
        ),
        Example(
            "apiVersion: v1\nkind: Pod\nspec:\n  affinity:\n    nodeAffinity:\n      "
            "requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n       "
            " - matchExpressions:\n          - key: nvidia.com/gpu.present\n            "
            "operator: Exists\n",
            path="pod.yaml",
        ),
        Example(
            "apiVersion: v1\nkind: Pod\nspec:\n  nodeSelector:\n    "
            "cloud.google.com/gke-accelerator: nvidia-l4\n",
            path="pod.yaml",
        ),
        Example(
            "cat <<EOF | kubectl apply -f -\nkind: Pod\nmetadata:\n  annotations:\n    nvidia.com/vgpu-mode: mig\nEOF\n",
            path="a.sh",
        ),
    ),
    keep=(
        Example(
            "apiVersion: v1\nkind: Pod\nspec:\n  nodeSelector:\n    kubernetes.io/arch: amd64\n",
            path="pod.yaml",
        ),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    return cluster_keys.findings(RULE, document, "selector")
