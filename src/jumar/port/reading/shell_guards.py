"""Lines of scripts that run only where a question for NVIDIA's GPUs was answered with yes."""

from __future__ import annotations

import re

from jumar.port.document import Document

KINDS = ("shell", "slurm")
WORD = re.compile(r"^[ \t]*(?P<word>if|elif|else|fi)(?![\w=])(?P<rest>[^\n]*)")
ENDS = re.compile(r"(?:;|[ \t])[ \t]*fi(?![\w=])")
ASKS = re.compile(r"nvidia|cuda|nvcc|dcgm|(?<![a-z])gpus?(?![a-z])|(?<![a-z])mig(?![a-z])", re.IGNORECASE)
DENIES = re.compile(
    r"(?<![\w$])![ \t=]|(?<!\S)-z[ \t]|[ \t]-eq[ \t]+0|!=|-ne[ \t]"
    r"|==?[ \t]*[\"']?(?:0|false|no|none|cpu|amd|rocm|)[\"']?[ \t]*\]",
    re.IGNORECASE,
)


def asks(document: Document, place: int) -> bool:
    """Whether the line of a place stands under such a question."""
    return document.kind in KINDS and document.position(place)[0] in document.once(_guarded)


def _guarded(document: Document) -> frozenset[int]:
    found: set[int] = set()
    stack: list[list[bool]] = []  # of each open `if`: whether this branch is for GPUs, whether `else` is
    for number, line in enumerate(document.lines, 1):
        match = WORD.match(line)
        word = match["word"] if match else ""
        if word == "fi" and stack:
            stack.pop()
        elif word == "else" and stack:
            stack[-1] = [stack[-1][1], False]
        elif match and (word == "if" or (word == "elif" and stack)):
            if word == "elif":
                stack.pop()
            for_gpus = ASKS.search(match["rest"]) is not None
            denied = for_gpus and DENIES.search(match["rest"]) is not None
            if not ENDS.search(match["rest"]):
                stack.append([for_gpus and not denied, denied])
        if any(branch for branch, _ in stack) and not word:
            found.add(number)
    return frozenset(found)
