"""Wheels built for CUDA: the index of PyTorch's cu12 builds, `+cu121` versions, NVIDIA's index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import dictionary, distributions
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.comments import without_comments
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B006",
    name="wheel-index",
    kinds=(
        "requirements",
        "toml",
        "shell",
        "slurm",
        "dockerfile",
        "apptainer",
        "yaml",
        "make",
        "ci",
        "markdown",
        "ini",
        "json",
        "text",
        "lock",
    ),
    triggers=("cu1", "cu9", "cu$", "nvidia.com", "cu{", ".whl"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the wheels hold code for NVIDIA's GPUs, and torch_npu wants PyTorch's CPU build",
    replacement="--extra-index-url https://download.pytorch.org/whl/cpu, with torch-npu of the same "
    "version from PyPI",
    examples=(
        Example("--extra-index-url https://download.pytorch.org/whl/cu121\n"),
        Example("assert_eq pin '2.10.0+cu126'\n", path="tests/sh/test_pin.sh"),
        Example("torch==2.3.0+cu118\n"),
        Example(
            'flash-attn = { url = "https://x.org/flash_attn-2.8.0+cuda12torch2.7-cp310-linux_x86_64.whl" }\n',
            path="pyproject.toml",
        ),
        Example("pip install torch --index-url https://download.pytorch.org/whl/cu124\n", path="install.sh"),
        Example(
            '[[tool.uv.index]]\nname = "pytorch-cu121"\nurl = "https://download.pytorch.org/whl/cu121"\n',
            path="pyproject.toml",
        ),
    ),
    keep=(
        "--extra-index-url https://download.pytorch.org/whl/cpu\n# https://download.pytorch.org/whl/cu121\n",
    ),
)

OF_TORCH = re.compile(r"torch(?:vision|audio|text|data)?\b|\+?cu|pytorch", re.IGNORECASE)
WHEEL = re.compile(r"([A-Za-z][\w.]*?)-\d[\w.+%\-]*\.whl")
OTHER_INDEX = re.compile(r"https?://(?![\w.\-]*(?:pytorch|mirror|aliyun|sjtu|tsinghua))[\w.\-/]*whl/")
EXPLICIT = re.compile(r"^explicit[ \t]*=[ \t]*true", re.MULTILINE)
"""An index beside one for the CPU, from which only the extra takes that asks for it."""
OF_EXTRA = "the extra that takes from this index brings wheels for NVIDIA's GPUs; another is for the CPU"
LOCK = "lock again on the target, with torch from PyTorch's CPU index and torch-npu"
OTHERS = "the package's build for Ascend, or its sources without CUDA; the wheel is for NVIDIA's GPUs"
FALLS_AWAY = "nothing: NVIDIA's packages fall away with its GPUs"
DESCRIBED = re.compile(r"[ \t-]*[\"']?(?:description|summary|help|comment|title)[\"']?[ \t]*[:=]")
TRIED = re.compile(
    r"(^|/)tests?/[^/]*\.(?:sh|bats|json|ya?ml|txt)$|(^|/)tests?/(?:.*/)?test[^/]*\.(?:sh|bats)$"
)
INSTALLS = re.compile(r"\b(?:pip3?|uv|conda|poetry)\b[^\n]*\b(?:install|add|sync)\b|requirement")
"""In a test of a script, a version that is not installed is a text that it is tried with."""


def check(document: Document) -> Iterator[Finding]:
    layer = "workflow" if roles.layer_of(document) == "workflow" else "software"
    lines: set[int] = set()
    text = without_comments(document)
    files = [] if document.kind == "lock" else [*distributions.FILES_FOR_CUDA.finditer(text)]
    for match in (*distributions.WHEELS_FOR_CUDA.finditer(text), *files):
        line, _ = document.position(match.start())
        if line not in lines:
            lines.add(line)
            said = DESCRIBED.match(document.lines[line - 1])
            kept = (
                match[0].startswith("+") and document.kind == "json"
            )  # a version that a result was made with
            tried = (
                match[0].startswith("+")
                and TRIED.search(document.path) is not None
                and not INSTALLS.search(document.lines[line - 1])
            )
            extra = document.kind == "toml" and EXPLICIT.search(document.text) and "/whl/cpu" in document.text
            severity = "degrades" if extra else None
            severity = "cosmetic" if document.kind == "lock" or said or kept or tried else severity
            yield RULE.found(
                document,
                *match.span(),
                match[0],
                layer=layer,
                severity=severity,
                why=OF_EXTRA if severity == "degrades" else None,
                replacement=LOCK if document.kind == "lock" else _instead(document.lines[line - 1], match[0]),
            )


def _instead(line: str, matched: str) -> str | None:
    """PyTorch's index has another for the CPU; wheels of others have what the table says."""
    if "nvidia" in matched or "nvcr.io" in matched:
        return FALLS_AWAY
    if "whl/" in matched and OTHER_INDEX.search(line):
        return OTHERS
    wheel = WHEEL.search(line)
    if wheel is None or OF_TORCH.fullmatch(wheel[1]):
        return None
    row = distributions.tie(re.sub(r"[-_.]+", "-", wheel[1]).lower())
    return dictionary.says(row, OTHERS)
