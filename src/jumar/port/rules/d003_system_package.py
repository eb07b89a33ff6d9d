"""System packages of CUDA and NVIDIA's driver."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, tasks, yaml_entries
from jumar.port.reading.comments import without_comments
from jumar.port.reading.scripts import is_told
from jumar.port.rule import Example, Rule
from jumar.port.system_files import INSTALLER
from jumar.port.system_packages import PACKAGE, installed

RULE = Rule(
    code="D003",
    name="system-package",
    kinds=("shell", "slurm", "dockerfile", "apptainer", "yaml", "make", "ci", "markdown", "json"),
    triggers=("cuda", "nvidia", "cudnn", "nccl", "tensorrt", "libnv", "libcu", "datacenter-gpu"),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the package is CUDA's or NVIDIA's",
    replacement="CANN and Ascend's driver and firmware: the run files of hiascend.com, or an image "
    "on quay.io/ascend/cann",
    examples=(
        Example("RUN apt-get update && apt-get install -y libnccl2 libcudnn8-dev git\n"),
        Example(
            "curl -O https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2204/x86_64/cuda-keyring_1.1-1_all.deb\n",
            path="a.sh",
        ),
        Example(
            "- hosts: all\n  tasks:\n  - name: driver\n    apt:\n      name: nvidia-driver-535\n",
            path="playbook.yml",
        ),
        Example(
            'apt-get install -y \\\n  "libcufft-dev-${CUDA_MAJOR}-${CUDA_MINOR}" \\\n  "libcudnn9-cuda-${CUDA_MAJOR}"\n',
            path="install.sh",
        ),
        Example('substep "get CUDA: https://developer.nvidia.com/cuda-toolkit-archive"\n', path="setup.sh"),
        Example("CUDA_FILE=cuda_${SHORT}.3_561.17_windows.exe\n", path="run.sh"),
        Example(
            "- ansible.builtin.command: dnf module enable -y nvidia-driver:open\n", path="tasks/main.yml"
        ),
    ),
    keep=(
        Example("RUN apt-get install -y git curl\n# RUN apt-get install -y cuda\n", path="Dockerfile"),
        Example("see https://developer.nvidia.com/blog/what-is-ptx and /cuda-gpus\n", path="README.md"),
        Example("dpkg -i nvidia-gpu-exporter_1.0_amd64.deb\n", path="a.sh"),
        Example("RUN apt-mark hold cuda-toolkit-config-common\n", path="Dockerfile"),
        Example("RUN apt-get remove -y libnccl2 libnccl-dev\n", path="Dockerfile"),
        Example("- apt:\n    name: nvidia-418\n    state: absent\n", path="roles/a/tasks/main.yml"),
    ),
)

ADDRESS = re.compile(
    r"(?:developer\.download\.nvidia|us\.download\.nvidia|download\.nvidia)\.(?:com|io)/[\w./\-${}]*"
    r"|developer\.nvidia\.com/(?:compute|downloads|cuda-downloads|cuda-toolkit-archive|cudnn|rdp|nccl|assets)[\w./\-${}]*"
    r"|nvidia\.github\.io/(?:nvidia-docker|lib?nvidia-container|nvidia-container)[\w./\-${}]*"
    r"|helm\.ngc\.nvidia\.com[\w./\-]*"
)
INSTALLERS = frozenset(
    (
        "apt",
        "yum",
        "dnf",
        "package",
        "pkg",
        "zypper",
        "apk",
        "snap",
        "ansible.builtin.apt",
        "ansible.builtin.package",
    )
)
MODULES = frozenset(("apt", "yum", "dnf", "package", "pkg", "name", "packages"))


LISTS = re.compile(r"packages$", re.IGNORECASE)


GENERAL = RULE.replacement
INSTEAD = (
    (r"helm\.ngc[^\n]*/(?:nim|nemo|blueprint|rag)", "vllm-ascend or MindIE, which serve models on Ascend"),
    (r"helm\.ngc|operator", "MindCluster's components, installed one by one"),
    (r"container|nvidia-docker|docker", "Ascend Docker Runtime"),
    (r"nccl", "nothing: HCCL comes with CANN"),
    (
        r"datacenter-gpu-manager|dcgm|nvtop|nvidia-smi",
        "npu-smi, which comes with Ascend's driver; NPU Exporter for metrics",
    ),
    (r"fabricmanager|persistence|nvswitch|imex|nscq|nvlsm", "nothing: the chips need no such service"),
    (
        r"driver|nvidia-\d|nvidia-utils|nvidia-(?:kernel|dkms|open|modprobe|settings)|kmod|libnvidia|NVIDIA-Linux|xserver|grid"
        r"|firmware|^nvidia(?:$|[:=])",
        "Ascend's driver and firmware: the run files of hiascend.com",
    ),
    (r"nsight|cupti|nsys", "msprof, which comes with CANN"),
    (r"tensorrt|nvinfer", "nothing to install: CANN's ATC converts ONNX"),
    (r"gdrcopy|gdrdrv|peermem|peer-mem", "nothing: the chips have network ports of their own"),
)
"""By what is installed: the first that fits."""


def _instead(what: str) -> str:
    return next((says for words, says in INSTEAD if re.search(words, what, re.IGNORECASE)), GENERAL)


def check(document: Document) -> Iterator[Finding]:
    layer = roles.layer_of(document)
    for word in installed(document):
        heavy = "degrades" if word.plain == "nvtop" else None  # it shows other chips too
        says = _instead(word.plain)
        yield RULE.found(
            document, word.start, word.end, word.plain, layer=layer, severity=heavy, replacement=says
        )
    yield from _of_modules(document, layer)
    yield from _of_addresses(document, layer)


def _of_modules(document: Document, layer: str) -> Iterator[Finding]:
    """Packages that modules of Ansible, or lists of packages, name."""
    if document.kind != "yaml" or not (
        roles.is_ansible(document) or "tasks" in document.text or "packages" in document.text
    ):
        return
    for entry in yaml_entries.entries(document):
        if entry.key == "name" and entry.parent not in INSTALLERS and not entry.is_item:
            continue
        listed = entry.is_item and LISTS.search(entry.named) is not None
        if not entry.value or not (entry.named in MODULES or listed) or entry.value == "nvidia":
            continue
        heavy = tasks.weight(document, entry.start)
        if PACKAGE.fullmatch(entry.value) and heavy != "cosmetic":
            start, end = entry.inner(document.text)
            says = _instead(entry.value)
            yield RULE.found(document, start, end, entry.value, layer=layer, severity=heavy, replacement=says)


def _of_addresses(document: Document, layer: str) -> Iterator[Finding]:
    """Addresses that packages come from, and files that install them."""
    told: set[int] = set()
    text = without_comments(document)
    for match in ADDRESS.finditer(text):
        heavy = "cosmetic" if is_told(document, match.start()) else None
        says = _instead(match[0])
        yield RULE.found(document, *match.span(), match[0], layer=layer, severity=heavy, replacement=says)
        told.add(document.position(match.start())[0])
    for match in INSTALLER.finditer(text):
        if document.position(match.start())[0] not in told and document.kind != "markdown":
            yield RULE.found(document, *match.span(), match[0], layer=layer, replacement=_instead(match[0]))
