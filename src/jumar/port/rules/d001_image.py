"""Images that hold CUDA: bases of Dockerfiles, containers of pods, services and jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import dictionary, images
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D001",
    name="image",
    kinds=("dockerfile", "yaml", "json", "shell", "slurm", "make", "ci", "markdown"),
    triggers=(
        "cuda",
        "nvidia",
        "nvcr",
        "pytorch/",
        "tensor",
        "gpu",
        "cu1",
        "vllm",
        "sglang",
        "rayproject",
        "deepspeed",
        "text-generation",
        "axolotl",
        "docker",
        "huggingface",
        "mosaicml",
        "trt",
    ),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the image holds CUDA's libraries and programs built for them",
    replacement="an image on quay.io/ascend/cann",
    examples=(
        Example("FROM nvidia/cuda:12.1.1-devel-ubuntu22.04\n"),
        Example("FROM nvcr.io/nvidia/pytorch:24.01-py3 AS base\n"),
        Example("cni:\n  repository: nvcr.io/nvstaging/mellanox\n", path="cr.yaml"),
        Example('{{- "nvcr.io/nvidia/tritonserver:24.01-py3" -}}\n', path="templates/_helpers.tpl"),
        Example("services:\n  a:\n    image: vllm/vllm-openai:latest\n", path="compose.yaml"),
        Example("docker run -it nvcr.io/nvidia/pytorch:24.01-py3 bash\n", path="run.sh"),
        Example("srun --container-image=nvcr.io#nvidia/pytorch:25.08-py3 ls\n", path="run.sh"),
        Example("cat <<EOF\n  image: ghcr.io/llm-d/llm-d-cuda:v0.4.0\nEOF\n", path="install.sh"),
        Example('readonly IMAGE="nvcr.io/nvidia/pytorch:26.03-py3"\n', path="run.sh"),
        Example(
            "strategy:\n  matrix:\n    base:\n    - nvidia/cuda:11.8.0-base-ubuntu22.04\n", path="ci.yaml"
        ),
        Example('a:\n  uri: "quay.io/x/backends:latest-gpu-nvidia-cuda-13-w"\n', path="index.yaml"),
        Example("mirrors:\n- x/backends:master-nvidia-l4t-cuda-13-y\n", path="index.yaml"),
        Example("ARG BASE=pytorch/pytorch:2.4.0-cuda12.1-cudnn9-devel\nFROM $BASE\n"),
    ),
    keep=(
        "FROM python:3.11-slim\n",
        "# FROM nvidia/cuda:12.1.1\nFROM ubuntu:22.04 AS cuda-free\n",
        Example("services:\n  a:\n    image: postgres:16\n", path="compose.yaml"),
        Example("docker run --rm x python train.py --base_model nvidia/esm2_t6_8M_UR50D\n", path="run.sh"),
        Example("dockers_v2:\n- images:\n  - ghcr.io/x/nvidia_gpu_exporter\n", path=".goreleaser.yml"),
        Example("a:\n  image: docs/figures/gpu.png\n", path="x.yaml"),
    ),
)

OF_NETWORK = "the image serves a network between NVIDIA's GPUs"
OF_COMPONENT = "the image is of a component that manages or watches NVIDIA's GPUs"
OF_CARDS = "the image serves network cards of NVIDIA's: it holds no CUDA and runs without GPUs"
INSTEAD_OF_CARDS = "nothing: it stays where the nodes have such cards"
CARDS = re.compile(
    r"(?<![a-z])(?:mellanox|sr-?iov|multus|network-operator|ipam|doca|m?ofed|ipoib|nic-[a-z]+|k8s-rdma"
    r"|rdma-(?:cni|shared)|ib-(?:kubernetes|sriov))(?![a-z])"
)
OF_VENDOR = "the image is NVIDIA's: it holds CUDA, or what is made for NVIDIA's GPUs"
INSTEAD_OF_COMPONENT = "MindCluster's component or Ascend's driver in its place, if it has to have one"
COMPONENTS = re.compile(
    r"(?:operator|exporter|plugin|toolkit|validator|manager|discovery|driver|monitor|controller|dcgm)[\w\-]*(?:$|[:@])"
    r"|/cloud-native/|/k8s/"
)
PICTURE = (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp", ".ico")


def _why(image: str, row: str) -> str | None:
    if images.OF_NETWORK.search(image):
        return OF_NETWORK
    if CARDS.search(image) and not images.HOLDS.search(image):
        return OF_CARDS
    if COMPONENTS.search(image) and not images.HOLDS.search(image):
        return OF_COMPONENT
    return OF_VENDOR if row.endswith("/*") or image.startswith("nvcr.io") else None


def check(document: Document) -> Iterator[Finding]:
    for image, start, end in images.named(document):
        if image.lower().endswith(PICTURE) or "://" in image:
            continue
        row = images.tie(image)
        if row is not None:
            says = dictionary.says(row, RULE.replacement)
            why = _why(image, row.cuda)
            if why == OF_COMPONENT and "quay.io/ascend/cann" in says:
                says = INSTEAD_OF_COMPONENT
            says = INSTEAD_OF_CARDS if why == OF_CARDS else says
            yield RULE.found(
                document,
                start,
                end,
                image,
                replacement=says,
                layer=roles.layer_of(document),
                severity="cosmetic" if why == OF_CARDS else None,
                why=why,
            )
