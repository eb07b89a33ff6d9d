"""Ansible: roles, variables and tasks for NVIDIA's GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jumar.port import images
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, tasks, yaml_entries
from jumar.port.reading.entries import Entry
from jumar.port.rule import Example, Rule
from jumar.port.system_packages import PACKAGE

RULE = Rule(
    code="D020",
    name="ansible",
    kinds=("yaml", "ini"),
    triggers=("nvidia", "cuda", "nccl", "gpu"),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the play installs or checks what belongs to NVIDIA",
    replacement="a role for Ascend's driver, firmware, CANN and Ascend Docker Runtime",
    examples=(
        Example("- hosts: gpu\n  roles:\n    - role: nvidia.nvidia_driver\n", path="playbooks/site.yml"),
        Example('cuda_version: "12.1"\nnvidia_driver_branch: 535\n', path="roles/gpu/defaults/main.yml"),
        Example(
            "- hosts: gpu\n  tasks:\n  - ansible.builtin.include_role:\n      name: cuda\n",
            path="ansible/a.yml",
        ),
        Example("vgpu_nvidia_driver_install_enabled: false\n", path="ansible/group_vars/all/vgpu.yml"),
        Example(
            "- name: look\n  raw: command -v nvidia-container-runtime\n  failed_when: false\n",
            path="roles/docker/tasks/main.yml",
        ),
    ),
    keep=(
        Example("- hosts: web\n  roles:\n    - nginx\n", path="playbooks/site.yml"),
        Example("cuda_version: 12\n", path="x.yml"),
        Example("- apt:\n    name: nvidia-driver-535\n", path="roles/a/tasks/main.yml"),
    ),
)

WORD = re.compile(r"nvidia|cuda|nccl|cudnn|dcgm|(?<![a-z])gpu", re.IGNORECASE)
OF_OTHERS = re.compile(r"(?<![a-z])(?:amd|rocm|intel|xpu|gaudi)(?![a-z])", re.IGNORECASE)
RUN = frozenset(("command", "shell", "raw", "cmd", "script", "argv"))
OFF = re.compile(r"[\"']?(?:false|no|off|absent|none|null|present|\[\]|)[\"']?", re.IGNORECASE)
"""A switch that leaves out what it names."""
SKIPPED = frozenset(("register", "tags", "notify", "when", "changed_when", "failed_when", "until", "listen"))
PACKAGES = frozenset(("apt", "yum", "dnf", "package", "zypper", "pkg", "packages"))


@dataclass(frozen=True)
class Place:
    """What a value is for, by the key that holds it or the module whose `name` it is."""

    keys: frozenset[str]
    severity: str
    why: str
    replacement: str


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PLACES = (
    Place(
        _words("role roles include_role import_role include_tasks import_tasks import_playbook include"),
        "blocks",
        RULE.why,
        RULE.replacement,
    ),
    Place(
        _words("service systemd systemd_service"),
        "blocks",
        "the service belongs to NVIDIA's software",
        "what Ascend's driver or MindCluster has in its place, if anything",
    ),
    Place(
        _words("command shell raw cmd script argv"),
        "blocks",
        "the task runs what belongs to NVIDIA",
        "what Ascend's driver or CANN has in its place, if anything",
    ),
    Place(
        _words("modprobe kernel_blacklist"),
        "degrades",
        "the module of the kernel is of NVIDIA's driver",
        "nothing: Ascend's driver brings modules of its own",
    ),
    Place(
        _words("hosts groups"),
        "degrades",
        "the hosts are those with GPUs",
        "a group of the hosts with Ascend beside it",
    ),
    Place(
        _words(
            "path dest src creates removes regexp line file template copy get_url url repo baseurl gpgkey"
        ),
        "degrades",
        "the task handles a file or an address of NVIDIA's software, or one that is called so",
        "its counterpart of Ascend's driver or CANN, if there is one",
    ),
)
SETTING = Place(
    frozenset(),
    "degrades",
    "the setting says what of NVIDIA's is installed or expected, or how",
    "a setting of its own for Ascend, where the role has need of one",
)
OF_PACKAGES = Place(
    frozenset(),
    "blocks",
    "the task installs or takes away packages of NVIDIA's",
    "Ascend's driver, firmware and CANN, by their run files",
)
NAMES = Place(
    frozenset(),
    "cosmetic",
    "a name that people read, or a variable of the play's own",
    "a name that holds for both, if the play is to serve both",
)
SET = re.compile(r"(^|/)(?:defaults|vars|group_vars|host_vars|vars_files|config[\w.\-]*|inventor\w+)/")
TRIED = re.compile(r"(^|/)(?:molecule|tests?)/")


def check(document: Document) -> Iterator[Finding]:
    if document.kind != "yaml" or not roles.is_ansible(document):
        return
    lines: set[int] = set()
    for entry in yaml_entries.entries(document):
        if entry.named in SKIPPED or _is_package(entry) or _is_image(entry):
            continue
        for start, end in (
            (entry.key_start, entry.key_end),
            entry.inner(document.text) if entry.value else (0, 0),
        ):
            match = WORD.search(document.text, start, end)
            line = document.position(start)[0]
            if (
                match
                and match[0].lower() == "gpu"
                and (OF_OTHERS.search(document.text, start, end) or entry.named.rsplit(".", 1)[-1] in RUN)
            ):
                continue  # GPUs of other makers, and words in a command that say nothing of the maker
            if document.text.startswith("/home/", start):
                continue  # somebody is called nvidia
            if match and line not in lines and end - start < 200:
                lines.add(line)
                yield _found(document, entry, start, end, match)


def _is_package(entry: Entry) -> bool:
    """Of which D003 tells."""
    module = entry.parent if entry.key in ("name", "pkg") else entry.named if entry.is_item else ""
    above = {word.rsplit(".", 1)[-1] for word in entry.path[:-1]}
    return bool(entry.value and PACKAGE.fullmatch(entry.value) and (module in PACKAGES or above & PACKAGES))


def _is_image(entry: Entry) -> bool:
    """Of which D001 tells."""
    named = "image" in entry.named.lower() or "container" in entry.named.lower()
    return bool(entry.value and named and images.tie(entry.value.split(":{{")[0]))


def _found(document: Document, entry: Entry, start: int, end: int, match: re.Match[str]) -> Finding:
    place = _place(document, entry, start == entry.key_start)
    whole = document.text[start:end]
    severity = place.severity
    if severity != "cosmetic":
        off = bool(entry.value) and OFF.fullmatch(document.text[entry.start : entry.end])
        gone = tasks.UNINSTALLS.search(whole) or TRIED.search(document.path)
        severity = "cosmetic" if off or gone else tasks.weight(document, start) or severity
    return RULE.found(
        document,
        *match.span(),
        match[0] if "\n" in whole else whole,
        severity=severity,
        why=place.why,
        replacement=place.replacement,
    )


def _place(document: Document, entry: Entry, is_key: bool) -> Place:
    module = entry.parent.rsplit(".", 1)[-1]
    held = entry.named.rsplit(".", 1)[-1]
    if not is_key:
        for place in PLACES:
            if held in place.keys or (held == "name" and module in place.keys):
                return place
    if not is_key and PACKAGES & {word.rsplit(".", 1)[-1] for word in entry.path[:-1]}:
        return OF_PACKAGES
    setting = (
        SET.search(document.path) or entry.parent == "vars" or (len(entry.path) == 1 and not entry.is_item)
    )
    return SETTING if setting and entry.value is not None and held != "name" else NAMES
