"""Keys of NVIDIA in Kubernetes and kin (`nvidia.com/gpu`), with what each is for where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jumar.port.document import Document
from jumar.port.reading import json_entries, yaml_entries
from jumar.port.reading.comments import without_comments
from jumar.port.reading.entries import Entry

KEY = re.compile(
    r"(?<![\w.\-/])(?:(?:(?:requests|limits|resource|gpu|mig|k8s|management|topology|"
    r"accelerator|feature\.node|dcgm)\.)?"
    r"nvidia\.com\\*/(?!en-|blog|content|object|docs|datacenter|download|deep-learning|gtc|drivers)[\w.\-/*]+"
    r"|cloud\.google\.com/gke-(?:accelerator|gpu)[\w\-]*|k8s\.amazonaws\.com/accelerator"
    r"|karpenter\.k8s\.aws/instance-(?:gpu|accelerator)-[\w\-]+|aliyun\.com/gpu-[\w\-]+|"
    r"volcano\.sh/v?gpu-[\w\-]+"
    r"|(?:resource\.|gpu\.)?nvidia\.com(?=[\"']?[ \t]*$))(?![\w/])",
    re.MULTILINE,
)
ROLES = ("resource", "selector", "toleration", "operator")
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


def _keys(document: Document) -> tuple[Key, ...]:
    return tuple(_found(document))


def _found(document: Document) -> Iterator[Key]:
    entries = _entries(document)
    for match in KEY.finditer(without_comments(document)):
        before = document.text[max(0, match.start() - 3) : match.start()]
        if before.endswith("://") or before.endswith("@"):
            continue
        entry = _around(entries, match.start())
        yield Key(match[0], match.start(), match.end(), _role(match[0], entry), entry)


def _entries(document: Document) -> tuple[Entry, ...]:
    if document.kind == "yaml":
        return yaml_entries.entries(document)
    return json_entries.entries(document) if document.kind == "json" else ()


def _around(entries: tuple[Entry, ...], place: int) -> Entry | None:
    """The innermost entry whose key or scalar holds the place."""
    return next(
        (
            entry
            for entry in entries
            if entry.key_start <= place < entry.key_end
            or (entry.value is not None and entry.start <= place < entry.end)
        ),
        None,
    )


def _role(name: str, entry: Entry | None) -> str:
    path = " ".join(entry.path).lower() if entry else ""
    if entry and entry.key == "apiVersion":
        return "operator"
    if "toleration" in path or "taint" in path:
        return "toleration"
    if re.search(
        r"nodeselector|affinity|matchlabels|matchexpressions|labels|selector|topologykey|annotations", path
    ):
        return "selector"
    if re.search(r"nvidia\.com/(gpu\.(?!shared)|cuda|mig\.|vgpu|mps)|gke-|instance-|amazonaws", name):
        return "selector"
    return (
        "resource"
        if name.split("/")[-1].startswith(("gpu", "mig-", "vgpu", "hostdev", "rdma"))
        else "operator"
    )
