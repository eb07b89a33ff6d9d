"""Keys of NVIDIA in Kubernetes and kin (`nvidia.com/gpu`), with what each is for where it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from jumar.port import dictionary
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries, roles, yaml_entries
from jumar.port.reading.comments import without_comments
from jumar.port.reading.entries import Entry
from jumar.port.reading.scripts import is_told
from jumar.port.rule import Rule

KEY = re.compile(
    r"(?:(?<![\w.\-/])|(?<=\.)(?=nvidia\\))(?:(?:(?:requests|limits|resource|gpu|mig|k8s|management|topology|"
    r"accelerator|feature\.node|dcgm)\.)?"
    r"nvidia\.com\\*/(?!en-|blog|content|object|docs|datacenter|download|deep-learning|gtc|drivers)[\w.\-/*]+"
    r"|cloud\.google\.com/gke-(?:accelerator|gpu)[\w\-]*|k8s\.amazonaws\.com/accelerator"
    r"|karpenter\.k8s\.aws/instance-(?:gpu|accelerator)-[\w\-]+|aliyun\.com/gpu-[\w\-]+|"
    r"volcano\.sh/v?gpu-[\w\-]+"
    r"|(?<=\.)nvidia\\+\.com\\*/(?:gpu|mig)[\w.\-]*"
    r"|(?:resource\.|gpu\.)?nvidia\.com(?=[\"']?[ \t]*$))(?![\w/])",
    re.MULTILINE,
)
ROLES = ("resource", "selector", "toleration", "operator")
REMARK = re.compile(r"//|^[ \t]*[*#]|\b(?:Usage|usage|Description|description)\b")
BLOCK = re.compile(r"^[ \t]*/\*.*?\*/", re.DOTALL | re.MULTILINE)
OF_TAINT = re.compile(r"\bkey[\"']?[ \t]*:[ \t]*[\"']?$")
IN_TEST = re.compile(r"_test\.go$")
"""Texts that a test of Go holds against others: they change with the program, and run as they are."""
# What a file holds that has such a key.
TRIGGERS = (
    "nvidia.com",
    "nvidia\\",
    "gke-",
    "amazonaws.com/acc",
    "karpenter",
    "aliyun.com/gpu",
    "volcano.sh/",
)
KINDS = ("yaml", "json", "shell", "slurm", "terraform", "ci", "markdown", "make", "toml", "ini", "text")


@dataclass(frozen=True)
class Key:
    """`role`: one of ROLES. `entry`: the key and value that it is part of, if the file has such."""

    name: str
    start: int
    end: int
    role: str
    entry: Entry | None


def keys(document: Document) -> tuple[Key, ...]:
    return document.once(_keys)


def findings(rule: Rule, document: Document, role: str) -> Iterator[Finding]:
    """Of that rule: every key of that role, with what the dictionary has in its place."""
    for key in keys(document):
        if key.role == role:
            row = dictionary.find("datacentre/kubernetes", key.name.replace("\\", ""))
            if row is not None and (
                row.note == "NVIDIA's" or (role != "resource" and _is_resource(key.name))
            ):
                row = None
            yield rule.found(
                document,
                key.start,
                key.end,
                key.name,
                replacement=dictionary.says(row, rule.replacement),
                layer=roles.layer_of(document),
                severity="cosmetic"
                if IN_TEST.search(document.path) or is_told(document, key.start)
                else None,
            )


def _is_resource(name: str) -> bool:
    """What stands in its place as a resource is no label and no taint."""
    return name in ("nvidia.com/gpu", "nvidia.com/gpu.shared") or "/mig-" in name


def _keys(document: Document) -> tuple[Key, ...]:
    return tuple(_found(document))


def _found(document: Document) -> Iterator[Key]:
    places = _places(document)
    starts = [start for start, _, _ in places]
    for match in KEY.finditer(without_comments(document)):
        before = document.text[max(0, match.start() - 3) : match.start()]
        if document.kind == "text" and _in_block(document, match.start()):
            continue
        if before.endswith("://") or before.endswith("@") or _is_remark(document, match.start()):
            continue
        line = document.starts[document.position(match.start())[0] - 1]
        number = bisect_right(starts, match.start()) - 1
        entry = places[number][2] if number >= 0 and match.start() < places[number][1] else None
        role = _role(match[0], entry)
        if (
            role == "resource"
            and entry is None
            and OF_TAINT.search(document.text[line : match.start()])
            and "label" not in document.text[line : match.start()]
        ):
            role = "toleration"
        yield Key(match[0], match.start(), match.end(), role, entry)


def _in_block(document: Document, place: int) -> bool:
    """A comment over several lines of Go, Rust or the like."""
    return any(start <= place < end for start, end in document.once(_blocks))


def _blocks(document: Document) -> list[tuple[int, int]]:
    return [match.span() for match in BLOCK.finditer(document.text)]


def _is_remark(document: Document, place: int) -> bool:
    """A comment of a source in a language that no rule reads, or a line of help."""
    if document.kind != "text":
        return False
    line = document.position(place)[0]
    start = document.starts[line - 1]
    return bool(REMARK.search(document.text, start, place))


def _places(document: Document) -> list[tuple[int, int, Entry]]:
    """Where keys and scalars stand, in order."""
    found = []
    for entry in _entries(document):
        if entry.key_end > entry.key_start:
            found.append((entry.key_start, entry.key_end, entry))
        if entry.value is not None:
            found.append((entry.start, entry.end, entry))
    return sorted(found, key=lambda one: one[:2])


def _entries(document: Document) -> tuple[Entry, ...]:
    if document.kind == "yaml":
        return yaml_entries.entries(document)
    return json_entries.entries(document) if document.kind == "json" else ()


def _role(name: str, entry: Entry | None) -> str:
    if name.startswith("management."):
        return "operator"  # a device of NVIDIA's for containers, no resource
    if re.search(r"/gpu-(?:operator|driver|feature|device-plugin)", name):
        return "selector"  # labels of NVIDIA's components, no resource
    path = " ".join(entry.path).lower() if entry else ""
    if entry and entry.key == "apiVersion":
        return "operator"
    if "toleration" in path or "taint" in path:
        return "toleration"
    if re.search(
        r"nodeselector|affinity|matchlabels|matchexpressions|labels|selector|topologykey|annotations", path
    ):
        return "selector"
    if re.search(
        r"nvidia\.com/(gpu\.(?:product|memory|count|present|family|machine|deploy|replicas|"
        r"compute|sharing|clique|mode)|cuda|mig\.|vgpu|mps)|gke-|instance-|amazonaws",
        name,
    ):
        return "selector"
    return (
        "resource"
        if name.split("/")[-1].startswith(("gpu", "mig-", "vgpu", "hostdev", "rdma"))
        else "operator"
    )
