"""Comments and descriptions in configuration and scripts that name CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries, roles, yaml_entries
from jumar.port.reading.comments import OF_ADDRESS, comments, in_address, is_licence
from jumar.port.reading.own_paths import is_own
from jumar.port.reading.scripts import script_commands
from jumar.port.rule import Example, Rule
from jumar.port.variable_names import NAME as VARIABLE

RULE = Rule(
    code="W061",
    name="comment",
    kinds=(
        "shell",
        "slurm",
        "dockerfile",
        "apptainer",
        "yaml",
        "toml",
        "ini",
        "requirements",
        "cmake",
        "make",
        "terraform",
        "ci",
        "json",
        "bazel",
    ),
    triggers=("cuda", "nvidia", "nccl", "cudnn"),
    layer="workflow",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="a text or comment names CUDA or NVIDIA; nothing runs differently",
    replacement="a word that holds for both, where it tells what is needed",
    examples=(
        Example("# needs CUDA 12\nls\n", path="a.sh"),
        Example('echo "installing CUDA"\n', path="a.sh"),
        Example("name: Build with CUDA\n", path="x.yaml"),
    ),
    keep=(
        Example("# needs Python\nls\n", path="a.sh"),
        Example('if x; then\n  echo "options nvidia ${A[@]}" > ${B}/nvidia.conf\nfi\n', path="a.sh"),
        Example('echo "    \\"x.maintenance.nvidia.com\\""\n', path="a.sh"),
        Example("description: NVIDIA Parakeet, which hears\n", path="index.yaml"),
        Example('echo "with NCCL_IB_HCA=${NCCL_IB_HCA}"\n', path="a.sh"),
        Example("env:\n- name: NVIDIA_VISIBLE_DEVICES\n  value: all\n", path="values.yaml"),
        Example("content: |\n  enable_nvidia_dcgm: true\n", path="blueprint.yaml"),
    ),
)

WORD = re.compile(
    r"(?<![A-Za-z$])(?<!\$\{)(?:cuda|nvidia|nccl(?!ement)|cudnn|cublas|nvlink)\w*", re.IGNORECASE
)
SAID = frozenset(
    (
        "name",
        "description",
        "title",
        "displayname",
        "summary",
        "message",
        "help",
        "label",
        "text",
        "content",
        "doc",
        "docs",
    )
)
FILLED = frozenset(("content", "text", "doc", "docs", "message"))
NAME = re.compile(r"[\w.\-/]*[A-Z]_[A-Z][\w.\-/]*|[a-z0-9]+(?:[-_.][a-z0-9]+)+")
WRITES = re.compile(r"[ \t]*(?:>>?[ \t]*(?![&>]|/dev/)\S|\|[ \t]*(?:sudo[ \t]+)?tee\b)")
"""What is said goes into a file."""
WRITTEN = re.compile(r"(?:echo|printf)[ \t]+\"[ \t]*\\\"[^\s\"\\]+\\\"[,:]?\"[ \t]*$")
"""A quoted word alone is a line of a file or script, and nothing that people are told."""
SPEAKING = frozenset(("echo", "printf", "log", "info", "warn", "error", "die"))


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    remarks = comments(document)
    here = [(place, True) for place in remarks] + [(place, False) for place in _said(document)]
    for (start, end), remark in here:
        for match in WORD.finditer(document.text, start, end):
            if not remark and document.kind != "json" and VARIABLE.match(document.text, match.start()):
                continue  # a variable, of which D015 tells
            line, _ = document.position(match.start())
            if line in lines or is_own(document, match.start()):
                continue
            lines.add(line)
            if not is_licence(document.lines[line - 1]):
                more = OF_ADDRESS if in_address(document, match.start()) else {}
                yield RULE.found(
                    document,
                    *match.span(),
                    f"names {match[0]}",
                    why=more.get("why"),
                    replacement=more.get("replacement"),
                )


INTO_FILE = re.compile(r"(?<![\d&>])>>?[ \t]*[\"']?(?:\$\{?\w+\}?|[\w.~]*)/[^&\s][^\s]*$")


def _is_written(document: Document, start: int, end: int) -> bool:
    """What is said goes into a file with a path."""
    if WRITES.match(document.text, end):
        return True
    into = INTO_FILE.search(document.text, start, end)
    return into is not None and "/dev/" not in into[0]


def _said(document: Document) -> Iterator[tuple[int, int]]:
    """Texts for people: what is printed, and names and descriptions."""
    if document.kind in ("yaml", "json") and not roles.is_ci(document) and not roles.is_ansible(document):
        read = json_entries.entries if document.kind == "json" else yaml_entries.entries
        for entry in read(document):
            if not entry.value or entry.key.lower() not in SAID:
                continue
            if "\n" in entry.value and entry.key.lower() in FILLED:
                continue  # a file or a script, of which other rules tell
            if entry.key == "name" and (NAME.fullmatch(entry.value) or roles.is_kubernetes(document)):
                continue  # the name of a variable or an object
            yield entry.start, entry.end
    for command in script_commands(document):
        if WRITTEN.match(document.text[command.start : command.end]):
            continue
        if command.name in SPEAKING and not _is_written(document, command.start, command.end):
            yield command.start, command.end
