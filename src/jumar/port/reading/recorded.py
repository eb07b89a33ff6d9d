"""What a program answered or an object was at some time, kept in a file: nothing runs by it.

Objects that a cluster gave back, answers of exporters, lines of logs, what a test expects, samples beside a design.
"""

from __future__ import annotations

import itertools
import re

from jumar.port.document import Document

KINDS = frozenset(("yaml", "json", "text", "ini", "toml"))
OUTPUT = re.compile(
    r"\.(?:golden|out|output|log|prom|snap|stdout|stderr)(?:\.(?:txt|json|ya?ml))?$"
    r"|(^|/)(?:designs?|proposals?|enhancements|keps|rfcs|adrs?)/",
    re.IGNORECASE,
)
"""By the name: kept output, and what lies beside a design."""
MARKS = tuple(
    re.compile(rf"^[ \t\-]*\"?{mark}", re.MULTILINE)
    for mark in (
        r"resourceVersion\"?:[ \t]*[\"']?\d",
        r"uid\"?:[ \t]*[\"']?[0-9a-f]{8}-",
        r"creationTimestamp\"?:[ \t]*[\"']?20\d\d-",
        r"managedFields\"?:",
        r"(?:lastHeartbeatTime|lastTransitionTime|lastProbeTime|startTime)\"?:[ \t]*[\"']?20\d\d-",
    )
)
STATUS = re.compile(r"^[ \t]*\"?status\"?:[ \t]*\{?[ \t]*$", re.MULTILINE)
FEWEST = 2
"""Marks that only a cluster sets; people keep one of them by oversight in what they apply."""
PARTING = re.compile(r"^---", re.MULTILINE)
LINE = re.compile(
    r"#[ \t](?:HELP|TYPE)[ \t]\w|[A-Za-z_:][\w:]*\{[^}\n]*\}[ \t]+[\d.+\-eEnNaAiIfF]+(?:[ \t]+\d+)?[ \t]*$"
    r"|\[?20\d\d[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d|[IWEF][01]\d[0-3]\d \d\d:\d\d:\d\d"
    r"|\|[ \t].*\b(?:NVIDIA-SMI|Driver Version|CUDA Version)\b"
)
"""An exporter's answer, a line of a log, the head of nvidia-smi's table."""
WHY = "it names CUDA or NVIDIA in a record of what was answered once; nothing runs by it"
INSTEAD = "nothing, or the same recorded on a machine with Ascend beside it"


def is_recorded(document: Document, start: int) -> bool:
    if document.kind not in KINDS:
        return False
    if OUTPUT.search(document.path) or any(first <= start < end for first, end in document.once(_objects)):
        return True
    line, _ = document.position(start)
    return LINE.match(document.lines[line - 1].lstrip()) is not None


def _objects(document: Document) -> list[tuple[int, int]]:
    """The parts of a file that are objects as a cluster gave them back."""
    if document.kind not in ("yaml", "json") or not STATUS.search(document.text):
        return []
    cuts = [0, *(one.start() for one in PARTING.finditer(document.text)), len(document.text)]
    parts = itertools.pairwise(cuts) if document.kind == "yaml" else [(0, len(document.text))]
    return [(first, end) for first, end in parts if _is_object(document.text[first:end])]


def _is_object(text: str) -> bool:
    return STATUS.search(text) is not None and sum(bool(mark.search(text)) for mark in MARKS) >= FEWEST
