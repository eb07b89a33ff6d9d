"""Records of what was answered once are cosmetic; calls that answer quietly without CUDA are as the table says."""

from __future__ import annotations

import pytest

from jumar.port import scanning
from jumar.port.document import Document

NODE = """apiVersion: v1
kind: Node
metadata:
  creationTimestamp: "2022-12-26T14:13:03Z"
  resourceVersion: "12"
  labels:
    nvidia.com/gpu.count: "2"
status:
  images:
  - names:
    - nvcr.io/nvidia/k8s-device-plugin:v0.11.0
"""
POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nvcr.io/nvidia/k8s-device-plugin:v0.11.0\n"
METRICS = '# TYPE DCGM_FI_DEV_GPU_TEMP gauge\nDCGM_FI_DEV_GPU_TEMP{gpu="0",pod="nvidia-dcgm-exporter-x"} 41\n'


@pytest.mark.parametrize(
    ("path", "text", "recorded"),
    [
        ("node.yaml", NODE, True),
        ("pod.yaml", POD, False),
        ("both.yaml", POD + "---\n" + NODE, False),
        ("metrics.ini", METRICS, True),
        ("design/pod.yaml", POD, True),
        ("pod.yaml.golden", POD, True),
    ],
)
def test_what_is_recorded_is_cosmetic(path: str, text: str, recorded: bool) -> None:
    found, _ = scanning.check(Document(path, text))
    assert found or path.endswith("golden")
    assert all(one.severity == "cosmetic" for one in found) == recorded or not found


def test_quiet_calls_answer_as_the_table_says() -> None:
    torch = pytest.importorskip("torch")
    if torch.version.cuda:
        pytest.skip("a PyTorch for CUDA answers otherwise")
    assert torch.cuda.empty_cache() is None
    assert torch.cuda.memory_allocated() == torch.cuda.max_memory_reserved() == torch.cuda.device_count() == 0
    assert not torch.cuda.memory_stats()
    with pytest.raises(AttributeError):
        torch.cuda.reset_peak_memory_stats()
