"""Twins: what stands beside Dockerfiles, manifests, jobs, requirements and alerts; originals are not touched."""

from __future__ import annotations

import json

import pytest
import yaml

from jumar.port import scanning
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.twins import Twin, twins_of
from jumar.port.twins.base import NEWEST, beside, is_twin, torch_pair

DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM nvidia/cuda:12.1.1-devel-ubuntu22.04 AS base
ENV NVIDIA_VISIBLE_DEVICES=all \\
    PYTHONUNBUFFERED=1 \\
    NCCL_SOCKET_IFNAME=eth0 \\
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
ENV CUDA_HOME=/usr/local/cuda
RUN apt-get update && apt-get install -y git libnccl2 \\
    libcudnn8-dev curl
RUN pip install torch==2.9.0+cu121 flash-attn transformers --extra-index-url https://download.pytorch.org/whl/cu121
RUN nvcc --version && make
CMD ["python", "train.py", "--device", "cuda", "--backend=nccl"]
"""
POD = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: train
spec:
  template:
    metadata:
      labels:
        app: train
    spec:
      runtimeClassName: nvidia
      nodeSelector:
        nvidia.com/gpu.product: NVIDIA-A100
        nvidia.com/gpu.memory: "80000"
      tolerations:
        - key: nvidia.com/gpu
          operator: Exists
      containers:
        - name: train  # the only one
          image: nvcr.io/nvidia/pytorch:24.01-py3
          command: ["torchrun", "train.py", "--backend", "nccl"]
          env:
            - name: NCCL_DEBUG
              value: INFO
            - name: NCCL_SOCKET_IFNAME
              value: eth0
          resources:
            limits:
              nvidia.com/gpu: 8
"""
COMPOSE = """\
services:
  web:
    image: nginx
  llm:
    image: vllm/vllm-openai:latest
    environment:
      - NVIDIA_VISIBLE_DEVICES=all
      - HF_HOME=/m
    volumes:
      - ./m:/m
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 2
              capabilities: [gpu]
"""
SLURM = """\
#!/bin/bash
#SBATCH --nodes=2
#SBATCH --gres=gpu:a100:8
#SBATCH --constraint=a100
module load cuda/12.1
export NCCL_DEBUG=INFO
export NCCL_SOCKET_IFNAME=eth0
nvidia-smi --query-gpu=name --format=csv
srun --gpus-per-node=8 python train.py --device cuda --dist-backend nccl
"""
REQUIREMENTS = """\
--extra-index-url https://download.pytorch.org/whl/cu121
torch==2.9.0+cu121
flash-attn>=2.0 ; platform_system == "Linux"
triton
numpy  # as it is
onnxruntime-gpu==1.17
"""
ALERTS = """\
groups:
- name: gpu
  rules:
  - alert: Hot
    expr: max by (gpu, Hostname) (DCGM_FI_DEV_GPU_TEMP{gpu="0"}) > 80
    annotations:
      summary: "{{ $labels.gpu }} is hot"
  - alert: Busy
    expr: avg(DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu=~"0|1"}) > 0.9 and DCGM_FI_DEV_ENC_UTIL > 1
"""
DASHBOARD = json.dumps(
    {
        "title": "GPU",
        "uid": "abc",
        "panels": [
            {
                "targets": [
                    {
                        "expr": 'sum(DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{instance=~"$i", gpu=~"${gpu}"}) by (gpu)',
                        "legendFormat": "GPU {{gpu}}",
                    }
                ]
            }
        ],
    }
)
FILES = {
    "Dockerfile": DOCKERFILE,
    "k8s/job.yaml": POD,
    "docker-compose.yml": COMPOSE,
    "train.slurm": SLURM,
    "requirements.txt": REQUIREMENTS,
    "alerts.yaml": ALERTS,
    "gpu.json": DASHBOARD,
}


def _findings(document: Document) -> list[Finding]:
    found, troubles = scanning.check(document)
    assert not troubles
    return found


def _twin(path: str, text: str | None = None) -> Twin:
    document = Document(path, FILES[path] if text is None else text)
    made = [*twins_of(document, _findings(document))]
    assert len(made) == 1
    return made[0]


@pytest.mark.parametrize("path", FILES)
def test_a_twin_has_no_twin_and_is_the_same_again(path: str) -> None:
    first = _twin(path)
    assert first == _twin(path)
    assert first.path != path and is_twin(first.path)
    own = Document(first.path, first.text)
    assert [*twins_of(own, _findings(own))] == []


@pytest.mark.parametrize("path", [path for path in FILES if path != "alerts.yaml"])
def test_nothing_that_blocks_is_left(path: str) -> None:
    made = _twin(path)
    left = [one for one in _findings(Document(made.path, made.text)) if one.severity == "blocks"]
    assert [one.what for one in left] == []


