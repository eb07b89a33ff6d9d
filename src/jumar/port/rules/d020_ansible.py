"""Ansible: roles, variables and tasks for NVIDIA's GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, yaml_entries
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D020",
    name="ansible",
    kinds=("yaml", "ini"),
    triggers=("nvidia", "cuda", "nccl", "gpu"),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the role installs or checks what belongs to NVIDIA",
    replacement="a role for Ascend's driver, firmware, CANN and Ascend Docker Runtime",
    examples=(
        Example("- hosts: gpu\n  roles:\n    - role: nvidia.nvidia_driver\n", path="playbooks/site.yml"),
        Example('cuda_version: "12.1"\nnvidia_driver_branch: 535\n', path="roles/gpu/defaults/main.yml"),
        Example(
            "- hosts: gpu\n  tasks:\n  - ansible.builtin.include_role:\n      name: cuda\n",
            path="ansible/a.yml",
        ),
        Example("vgpu_nvidia_driver_install_enabled: false\n", path="ansible/group_vars/all/vgpu.yml"),
    ),
    keep=(
        Example("- hosts: web\n  roles:\n    - nginx\n", path="playbooks/site.yml"),
        Example("cuda_version: 12\n", path="x.yml"),
    ),
)

WORD = re.compile(r"nvidia|cuda|nccl|cudnn|dcgm|(?<![a-z])gpu", re.IGNORECASE)

NAMED = frozenset(("include_role", "import_role", "service", "systemd", "systemd_service"))
"""Modules in which `name` chooses what is run."""
OFF = re.compile(r"[\"']?(?:false|no|off|absent|none|null|)[\"']?", re.IGNORECASE)
"""A switch that leaves out what it names."""


def check(document: Document) -> Iterator[Finding]:
    if document.kind != "yaml" or not roles.is_ansible(document):
        return
    lines: set[int] = set()
    for entry in yaml_entries.entries(document):
        if entry.named in ("register", "tags", "notify", "when", "changed_when", "failed_when"):
            continue
        for start, end in (
            (entry.key_start, entry.key_end),
            entry.inner(document.text) if entry.value else (0, 0),
        ):
            match = WORD.search(document.text, start, end)
            line = document.position(start)[0]
            if document.text.startswith("/home/", start):
                continue  # somebody is called nvidia
            if match and line not in lines and end - start < 200:
                lines.add(line)
                label = entry.key == "name" and entry.parent.rsplit(".", 1)[-1] not in NAMED
                off = bool(entry.value) and OFF.fullmatch(document.text[entry.start : entry.end])
                severity = "cosmetic" if label or off else None
                whole = document.text[start:end]
                what = match[0] if "\n" in whole else whole
                yield RULE.found(document, match.start(), match.end(), what, severity=severity)
