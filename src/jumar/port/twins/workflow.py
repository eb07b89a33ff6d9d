"""A GitHub workflow for runners with Ascend: started by hand until there are such runners."""

from __future__ import annotations

from collections.abc import Sequence

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.entries import Entry
from jumar.port.twins import wording
from jumar.port.twins.base import Twin, beside, comment, is_twin
from jumar.port.twins.yaml_draft import YamlDraft

RUNNER = "[self-hosted, npu]"


def twin(document: Document, findings: Sequence[Finding]) -> Twin | None:
    """The workflow's twin, None if none of its jobs wants a GPU."""
    if (
        document.kind != "yaml"
        or is_twin(document.path)
        or not document.path.startswith(".github/workflows/")
    ):
        return None
    if not any(one.code == "W001" for one in findings):
        return None
    draft = YamlDraft(document)
    on_gpus = {one.line for one in findings if one.code == "W001"}
    for entry in draft.entries:
        if entry.path[-1] == "runs-on" and len(entry.path) == 3:
            _runner(draft, entry, on_gpus)
        elif entry.path == ("name",) and entry.value:
            draft.insert(entry.inner(document.text)[1], " (NPU)")
        elif entry.key == "options" and entry.value:
            for match in wording.GPUS.finditer(document.text, entry.start, entry.end):
                draft.replace(*match.span(), "-e ASCEND_VISIBLE_DEVICES=0-7")
        elif entry.path == ("on",):
            _trigger(draft, entry)
    draft.fit_images()
    draft.fit_variables()
    draft.fit_scripts()
    head = comment(
        [
            f"Written by jumar port from {document.path.rsplit('/', 1)[-1]}, for runners with chips of Ascend.",
            "It is started by hand: copy the triggers of the original once there are such runners.",
        ],
        document.newline,
    )
    text = draft.text(head)
    return Twin(beside(document.path), text, "the workflow's twin") if draft.is_sound(text) else None


def _runner(draft: YamlDraft, entry: Entry, on_gpus: set[int]) -> None:
    """The runner of a job that asks for a GPU, or of one whose matrix says which."""
    first, last = draft.document.position(entry.start)[0], draft.document.position(draft.last(entry))[0]
    from_matrix = bool(entry.value and "matrix" in draft.document.text[entry.start : entry.end])
    if not from_matrix and not on_gpus & set(range(first, last + 1)):
        return
    if entry.value is not None:
        draft.replace(entry.start, entry.end, RUNNER)
    elif draft.document.text[entry.start] == "[":
        draft.replace(entry.start, draft.last(entry) + 1, RUNNER)


def _trigger(draft: YamlDraft, entry: Entry) -> None:
    if entry.value is not None:
        draft.replace(entry.start, entry.end, "workflow_dispatch")
        return
    if draft.document.text[entry.start] == "[":
        draft.replace(entry.start, entry.end, "workflow_dispatch")
        return
    end = max(draft.last(entry), max(one.key_end for one in draft.leaves(entry)))
    if draft.document.text[end : end + 1] == ":":
        end += 1
    draft.replace(draft.line_start(entry.start), end, "  workflow_dispatch:")
