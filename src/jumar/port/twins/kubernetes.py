"""Pods, jobs and Helm values for nodes with Ascend: huawei.com/Ascend910, Volcano, the labels of MindCluster."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jumar.port import cluster_keys
from jumar.port.cluster_keys import Key
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.entries import Entry
from jumar.port.twins.base import CHIP, RESOURCE, SELECTOR, Twin, beside, comment, is_twin
from jumar.port.twins.yaml_draft import YamlDraft

NOT_THESE = re.compile(
    r"(^|/)templates/|(^|/)crds?/|(^|/)kustomization\.ya?ml$|(^|/)Chart\.ya?ml$|(^|/)tests?/"
)
SET_BY_US = frozenset(("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"))
VENDOR_COMPONENT = re.compile(r"nvidia|dcgm|gpu-operator|gpu-feature|time-slicing|mig-")
DEVICES_OF_POD = (
    "- name: ASCEND_VISIBLE_DEVICES",
    "  valueFrom:",
    "    fieldRef:",
    f"      fieldPath: metadata.annotations['{RESOURCE}']",
)


def twin(document: Document, findings: Sequence[Finding]) -> Twin | None:
    """The manifest's twin, None if it asks for no device."""
    if (
        document.kind != "yaml"
        or is_twin(document.path)
        or NOT_THESE.search(document.path)
        or roles.is_ci(document)
    ):
        return None
    codes = {one.code for one in findings}
    if not codes & {"D006", "D007", "D022"} or roles.is_compose(document):
        return None
    draft = YamlDraft(document)
    if _is_of_vendor(draft):
        return None
    keys = cluster_keys.keys(document)
    parts = [key for key in keys if key.entry and key.role == "resource" and cluster_keys.is_part(key.name)]
    keys = tuple(key for key in keys if key not in parts)
    if parts and not _leave(draft, parts, keys):
        return None
    asking = {(key.entry.part, key.entry.path) for key in keys if key.entry and key.role == "resource"}
    for containers in [entry for entry in draft.entries if entry.key in ("containers", "initContainers")]:
        _pod(draft, containers, asking)
    for key in keys:
        _key(draft, key)
    _tolerations(draft, keys)
    _ray(draft)
    for entry in draft.entries:
        if entry.key in ("runtimeClassName", "runtimeClass") and entry.value == "nvidia":
            draft.drop(entry)
    draft.fit_images()
    draft.fit_variables(SET_BY_US)
    draft.fit_scripts()
    if not draft.edits or not (asking or "D022" in codes):
        return None
    shared = (
        ["Whole chips are asked for in place of parts of GPUs: look whether that is meant."] if parts else []
    )
    head = comment(
        [
            f"Written by jumar port from {document.path.rsplit('/', 1)[-1]}, for nodes with chips of Ascend (MindCluster).",
            f"{RESOURCE} counts chips of Atlas A2 and A3; on Atlas 350, 850 and 950 the resource is huawei.com/npu.",
            *shared,
        ],
        document.newline,
    )
    text = draft.text(head)
    return (
        Twin(beside(document.path), text, "the manifest's twin for MindCluster")
        if draft.is_sound(text)
        else None
    )


def _leave(draft: YamlDraft, parts: Sequence[Key], keys: Sequence[Key]) -> bool:
    """Amounts of a GPU leave where chips are asked for beside them; alone they have no counterpart of that unit."""
    whole = {key.entry.path[:-1] for key in keys if key.entry and key.role == "resource"}
    for key in parts:
        if key.entry is None or key.entry.path[:-1] not in whole:
            return False
        draft.drop(key.entry)
    return True


def _is_of_vendor(draft: YamlDraft) -> bool:
    """Whether the file installs NVIDIA's own components, whose counterparts MindCluster brings."""
    for entry in draft.entries:
        if entry.path == ("kind",) and entry.value in (
            "CustomResourceDefinition",
            "ClusterPolicy",
            "NVIDIADriver",
        ):
            return True
        if entry.path == ("apiVersion",) and "nvidia.com" in (entry.value or ""):
            return True
        if entry.path == ("metadata", "name") and VENDOR_COMPONENT.search(entry.value or ""):
            return True
    return False