def test_dockerfile() -> None:
    made = _twin("Dockerfile")
    lines = made.text.splitlines()
    assert made.path == "Dockerfile.npu"
    assert lines[0] == "# syntax=docker/dockerfile:1"
    assert f"ARG CANN_IMAGE=quay.io/ascend/cann:{NEWEST.cann}-910b-ubuntu22.04-py3.11" in lines
    assert "FROM ${CANN_IMAGE} AS base" in lines
    assert lines[lines.index("ENV ASCEND_VISIBLE_DEVICES=0-7 \\") :][:3] == [
        "ENV ASCEND_VISIBLE_DEVICES=0-7 \\",
        "    PYTHONUNBUFFERED=1 \\",
        "    HCCL_SOCKET_IFNAME=eth0",
    ]
    assert "CUDA_HOME" not in made.text and "libnccl2" not in made.text
    pair = torch_pair("2.9.0")
    assert (
        f"RUN pip install torch==2.9.0 torch-npu=={pair.torch_npu} transformers "
        "--extra-index-url https://download.pytorch.org/whl/cpu"
    ) in lines
    assert lines[lines.index("RUN nvcc --version && make") - 1] == "# jumar: look at this step: nvcc"
    assert lines[-1] == 'CMD ["python", "train.py", "--device", "npu", "--backend=hccl"]'


def test_pod() -> None:
    made = _twin("k8s/job.yaml")
    assert made.path == "k8s/job.npu.yaml"
    template = yaml.safe_load(made.text)["spec"]["template"]
    spec = template["spec"]
    assert template["metadata"]["labels"] == {"ring-controller.atlas": "ascend-910b", "app": "train"}
    assert spec["schedulerName"] == "volcano"
    assert spec["nodeSelector"] == {"accelerator": "huawei-Ascend910"}
    assert "runtimeClassName" not in spec and "tolerations" not in spec
    container = spec["containers"][0]
    assert container["resources"] == {"limits": {"huawei.com/Ascend910": 8}}
    assert container["command"][-1] == "hccl"
    assert container["env"] == [
        {
            "name": "ASCEND_VISIBLE_DEVICES",
            "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['huawei.com/Ascend910']"}},
        },
        {"name": "HCCL_SOCKET_IFNAME", "value": "eth0"},
    ]
    assert "# the only one" in made.text


def test_a_part_of_a_gpu_leaves() -> None:
    """An amount of memory is no number of chips."""
    limits = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    resources:\n      limits:\n"
    limits += "        nvidia.com/gpu: 2\n        nvidia.com/gpumem: 3000\n"
    made = _twin("pod.yaml", limits)
    spec = yaml.safe_load(made.text)["spec"]
    assert spec["containers"][0]["resources"] == {"limits": {"huawei.com/Ascend910": 2}}
    assert "look whether that is meant" in made.text


def test_compose() -> None:
    services = yaml.safe_load(_twin("docker-compose.yml").text)["services"]
    assert services["web"] == {"image": "nginx"}
    llm = services["llm"]
    assert llm["devices"][:3] == [
        "/dev/davinci0:/dev/davinci0",
        "/dev/davinci1:/dev/davinci1",
        "/dev/davinci_manager:/dev/davinci_manager",
    ]
    assert llm["volumes"][-1] == "./m:/m" and len(llm["volumes"]) == 6
    assert llm["environment"] == ["HF_HOME=/m"]
    assert "deploy" not in llm and llm["image"].startswith("quay.io/ascend/vllm-ascend")


def test_slurm() -> None:
    made = _twin("train.slurm")
    assert made.text.splitlines()[0] == "#!/bin/bash"
    assert made.text.splitlines()[3:] == [
        "#SBATCH --nodes=2",
        "#SBATCH --gres=npu:8",
        "source /usr/local/Ascend/ascend-toolkit/set_env.sh",
        "# export NCCL_DEBUG=INFO",
        "export HCCL_SOCKET_IFNAME=eth0",
        "npu-smi info",
        "srun --gres=npu:8 python train.py --device npu --dist-backend hccl",
    ]


def test_requirements() -> None:
    made = _twin("requirements.txt")
    assert made.path == "requirements-npu.txt"
    assert made.text.splitlines()[1:] == [
        "--extra-index-url https://download.pytorch.org/whl/cpu",
        "torch==2.9.0",
        f"torch-npu=={torch_pair('2.9.0').torch_npu}",
        "triton-ascend",
        "numpy  # as it is",
        "onnxruntime-cann",
    ]


