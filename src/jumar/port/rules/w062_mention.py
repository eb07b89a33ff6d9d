"""What else names CUDA in configuration and scripts: lines that fit no other rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.comments import is_licence
from jumar.port.reading.own_paths import is_own
from jumar.port.rule import Example, Rule
from jumar.port.taken import lines as other_lines

RULE = Rule(
    code="W062",
    name="mention",
    kinds=(
        "shell",
        "slurm",
        "dockerfile",
        "apptainer",
        "yaml",
        "json",
        "toml",
        "ini",
        "requirements",
        "make",
        "cmake",
        "terraform",
        "ci",
        "bazel",
    ),
    triggers=("cuda", "nccl", "nvidia", "cudnn"),
    layer="workflow",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="the line names CUDA and fits no other rule; somebody should look at it",
    replacement="a look: a name of one's own, an address, or something that no rule knows",
    examples=(
        Example("install_cuda_things() {\n  true\n}\n", path="a.sh"),
        Example("FROM cuda-builder AS build\n", path="Dockerfile"),
        Example("image:\n  repository: docker.io/x/nvidia_gpu_exporter\n", path="values.yaml"),
        Example('build:\n  cuda-major-version: "13"\n', path="matrix.yaml"),
        Example('backends:\n  amd: "rocm-x"\n  nvidia: "cuda12-x"\n', path="index.yaml"),
        Example("models:\n  a:\n    resourceProfile: nvidia-gpu-l4:1\n", path="values.yaml"),
    ),
    keep=(
        Example('{"text": "a BARRACUDA of two colours"}\n', path="a.json"),
        Example("pip install cupy-cuda12x\n", path="a.sh"),
        Example("ls\n", path="a.sh"),
    ),
)
WORD = re.compile(
    r"(?i:(?<![A-Za-z])(?:cuda|nccl|nvidia|cudnn)\w*)"
    r"|(?<=[a-z0-9_])(?:Cuda|CUDA|Nccl|NCCL|Nvidia|NVIDIA)\w*|(?i:[A-Za-z0-9]_?(?<!barra)cuda\b)"
)
LONGEST_LINE = 2000
CHOOSES = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?[\w.\-]*(?:image_?name|image|profile|runtime_?class(?:_?name)?|node_?(?:pool|group)"
    r"|flavou?r|repository(?=[\"']?[ \t]*:[ \t]*[\"']?[\w\-]+\.[\w.\-]+/))"
    r"[\"']?[ \t]*[:=][ \t]*[\"']?(?P<value>[\w.\-/:@]+)[\"']?,?[ \t]*(?:#.*)?$",
    re.IGNORECASE,
)
"""A setting whose value says what is run, or where."""
VERSION = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?cuda[\-_]?(?:major|minor)?[\-_]?ver(?:sion)?s?[\"']?[ \t]*[:=][ \t]*[\[\"']*\d"
)
VERSIONED: dict[str, Any] = {
    "severity": "degrades",
    "why": "the version of CUDA chooses what is built or fetched",
    "replacement": "a build for Ascend beside it, with a version of CANN",
    "runs_unchanged": False,
}
ROW = re.compile(r"^(?P<indent>[ \t]*)[\"']?(?P<key>[\w.\-]+)[\"']?[ \t]*:[ \t]*[^\s#{\[]")
OTHER_DEVICE = re.compile(r"cpu|amd|rocm|intel|metal|vulkan|apple|hip|sycl|xpu|darwin[\w\-]*", re.IGNORECASE)
BY_DEVICE: dict[str, Any] = {
    "severity": "degrades",
    "why": "the table chooses by what the host has, and has no row for Ascend",
    "replacement": "a row for Ascend beside it",
    "runs_unchanged": False,
}
FARTHEST = 12


def check(document: Document) -> Iterator[Finding]:
    places = {
        document.position(match.start())[0]: match
        for match in reversed([*WORD.finditer(document.text)])
        if not is_own(document, match.start())
    }
    if not places:
        return
    taken = other_lines(document, RULE.code)
    for line in sorted(places):
        match = places[line]
        text = document.lines[line - 1]
        if line not in taken and len(text) < LONGEST_LINE and not is_licence(text):
            chosen = CHOOSES.match(text)
            if chosen and WORD.search(chosen["value"]) and document.kind not in ("toml", "make", "cmake"):
                yield RULE.found(
                    document,
                    *match.span(),
                    match[0],
                    severity="blocks",
                    layer=roles.layer_of(document),
                    why="the setting chooses an image, a profile or nodes for NVIDIA's GPUs",
                    replacement="the image, profile or nodes for Ascend, which are made beside it",
                    runs_unchanged=False,
                )
                continue
            more = VERSIONED if VERSION.match(text) else BY_DEVICE if _is_of_devices(document, line) else {}
            yield RULE.found(document, *match.span(), match[0], layer=roles.layer_of(document), **more)


def _is_of_devices(document: Document, line: int) -> bool:
    """A row of a table that takes something by what the host has: rows beside it name other devices."""
    row = ROW.match(document.lines[line - 1])
    if row is None or document.kind not in ("yaml", "json") or not WORD.search(row["key"]):
        return False
    for step in (-1, 1):
        at = line - 1 + step
        while 0 <= at < len(document.lines) and abs(at - line + 1) <= FARTHEST:
            other = ROW.match(document.lines[at])
            if other is None or other["indent"] != row["indent"]:
                break
            if OTHER_DEVICE.fullmatch(other["key"]):
                return True
            at += step
    return False
