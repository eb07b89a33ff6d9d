"""Services of Docker Compose with chips of Ascend: devices and the driver's files instead of NVIDIA's run time."""

from __future__ import annotations

from collections.abc import Sequence

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.entries import Entry
from jumar.port.twins.base import DEVICES, DRIVER_MOUNTS, Twin, beside, comment, is_twin
from jumar.port.twins.yaml_draft import YamlDraft

MOST_CHIPS = 8
SET_BY_US = frozenset(("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"))


def twin(document: Document, findings: Sequence[Finding]) -> Twin | None:
    """The compose file's twin, None if no service asks for GPUs."""
    if document.kind != "yaml" or is_twin(document.path) or not roles.is_compose(document):
        return None
    if not any(one.code == "D005" for one in findings):
        return None
    draft = YamlDraft(document)
    for service in [entry for entry in draft.entries if len(entry.path) == 2 and entry.path[0] == "services"]:
        _service(draft, service)
    draft.fit_images()
    draft.fit_variables(SET_BY_US)
    draft.fit_scripts()
    head = comment(
        [
            f"Written by jumar port from {document.path.rsplit('/', 1)[-1]}, for a host with chips of Ascend.",
            "With Ascend Docker Runtime the variable ASCEND_VISIBLE_DEVICES does instead of devices and mounts.",
        ],
        document.newline,
    )
    text = draft.text(head)
    if not draft.edits or not draft.is_sound(text):
        return None
    return Twin(beside(document.path), text, "the services' twin with devices of Ascend")


def _service(draft: YamlDraft, service: Entry) -> None:
    runtime = draft.at(service.part, (*service.path, "runtime"))
    gpus = draft.at(service.part, (*service.path, "gpus"))
    reserved = draft.at(service.part, (*service.path, "deploy", "resources", "reservations", "devices"))
    of_nvidia = [one for one in (runtime, gpus, reserved) if one and _is_nvidia(draft, one)]
    if not of_nvidia:
        return
    chips = _chips(draft, reserved) if reserved in of_nvidia and reserved else MOST_CHIPS
    keys = [one for one in draft.children(service) if one not in of_nvidia]
    for one in of_nvidia:
        draft.drop(one)
    kept = [one for one in keys if not any(edit.start <= one.key_start < edit.end for edit in draft.edits)]
    numbers = [f"/dev/davinci{number}" for number in range(chips)]
    devices = [f"{place}:{place}" for place in (*numbers, *DEVICES)]
    mounts = [f"{place}:{place}:ro" for place in DRIVER_MOUNTS]
    if kept:
        _listed(draft, service, kept[0], "devices", devices)
        _listed(draft, service, kept[0], "volumes", mounts)


def _is_nvidia(draft: YamlDraft, entry: Entry) -> bool:
    if entry.key == "runtime":
        return entry.value == "nvidia"
    return entry.key == "gpus" or any(one.value in ("nvidia", "gpu") for one in draft.leaves(entry))


def _chips(draft: YamlDraft, reserved: Entry) -> int:
    """How many are reserved; all of a server where that is not said."""
    ids = [one for one in draft.leaves(reserved) if "device_ids" in one.path and one.value is not None]
    if ids:
        return len(ids)
    count = next((one.value for one in draft.leaves(reserved) if one.key == "count"), None)
    return min(MOST_CHIPS, int(count)) if count and count.isdigit() else MOST_CHIPS


def _listed(draft: YamlDraft, service: Entry, first: Entry, key: str, items: Sequence[str]) -> None:
    """Adds items to a list of the service, which is made where there is none."""
    there = draft.at(service.part, (*service.path, key))
    held = draft.children(there) if there else []
    if held and there and draft.document.text[there.start] == "-":
        draft.put_item_before(held[0], [f"- {item}" for item in items])
    elif there is None:
        draft.put_before(first, [f"{key}:", *(f"  - {item}" for item in items)])
