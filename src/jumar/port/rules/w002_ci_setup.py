"""CI actions, services and matrix entries that set up CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import images
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, yaml_entries
from jumar.port.reading.scripts import SCRIPT_KEYS
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W002",
    name="ci-setup",
    kinds=("yaml", "ci"),
    triggers=("cuda", "nvidia", "nccl", "cu1", "cudnn", "gpu"),
    layer="workflow",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="the step or the matrix is for CUDA",
    replacement="a job of its own for Ascend, in an image with CANN or with jumar run",
    examples=(
        Example(
            "jobs:\n  t:\n    steps:\n    - uses: Jimver/cuda-toolkit@v0.2.11\n      with:\n     "
            "   cuda: '12.1'\n",
            path=".github/workflows/t.yml",
        ),
        Example(
            'jobs:\n  t:\n    strategy:\n      matrix:\n        cuda-version: ["11.8", "12.1"]\n',
            path=".github/workflows/t.yml",
        ),
        Example(
            'include:\n- build-type: cublas\n  cuda-major-version: "13"\n', path=".github/backend-matrix.yml"
        ),
    ),
    keep=(
        Example(
            "jobs:\n  t:\n    strategy:\n      matrix:\n        suffix: ['-gpu-vulkan']\n",
            path=".github/workflows/t.yml",
        ),
        Example(
            'jobs:\n  t:\n    steps:\n    - with:\n        note: |\n          echo "NCCL version: 2"\n',
            path=".github/workflows/t.yml",
        ),
        Example(
            "jobs:\n  t:\n    # cuda\n    steps:\n    - uses: actions/checkout@v4\n",
            path=".github/workflows/t.yml",
        ),
    ),
)

WORD = re.compile(r"(?<![a-z])(?:cuda|nvidia|nccl|cudnn|cu1\d\d|tensorrt|nvcc|gpu)", re.IGNORECASE)
OTHERS = re.compile(r"NVIDIA(?:-\w+)?/|svcnvidia|nvidia-nemo|secrets\.", re.IGNORECASE)
"""Accounts and repositories of NVIDIA, which need no GPU."""
OF_OTHERS = re.compile(r"vulkan|rocm|hip(?:blas)?\b|intel|sycl|metal|mps|amd|xpu", re.IGNORECASE)
"""GPUs that are not NVIDIA's."""
RUNNER = re.compile(r"runs[-_]on|runner|executor$|resource_class$|machine(?:_type)?$")
PRINTED = re.compile(r"\becho\b|\bprintf\b|/usr/local/(?:nvidia|cuda)|options:.*--gpus")
"""Lines of scripts, and paths, of which other rules tell."""
VARIABLE = re.compile(r"(?:TORCH_)?(?:CUDA|NCCL|NVIDIA|CUDNN)_[A-Z0-9_]+")


OF_NAME = "a name or a condition of the job speaks of GPUs, CUDA or NVIDIA"
BESIDE = "a name that holds for any chip, or a job of its own for Ascend, where the job is for GPUs"


def check(document: Document) -> Iterator[Finding]:
    if not roles.is_ci(document) or document.kind == "ci" or not roles.runs_jobs(document):
        return
    lines: set[int] = set()
    for entry in yaml_entries.entries(document):
        for start, end in (
            (entry.key_start, entry.key_end),
            (entry.start, entry.end) if entry.value else (0, 0),
        ):
            line = document.position(start)[0]
            is_value = start == entry.start and end == entry.end
            if end - start > 200 or line in lines or "\n" in document.text[start:end]:
                continue
            if RUNNER.match(entry.named) or (is_value and entry.named in SCRIPT_KEYS):
                continue
            match = WORD.search(document.text, start, end)
            if (
                match
                and not (match[0].lower() == "gpu" and OF_OTHERS.search(document.text, start, end))
                and not VARIABLE.fullmatch(document.text, start, end)
                and not images.tie(document.text[start:end])
                and not PRINTED.search(document.lines[line - 1])
            ):
                lines.add(line)
                label = entry.key in ("name", "description", "title", "if", "repository", "needs", "group")
                empty = entry.value in ("", "none", "None", "null", "~", "false", "False")
                only_gpu = match[0].lower() == "gpu" or (entry.key.isupper() and "CUDA" not in entry.key)
                severity = (
                    "cosmetic"
                    if label
                    or empty
                    or "exclude" in entry.path
                    or OTHERS.search(document.text, start, end)
                    or only_gpu
                    else None
                )
                yield RULE.found(
                    document,
                    match.start(),
                    match.end(),
                    document.text[start:end],
                    severity=severity,
                    why=OF_NAME if severity else None,
                    replacement=BESIDE if severity else None,
                )
