"""What a finding of clusters and workflows weighs by where it stands: in a task that takes away, a list, a test's data."""

from __future__ import annotations

import pytest

from jumar.port import scanning
from jumar.port.document import Document

ANSIBLE = "roles/gpu/tasks/main.yml"
PLUGIN = 'command: ["/usr/bin/nvidia-gpu-device-plugin"]\n'
NODES = "spec:\n  nodeAffinity:\n    matchExpressions:\n    - key: a\n      values:\n      - nvidia-b200\n"
ROWS = [
    ("D020", "blocks", ANSIBLE, "- name: a\n  service:\n    name: nvidia-persistenced\n    state: started\n"),
    (
        "D020",
        "cosmetic",
        ANSIBLE,
        "- name: a\n  service:\n    name: nvidia-persistenced\n    state: stopped\n",
    ),
    ("D020", "degrades", ANSIBLE, "- name: a\n  raw: nvidia-ctk\n  ignore_errors: yes\n"),
    ("D020", "cosmetic", ANSIBLE, "- set_fact:\n    cuda_kernel: '{{ a.stdout }}'\n"),
    ("D020", "degrades", "roles/gpu/defaults/main.yml", "nvidia_driver_branch: 535\n"),
    ("D002", "blocks", "ds.yaml", PLUGIN),
    ("D002", "silent", "a.sh", "if [ -d /usr/local/cuda ]; then ls; fi\n"),
    ("D011", "cosmetic", "a.sh", 'echo "waiting (mig.config.state=${STATE:-<none>})"\n'),
    ("D011", "cosmetic", "a.sh", "bash dcgm/run_dcgm.sh\n"),
    ("D011", "cosmetic", "a.sh", "systemctl stop nvidia-fabricmanager\n"),
    ("D011", "degrades", "pod.yaml", "volumeMounts:\n- mountPath: /tmp/nvidia-mps\n"),
    ("D011", "cosmetic", "a.yaml", "metadata:\n  namespace: nvidia-gpu-operator\n"),
    ("D015", "cosmetic", "a.sh", "NCCL_PLUGIN_IMAGE=a/b:c\n"),
    ("D015", "degrades", "a.sh", "export NCCL_NET_PLUGIN=ofi\n"),
    ("D015", "cosmetic", "a.sh", "unset CUDA_VERSION\n"),
    ("D015", "cosmetic", "test/data/inspect.json", '{"Env": ["NCCL_VERSION=2.2.12"]}\n'),
    ("D019", "cosmetic", "main.tf", 'nvidia_templates = flatten(\n  "x"\n)\n'),
    ("D021", "blocks", "a.yaml", "instance_type: p4d.24xlarge\n"),
    ("D021", "cosmetic", "a.yaml", "AllowedValues:\n- p5.48xlarge\n- p4d.24xlarge\n"),
    ("W015", "cosmetic", "a.sh", 'case "$1" in\n  --cuda-version) CUDA="$2" ;;\nesac\n'),
    ("W015", "cosmetic", "a.sh", "python train.py --no-cuda\n"),
    ("W062", "blocks", "a.yaml", NODES),
    ("W062", "degrades", "a.sh", "modprobe nvidia-uvm\n"),
    ("W062", "degrades", "easystack.yml", "easyconfigs:\n- UCX-CUDA-1.15.0-GCCcore-13.2.0-CUDA-12.4.0.eb\n"),
    ("W012", "cosmetic", "docs/src/data/a.yml", "accelerator: gpu\n"),
    ("D001", "blocks", "a.yaml", "a:\n  base: quay.io/x/pipeline-pytorch-cuda-py312-ubi9\n"),
    (
        "D003",
        "degrades",
        "a.sh",
        "if command -v nvidia-smi; then\n  apt-get install -y nvidia-container-toolkit\nfi\n",
    ),
    (
        "D003",
        "blocks",
        "a.sh",
        "if ! command -v nvidia-smi; then\n  apt-get install -y nvidia-driver-535\nfi\n",
    ),
    ("D003", "blocks", "data/a.yaml", "gpu::packages:\n- nvidia-vgpu-tools\n"),
    ("D006", "degrades", "a.go", 'if r.Name != "nvidia.com/gpu" {\n'),
    ("D006", "silent", "a.sh", "kubectl get nodes -o jsonpath='{.status.allocatable.nvidia\\\\.com/gpu}'\n"),
    ("D006", "cosmetic", "values.yaml", "resources:\n  limits:\n    nvidia.com/gpu: 0\n"),
    ("D008", "degrades", "nodes.yaml", 'nodeLabels:\n  nvidia.com/gpu.count: "8"\n'),
    ("D009", "degrades", "a.go", 'Taint{\n  Key:    "nvidia.com/gpu",\n'),
    ("D010", "cosmetic", "role.yaml", "rules:\n- apiGroups:\n  - resource.nvidia.com\n"),
    ("D011", "cosmetic", "a.yaml", 'expr: sum(checks{health="dcgm"}==1)\n'),
    ("D011", "cosmetic", "ds.yaml", "metadata:\n  labels:\n    app: nvidia-dcgm-exporter\n"),
    ("D011", "cosmetic", "a.yaml", "spec:\n  targetNamespaces:\n  - nvidia-gpu-operator\n"),
    ("D011", "blocks", "Chart.yaml", "dependencies:\n- name: gpu-operator\n  version: v24.9.0\n"),
    (
        "D015",
        "cosmetic",
        "a.sh",
        "ARGS='-x LD_LIBRARY_PATH=/opt/rccl/lib -x NCCL_IB_PCI_RELAXED_ORDERING=1'\n",
    ),
    (
        "D022",
        "cosmetic",
        "api.json",
        '{"properties": {"gpuCount": {"type": "integer"}}, "x": "nvidia.com/gpu"}\n',
    ),
    ("W012", "blocks", "config.yaml", "trainer:\n  num_nodes: 1\n  accelerator: gpu\n"),
    ("W012", "blocks", "config.yaml", "run:\n  device: cuda\n"),
    ("D001", "cosmetic", "cr.yaml", "cni:\n  repository: nvcr.io/nvstaging/mellanox\n"),
    ("D001", "blocks", "a.yaml", "image: nvcr.io/nvidia/doca/doca:2.5.0-devel-cuda12.1\n"),
    ("D001", "cosmetic", "sub/.github/workflows/a.yml", "jobs:\n  a:\n    container: nvidia/cuda:12.1.1\n"),
    ("D001", "blocks", ".github/workflows/a.yml", "jobs:\n  a:\n    container: nvidia/cuda:12.1.1\n"),
    ("D006", "cosmetic", "a.go", 'PrintLine(w, "all nodes which own aliyun.com/gpu-mem here:")\n'),
    ("D006", "degrades", "a.go", 'PrintLine(w, "aliyun.com/gpu-mem")\n'),
    ("D011", "degrades", "a.sh", "helm install nvidia-network-operator nvidia/network-operator\n"),
    ("D015", "cosmetic", "pod.yaml", "env:\n- name: NVIDIA_VISIBLE_DEVICES\n  value: void\n"),
    ("D015", "silent", "pod.yaml", "env:\n- name: NVIDIA_VISIBLE_DEVICES\n  value: all\n"),
    ("K018", "blocks", "a.cpp", 'void f(T x) {\n  if (x.is_cuda()) {\n    g();\n  }\n  AT_ERROR("no");\n}\n'),
    ("K018", "silent", "a.cpp", "void f(T x) {\n  if (x.is_cuda()) {\n    g();\n  }\n  h();\n}\n"),
    ("K070", "degrades", "metric.go", 'm := []string{\n\t"nvidia_gpu_memory_used_bytes",\n}\n'),
    ("W062", "degrades", "spack.yaml", "specs:\n- sundials +cuda cuda_arch=80\n"),
    ("W062", "cosmetic", "spack.yaml", "specs:\n- sundials ~cuda\n"),
]


@pytest.mark.parametrize(("code", "severity", "path", "text"), ROWS)
def test_weight(code: str, severity: str, path: str, text: str) -> None:
    found, _ = scanning.check(Document(path, text), frozenset({code}))
    assert [one.severity for one in found][:1] == [severity]
