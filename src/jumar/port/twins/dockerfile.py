"""Dockerfile.npu: the same steps on an image with CANN, without what belongs to CUDA."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jumar.port import images
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import dockerfile_steps
from jumar.port.reading.dockerfile_steps import Step
from jumar.port.reading.scripts import script_commands
from jumar.port.twins import wording
from jumar.port.twins.base import Draft, Twin, beside, cann_image, comment, is_twin, torch_pair

TIES = frozenset(("D001", "D002", "D003", "D015", "D016", "B006", "B016"))
PAIR = re.compile(
    r"(?P<name>\w+)(?P<is>=|[ \t]+)(?P<value>\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?:[^\s\\]|\\[^\n\r])+)"
)
TORCH_TAG = re.compile(r"pytorch/pytorch:(?P<version>\d+\.\d+\.\d+)")
PYTORCH_IMAGES = ("pytorch/pytorch", "nvcr.io/nvidia/pytorch", "huggingface/transformers-pytorch-gpu")


def twin(document: Document, findings: Sequence[Finding]) -> Twin | None:
    """The twin, None if there is nothing to change."""
    if (
        document.kind != "dockerfile"
        or is_twin(document.path)
        or not any(one.code in TIES for one in findings)
    ):
        return None
    draft = Draft(document)
    steps = dockerfile_steps.steps(document)
    tag = TORCH_TAG.search(document.text)
    pair = torch_pair(tag["version"] if tag else None)
    based = [
        _base(draft, step, pair.torch, pair.torch_npu)
        for step in steps
        if step.word in ("FROM", "ARG", "COPY")
    ]
    for step in steps:
        if step.word == "ENV":
            _environment(draft, step)
        elif step.word == "ARG":
            _argument(draft, step)
        elif step.word in ("RUN", "CMD", "ENTRYPOINT"):
            wording.fit_paths(draft, step.body_start, step.end)
            wording.fit_options(draft, step.body_start, step.end)
    for command in script_commands(document):
        wording.fit_install(draft, command)
        wording.fit_command(draft, command)
    if any(based) and steps:
        first = next((step for step in steps if step.word in ("FROM", "ARG")), steps[0])
        draft.insert(first.start, f"ARG CANN_IMAGE={cann_image(pair)}{document.newline}")
    if not draft.edits:
        return None
    _leftovers(draft, findings)
    head = comment(
        [
            f"Written by jumar port from {document.path.rsplit('/', 1)[-1]}: the same steps on CANN, for chips of Ascend.",
            "Start it with Ascend Docker Runtime (-e ASCEND_VISIBLE_DEVICES=0-7), or with --device /dev/davinci0",
            "--device /dev/davinci_manager --device /dev/devmm_svm --device /dev/hisi_hdc and the driver mounted.",
        ],
        document.newline,
    )
    return Twin(beside(document.path), _with_head(draft, head), "the image's twin on CANN")


def _with_head(draft: Draft, head: str) -> str:
    """A line `# syntax=` has to stay the first."""
    text = draft.text()
    directives = re.match(r"(?:#[ \t]*(?:syntax|escape|check)[ \t]*=[^\n]*\n)*", text)
    at = directives.end() if directives else 0
    return text[:at] + head + text[at:]


def _base(draft: Draft, step: Step, torch: str, adapter: str) -> bool:
    """Puts the image with CANN in the place of one with CUDA. Whether it did."""
    patterns = {
        "FROM": r"(?:--platform=\S+\s+)*(?P<image>\S+)",
        "ARG": r"\w+=[\"']?(?P<image>[^\s\"']+/[^\s\"']+)",
        "COPY": r"(?:--\w+=\S+\s+)*?--from=(?P<image>\S*/\S+)",
    }
    match = re.match(patterns[step.word], step.body)
    row = images.tie(match["image"]) if match else None
    if match is None or row is None:
        return False
    start, end = step.body_start + match.start("image"), step.body_start + match.end("image")
    is_cann = row.ascend in ("quay.io/ascend/cann", "")
    if step.word == "ARG":
        draft.replace(start, end, cann_image(torch_pair(torch)) if is_cann else row.ascend)
        return False
    draft.replace(
        start,
        end,
        "${CANN_IMAGE}" if is_cann and step.word == "FROM" else wording.fit_image(match["image"]) or "",
    )
    if step.word == "FROM" and images.REGISTRY.sub("", match["image"]).startswith(PYTORCH_IMAGES):
        install = (
            f"RUN pip install --no-cache-dir torch=={torch} torch-npu=={adapter} "
            "--extra-index-url https://download.pytorch.org/whl/cpu"
        )
        draft.insert(step.end, f"{draft.document.newline}{install}")
    return is_cann and step.word == "FROM"


def _environment(draft: Draft, step: Step) -> None:
    pairs = [*PAIR.finditer(step.body)]
    ours = [pair for pair in pairs if wording.variable(pair["name"])]
    leaving = [pair for pair in ours if wording.counterpart(pair["name"]) in (None, "ASCEND_TOOLKIT_HOME")]
    if pairs and len(leaving) == len(pairs):
        draft.drop_lines(step.start, step.end)
        return
    for pair in ours:
        name = wording.counterpart(pair["name"])
        start, end = step.body_start + pair.start(), step.body_start + pair.end()
        if pair in leaving:
            _drop_pair(draft, start, end)
        elif name:
            draft.replace(start, step.body_start + pair.end("name"), name)
            value = wording.fit_variable_value(pair["name"], pair["value"])
            draft.replace(step.body_start + pair.start("value"), end, value)
    wording.fit_paths(draft, step.body_start, step.end)


def _drop_pair(draft: Draft, start: int, end: int) -> None:
    """One of several settings, with the continuation that follows or comes before it."""
    text = draft.document.text
    after = re.compile(r"[ \t]*\\\r?\n[ \t]*|[ \t]+").match(text, end)
    if after:
        draft.replace(start, after.end(), "")
        return
    before = re.compile(r"(?:[ \t]*\\\r?\n[ \t]*|[ \t]+)$").search(text, 0, start)
    draft.replace(before.start() if before else start, end, "")


def _argument(draft: Draft, step: Step) -> None:
    name = re.match(r"\w+", step.body)
    if name and name[0] in (
        "CUDA_VERSION",
        "CUDNN_VERSION",
        "NCCL_VERSION",
        "TORCH_CUDA_ARCH_LIST",
        "CUDA_ARCH",
    ):
        draft.notes.append(f"{name[0]} is of CUDA only")


def _leftovers(draft: Draft, findings: Sequence[Finding]) -> None:
    """Steps that still name CUDA get a line above them that says so."""
    seen: set[int] = set()
    for step in dockerfile_steps.steps(draft.document):
        start, _ = draft.document.position(step.start)
        end, _ = draft.document.position(step.end)
        left = [
            one
            for one in findings
            if start <= one.line <= end
            and one.severity != "cosmetic"
            and not _is_changed(draft, one)
            and not re.match(r"(?:COPY|FROM|LABEL)$", step.word)
        ]
        if left and start not in seen:
            seen.add(start)
            names = ", ".join(dict.fromkeys(one.what for one in left))
            draft.insert(
                draft.line_start(step.start),
                f"# jumar: look at this step: {names[:150]}{draft.document.newline}",
            )


def _is_changed(draft: Draft, finding: Finding) -> bool:
    start = draft.document.offset(finding.line, finding.column)
    end = draft.document.offset(finding.end_line, finding.end_column)
    return any(edit.start < end and start < edit.end for edit in draft.edits)
