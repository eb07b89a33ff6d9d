"""Terraform: machines and accelerators of NVIDIA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import machines
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import hcl_settings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D019",
    name="terraform",
    kinds=("terraform",),
    triggers=(
        "nvidia",
        "gpu",
        "p3",
        "p4",
        "p5",
        "p6",
        "g4",
        "g5",
        "g6",
        "standard_n",
        "a2-",
        "a3-",
        "a4",
        "g2-",
        "cuda",
        "bm.",
        "accelerator",
    ),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the cloud offers NVIDIA's GPUs in this machine",
    replacement="machines with Ascend: Huawei Cloud, or one's own servers",
    examples=(
        Example('resource "aws_instance" "a" {\n  instance_type = "p4d.24xlarge"\n}\n', path="main.tf"),
        Example('guest_accelerator {\n  type  = "nvidia-tesla-t4"\n  count = 1\n}\n', path="main.tf"),
        Example('resource "helm_release" "g" {\n  chart = "gpu-operator"\n}\n', path="main.tf"),
    ),
    keep=(
        Example('variable "a" {\n  description = "Enable L4 ILB Subsetting"\n}\n', path="variables.tf"),
        Example(
            'resource "aws_instance" "a" {\n  instance_type = "m5.large"\n  # p4d.24xlarge\n}\n',
            path="main.tf",
        ),
        Example('connection {\n  type = "ssh"\n  user = "nvidia"\n}\n', path="main.tf"),
        Example(
            'variable "tpu" {\n  type = object({\n    accelerator = string\n  })\n}\n', path="variables.tf"
        ),
    ),
)

OF_NVIDIA = re.compile(r"nvidia|cuda|gpu-operator|\bnccl|\b(?:a100|h100|h200|v100|t4|l4)\b", re.IGNORECASE)
MODEL = re.compile(r"nvidia-(?:tesla|[a-z]*\d)|^(?:[avh]\d00|t4|l4)", re.IGNORECASE)
NAMES = re.compile(r"nvidia|cuda|nccl|gpu|[avh]\d00", re.IGNORECASE)
COUNT = re.compile(r"(?:^|_)(?:gpus?|accelerators?)(?:_count|_type|s)?$", re.IGNORECASE)
OF_GOOGLE = re.compile(r"(?<![a-z])tpus?(?![a-z])", re.IGNORECASE)
OF_GPUS = re.compile(r"(?<![a-z])gpus?(?![a-z])|nvidia|cuda", re.IGNORECASE)
"""Accelerators of a file that names TPUs and no GPU are Google's."""


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    for_others = OF_GOOGLE.search(document.text) is not None and not OF_GPUS.search(document.text)
    for setting in hcl_settings.settings(document):
        row = machines.tie(setting.value)
        line, _ = document.position(setting.start)
        if row is not None:
            yield RULE.found(document, setting.start, setting.end, setting.value, replacement=row.note)
        elif line in lines or "nvidia.com/" in setting.value or "nvidia.com/" in setting.key:
            continue
        elif setting.key == "description" and not NAMES.search(setting.value):
            continue  # layer 4 of a network is called as a GPU is
        elif setting.key in ACCOUNTS:
            continue
        elif OF_NVIDIA.search(setting.value):
            heavy = _weight(setting) if _is_made(document) else "cosmetic"
            yield _set_for(document, setting.start, setting.end, setting.value, heavy)
        elif OF_NVIDIA.search(setting.key):
            end = setting.key_start + len(setting.key)
            heavy = "degrades" if LITERAL.fullmatch(setting.value) and _is_set(document) else "cosmetic"
            yield _set_for(document, setting.key_start, end, setting.key, heavy)
        elif COUNT.search(setting.key) and not setting.key.startswith("var.") and not for_others:
            end = setting.key_start + len(setting.key)
            yield _set_for(document, setting.key_start, end, setting.key, "cosmetic")
        else:
            continue
        lines.add(line)


ACCOUNTS = ("user", "username", "admin_username", "owner", "organization")
"""Whom a machine or a service knows, whatever they are called."""
LITERAL = re.compile(r"true|\d[\w.]*")
OWN_PLACE = re.compile(r"^(?:\$\{path\.|\.{0,2}/|[\w\-]*templates?/)|\.(?:tf|tftpl|tpl|ya?ml|sh|md)$")
NAMED = re.compile(r"^variable \w*(?:name|prefix|namespace|tags?|labels?)$")
TYPED = re.compile(r"type|accelerator|gpu|machine|instance|product", re.IGNORECASE)


MAKES = re.compile(
    r"^[ \t]*(?:resource|module|data|provider|source|build|job|task|group|variable|locals|terraform|inputs)\b",
    re.MULTILINE,
)


def _is_made(document: Document) -> bool:
    """Whether machines or jobs are made of it, and not only releases of a program and the like."""
    return not document.path.endswith(".hcl") or MAKES.search(document.text) is not None


def _is_set(document: Document) -> bool:
    return not document.path.endswith(("outputs.tf", "versions.tf"))


def _weight(setting: hcl_settings.Setting) -> str:
    if (
        setting.key in ("description", "name", "source", "error_message", "title", "organization", "project")
        or OWN_PLACE.search(setting.value)
        or " " in setting.value.strip()
    ):
        return "cosmetic"
    if NAMED.search(" ".join(setting.blocks[-1:])) and setting.key == "default":
        return "cosmetic"
    return (
        "blocks"
        if (setting.key, setting.value) == ("accelerator", "nvidia")
        or (MODEL.match(setting.value) and TYPED.search(setting.key))
        else "degrades"
    )


def _set_for(document: Document, start: int, end: int, what: str, severity: str) -> Finding:
    """A setting that is no machine: a GPU that is attached, a chart, a path, a count."""
    gpu = MODEL.search(what)
    return RULE.found(
        document,
        start,
        end,
        what,
        severity=severity,
        why="the cloud offers NVIDIA's GPU here"
        if gpu
        else "the setting names NVIDIA, its GPUs or their software, or counts GPUs",
        replacement=None
        if gpu
        else "a name or a number that holds for both"
        if severity == "cosmetic"
        else "its counterpart of MindCluster or CANN where there is one",
    )
