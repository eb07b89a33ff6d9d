"""Makefiles that call NVIDIA's compiler or link its libraries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import without_comments
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B012",
    name="makefile",
    kinds=("make",),
    triggers=("nvcc", "cuda", "nccl", "cudnn", "cublas", "gencode", "sm_"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="it needs NVIDIA's toolkit",
    replacement="bisheng for kernels in Ascend C, and CANN's libraries: -lascendcl -lhccl",
    examples=(
        Example("NVCC = nvcc\n", path="Makefile"),
        Example(
            "CUDA_VERSION ?= 12.6.0\nimage:\n\tdocker build --build-arg V=$(CUDA_VERSION) .\n",
            path="Makefile",
        ),
        Example("LDFLAGS += -L/usr/local/cuda/lib64 -lcudart\n", path="Makefile"),
        Example("%.o: %.cu\n\t$(NVCC) -arch=sm_80 -c $< -o $@\n", path="Makefile"),
    ),
    keep=(
        Example("# NVCC = nvcc\nCC = gcc\n", path="Makefile"),
        Example("MODULE := github.com/NVIDIA/dcgm-exporter\nclean:\n\trm -rf build/cuda\n", path="Makefile"),
        Example("DEVICES=nvidia\n", path="version.mk"),
        Example("ifeq ($(BUILD_TYPE),cublas)\nelse ifeq ($(USE_CUDA),1)\nendif\n", path="Makefile"),
        Example("lock:\n\tuv pip compile pyproject.toml --extra cuda\n", path="Makefile"),
        Example(
            "REGISTRY ?= nvidia\ninstall: install-cuda\n\tgo list ./... | grep -v nvml\n", path="Makefile"
        ),
    ),
)

WORD = re.compile(
    r"(?<![A-Za-z])-?l?(?:nvcc|cuda|nccl|cudnn|cublas|curand|cusolver|cusparse|cufft|"
    r"nvrtc|nvml|nvtx|nvidia)\w*|compute_\d\d|\bsm_\d\d",
    re.IGNORECASE,
)

IDLE = re.compile(
    r"^[ \t]*(?:else[ \t]+)?if(?:n?eq|n?def)\b"
    r"|\$\((?:info|warning|error)\b|\becho\b|\buv (?:pip|sync|lock|run)\b|\bpip3? (?:install|compile|wheel)"
    r"|github\.com/NVIDIA|\b(?:rm|mkdir|cp|mv|cd)[ \t]+(?:-\w+[ \t]+)?[\w./*\-]*cuda[\w./*\-]*[ \t]*$"
    r"|^[\w.\-]+:[ \t]+\w*IMAGE\w*[ \t]*[:?]?="
    r"|\b(?:docker|podman|buildah|skopeo)\b|\.service\b"
    r"|\bapt(?:-get)?\b|\bgo (?:list|test|build|vet|mod)\b|\bgit\b|\bgrep\b|\bhelm\b|\bkubectl\b"
    r"|^(?:[\w.\-]*(?:REGISTRY|IMAGE|REPO|VENDOR|ORG|OWNER|TAG|NAME)\w*)[ \t]*[?:]?=|^\.PHONY\b|^[\w\- ]+:(?!=)[\w\- ]*$"
    r"|^\w+[ \t]*[?:+]?=[ \t]*nvidia[ \t]*$"
)
"""Lines that compile and link nothing; other rules read their commands."""


COMPILES = re.compile(
    r"nvcc|/(?:cuda|nvidia|nccl)|CUDA_?(?:HOME|PATH|ROOT|INC|LIB|DIR|BIN|ARCH|CC|CXX|FLAGS|CFLAGS|LDFLAGS|VERSION|TOOLKIT)"
    r"|-l?(?:cuda|cudart|nccl|cublas|cudnn|curand|cusolver|cusparse|cufft|nvrtc|nvidia-ml)|gencode|compute_\d\d|\bsm_\d\d|\.cuh?\b"
    r"|(?:USE|WITH|ENABLE|HAVE|BUILD|GGML|LLAMA)_\w*(?:CUDA|NCCL|CUBLAS|CUDNN|NVTX)|-D\w*(?:CUDA|NCCL)|\bcuda-?\d"
    r"|^\w*(?:CUDA|NCCL)\w*[ \t]*[:?+]?=[ \t]*(?:\d+|on|off|true|false|yes|no)?[ \t]*$",
    re.IGNORECASE,
)
"""What a line outside recipes has that says where the toolkit is, what to link, or that CUDA is wanted."""
NAMED: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "a name of one's own says CUDA; the line itself calls no compiler and links nothing",
    "replacement": "a name without the vendor",
}


VARIABLE = re.compile(r"(?:CUDA|NCCL|NVIDIA)_[A-Z0-9_]+=")
OF_VARIABLE: dict[str, Any] = {
    "severity": "silent",
    "why": "the variable is read by CUDA or NCCL only; on Ascend it has no effect",
    "replacement": "the variable of CANN or HCCL, as ASCEND_RT_VISIBLE_DEVICES",
}
VERSION = re.compile(r"(?:export[ \t]+)?\w*CUDA_?\w*(?:VERSION|VER|TAG)\w*[ \t]*[:?+]?=")
IMAGES = re.compile(r"--build-arg|\b(?:docker|podman|buildah|buildx)\b")
COMPILER = re.compile(r"\bnvcc\b|\$\(NVCC\)|-lcuda|-gencode|/usr/local/cuda")
OF_IMAGE: dict[str, Any] = {
    "layer": "data centre",
    "severity": "degrades",
    "why": "the version of CUDA of an image that is built here; nothing is compiled by the line",
    "replacement": "an image on CANN beside it, with a version of CANN",
}
MADE = re.compile(
    r"\b(?:make|\$\(MAKE\))[ \t]+(?:-\w+[ \t]+)*[\w.\-]*(?:cuda|nccl|nvidia)[\w.\-]*[ \t]*\\?$", re.IGNORECASE
)


def _is_name(line: str) -> bool:
    """Outside recipes: nothing of the toolkit's; in them: a target of one's own that is made."""
    if line.startswith("\t"):
        return MADE.search(line) is not None
    return not COMPILES.search(line)


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    for match in WORD.finditer(without_comments(document)):
        line, _ = document.position(match.start())
        if line not in lines:
            lines.add(line)
            if IDLE.search(document.lines[line - 1]):
                continue
            text = document.lines[line - 1]
            given = (
                NAMED
                if _is_name(text)
                else OF_VARIABLE
                if VARIABLE.match(document.text, match.start())
                else OF_IMAGE
                if VERSION.match(text) and IMAGES.search(document.text) and not COMPILER.search(document.text)
                else {}
            )
            yield RULE.found(document, *match.span(), match[0], **given)