def test_alerts() -> None:
    made = _twin("alerts.yaml")
    rules = yaml.safe_load(made.text)["groups"][0]["rules"]
    assert rules[0]["expr"] == 'max by (id, instance) (npu_chip_info_temperature{id="0"}) > 80'
    assert rules[0]["annotations"]["summary"] == "{{ $labels.id }} is hot"
    assert rules[1]["expr"] == (
        'avg((npu_chip_info_overall_utilization{id=~"0|1"} / 100)) > 0.9 and DCGM_FI_DEV_ENC_UTIL > 1'
    )
    assert "Without counterpart, so still NVIDIA's: DCGM_FI_DEV_ENC_UTIL." in made.text


def test_dashboard() -> None:
    made = _twin("gpu.json")
    board = json.loads(made.text)
    assert made.path == "npu.json"
    assert (board["title"], board["uid"]) == ("GPU (NPU)", "abc-npu")
    target = board["panels"][0]["targets"][0]
    assert target["expr"] == (
        'sum((npu_chip_info_cube_utilization{instance=~"$i", id=~"${gpu}"} / 100)) by (id)'
    )
    assert target["legendFormat"] == "GPU {{id}}"


def test_values_of_a_chart() -> None:
    text = 'image:\n  repository: nvidia/cuda\n  tag: "12"\nresources:\n  limits: {nvidia.com/gpu: 1}\n'
    values = yaml.safe_load(_twin("chart/values.yaml", text).text)
    assert values["image"]["repository"] == "quay.io/ascend/cann"
    assert values["image"]["tag"].startswith(NEWEST.cann)
    assert values["resources"] == {"limits": {"huawei.com/Ascend910": 1}}


def test_ray_counts_chips() -> None:
    text = (
        "apiVersion: ray.io/v1\nkind: RayCluster\nspec:\n  workerGroupSpecs:\n  - rayStartParams:\n"
        '      num-gpus: "4"\n    template:\n      spec:\n        containers:\n        - name: w\n'
        "          resources:\n            limits:\n              nvidia.com/gpu: 4\n"
    )
    group = yaml.safe_load(_twin("ray.yaml", text).text)["spec"]["workerGroupSpecs"][0]
    assert json.loads(json.loads(group["rayStartParams"]["resources"])) == {"NPU": 4}
    assert group["template"]["spec"]["schedulerName"] == "volcano"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Dockerfile", "FROM python:3.11\nRUN ls\n"),
        ("chart/templates/pod.yaml", POD),
        ("pod.npu.yaml", POD),
        ("pod.yaml", POD.replace("nvidia.com/gpu:", "aliyun.com/gpu-core.percentage:")),
        ("crd.yaml", "apiVersion: nvidia.com/v1\nkind: ClusterPolicy\nspec:\n  x: {nvidia.com/gpu: 1}\n"),
        (".github/workflows/a.yml", "jobs:\n  a:\n    container:\n      image: nvidia/cuda:12\n"),
        ("requirements.txt", "numpy\n"),
        ("train.slurm", "#!/bin/bash\n#SBATCH --nodes=2\nls\n"),
    ],
)
def test_no_twin(path: str, text: str) -> None:
    document = Document(path, text)
    assert [*twins_of(document, _findings(document))] == []


@pytest.mark.parametrize(
    ("path", "twin"),
    [
        ("a/Dockerfile", "a/Dockerfile.npu"),
        ("Dockerfile.cuda", "Dockerfile.npu"),
        ("x-gpu.yaml", "x-npu.yaml"),
        ("a/values.yaml", "a/values.npu.yaml"),
        ("train.slurm", "train.npu.slurm"),
    ],
)
def test_names(path: str, twin: str) -> None:
    assert beside(path) == twin


def test_workflow() -> None:
    text = (
        "name: GPU\non:\n  push:\n    branches: [main]\n  pull_request:\nenv:\n  NCCL_DEBUG: INFO\njobs:\n  lint:\n"
        "    runs-on: ubuntu-latest\n  gpu:\n    runs-on: [self-hosted, gpu]\n    container:\n"
        "      image: nvidia/cuda:12.1.1-base\n      options: --gpus all\n    steps:\n    - run: |\n"
        "        nvidia-smi\n        pytest --device cuda\n"
    )
    made = _twin(".github/workflows/gpu.yml", text)
    assert made.path == ".github/workflows/npu.yml"
    workflow = yaml.load(made.text, Loader=yaml.BaseLoader)  # `on` is a word there
    assert workflow["name"] == "GPU (NPU)"
    assert workflow["on"] == {"workflow_dispatch": ""}
    assert "env" not in workflow
    assert workflow["jobs"]["lint"]["runs-on"] == "ubuntu-latest"
    job = workflow["jobs"]["gpu"]
    assert job["runs-on"] == ["self-hosted", "npu"]
    assert job["container"]["image"].startswith("quay.io/ascend/cann:")
    assert job["container"]["options"] == "-e ASCEND_VISIBLE_DEVICES=0-7"
    assert job["steps"] == [{"run": "npu-smi info\npytest --device npu\n"}]
