"""requirements-npu.txt: the same needs with PyTorch's CPU build and the adapter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import requirement_lines
from jumar.port.twins import wording
from jumar.port.twins.base import VENDOR, Draft, Twin, comment, is_twin

TIES = frozenset(("B005", "B006"))
INDEX_LINE = re.compile(
    r"^[ \t]*(?:-i|--index-url|--extra-index-url|--find-links|-f)[ \t=]+\S+", re.MULTILINE
)
OF_NVIDIA = re.compile(r"pypi\.(?:ngc\.)?nvidia\.com|nvcr\.io")


def twin(document: Document, findings: Sequence[Finding]) -> Twin | None:
    """The twin, None if there is nothing to change."""
    if (
        document.kind != "requirements"
        or is_twin(document.path)
        or not any(one.code in TIES for one in findings)
    ):
        return None
    draft = Draft(document)
    indexed = _indexes(draft)
    has_torch = False
    for needed in requirement_lines.requirements(document):
        has_torch = has_torch or needed.name == "torch"
        bare = document.text[needed.start : needed.end].split(";")[0].rstrip()
        new = wording.requirement(needed.name, bare)
        if new == "":
            draft.drop_lines(needed.start, needed.end)
        elif new is not None:
            marker = f" {needed.marker}" if needed.marker else ""
            lines = [one + marker for one in new.split("\n")]
            draft.replace(needed.start, needed.end, document.newline.join(lines))
    if not draft.edits:
        return None
    if has_torch and not indexed:
        draft.insert(0, f"--extra-index-url https://download.pytorch.org/whl/cpu{document.newline}")
    head = comment(
        [f"Written by jumar port from {document.path.rsplit('/', 1)[-1]}, for chips of Ascend."],
        document.newline,
    )
    return Twin(_path(document.path), draft.text(head), "the requirements' twin with torch-npu")


def _path(path: str) -> str:
    place = PurePosixPath(path)
    if VENDOR.search(place.name):
        return str(place.with_name(VENDOR.sub("npu", place.name, count=1)))
    return str(place.with_name(f"{place.stem}-npu{place.suffix}"))


def _indexes(draft: Draft) -> bool:
    """Indexes with wheels for CUDA become that with the CPU build. Whether there was one."""
    found = False
    for match in INDEX_LINE.finditer(draft.document.text):
        if wording.INDEX.search(match[0]):
            draft.replace(*match.span(), wording.INDEX.sub(r"\1cpu", match[0]))
            found = True
        elif OF_NVIDIA.search(match[0]):
            draft.drop_lines(*match.span())
    return found