def _pod(draft: YamlDraft, containers: Entry, asking: set[tuple[int, tuple[str, ...]]]) -> None:
    """What a pod that asks for chips needs beside the resource: Volcano, the job's label, the devices' numbers."""
    depth = len(containers.path)
    mine = {
        path[: depth + 1]
        for part, path in asking
        if part == containers.part and path[:depth] == containers.path
    }
    if not mine or not draft.is_block(containers):
        return
    if containers.key == "containers" and draft.beside(containers, "schedulerName") is None:
        draft.put_before(containers, ["schedulerName: volcano"])
    labels = draft.at(containers.part, (*containers.path[:-2], "metadata", "labels"))
    held = draft.children(labels) if labels else []
    if held and not any(one.key == "ring-controller.atlas" for one in held):
        draft.put_before(held[0], [f"ring-controller.atlas: ascend-{CHIP}"])
    for path in mine:
        _devices(draft, containers.part, path)


def _devices(draft: YamlDraft, part: int, path: tuple[str, ...]) -> None:
    env = draft.at(part, (*path, "env"))
    items = draft.children(env) if env else []
    if env and items and env.start > env.key_end and draft.document.text[env.start] == "-":
        draft.put_item_before(items[0], DEVICES_OF_POD)
    elif env is None:
        resources = draft.at(part, (*path, "resources"))
        if resources is not None and not _is_first_of_item(draft, resources):
            draft.put_before(resources, ["env:", *(f"  {line}" for line in DEVICES_OF_POD)])


def _is_first_of_item(draft: YamlDraft, entry: Entry) -> bool:
    return "-" in draft.document.text[draft.line_start(entry.key_start) : entry.key_start]


def _key(draft: YamlDraft, key: Key) -> None:
    entry = key.entry
    name_start = key.start + max(0, key.name.find("nvidia.com"))
    if key.role == "resource":
        draft.replace(name_start, key.end, RESOURCE)
    elif key.role == "selector" and entry is not None:
        if entry.key_start <= key.start < entry.key_end:
            _label(draft, entry, key)
        elif entry.key == "key":
            draft.replace(key.start, key.end, SELECTOR[0])
            values = draft.beside(entry, "values")
            items = draft.children(values) if values else []
            for number, item in enumerate(items):
                if number == 0:
                    draft.set_value(item, SELECTOR[1])
                elif draft.document.text[values.start] == "-" if values else False:
                    draft.drop(item)


def _label(draft: YamlDraft, entry: Entry, key: Key) -> None:
    """The first of NVIDIA's labels of a mapping becomes that of Ascend, the others leave."""
    above = draft.at(entry.part, entry.path[:-1])
    others = [one for one in draft.children(above) if cluster_keys.KEY.search(one.key)] if above else [entry]
    if others and others[0] is entry and entry.value is not None:
        draft.replace(key.start, key.end, SELECTOR[0])
        draft.replace(entry.start, entry.end, SELECTOR[1])
    else:
        draft.drop(entry)


def _tolerations(draft: YamlDraft, keys: Sequence[Key]) -> None:
    """Tolerations of NVIDIA's taint leave, the whole list with the last of them."""
    leaving = [key.entry for key in keys if key.role == "toleration" and key.entry and key.entry.key == "key"]
    for entry in leaving:
        item = draft.at(entry.part, entry.path[:-1])
        whole = draft.at(entry.part, entry.path[:-2])
        if item is None or whole is None:
            continue
        ours = {one.path[:-1] for one in leaving if one.part == entry.part}
        if all(one.path in ours for one in draft.children(whole)):
            draft.drop(whole)
        else:
            draft.drop(item)


def _ray(draft: YamlDraft) -> None:
    """Ray's own count: GPUs become the resource NPU."""
    for entry in draft.entries:
        if entry.parent == "rayStartParams" and entry.key == "num-gpus" and entry.value:
            draft.replace(entry.key_start, entry.key_end, "resources")
            draft.replace(entry.start, entry.end, f'\'"{{\\"NPU\\": {entry.value}}}"\'')
