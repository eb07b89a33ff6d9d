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
]


@pytest.mark.parametrize(("code", "severity", "path", "text"), ROWS)
def test_weight(code: str, severity: str, path: str, text: str) -> None:
    found, _ = scanning.check(Document(path, text), frozenset({code}))
    assert [one.severity for one in found][:1] == [severity]
