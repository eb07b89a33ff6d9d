"""A job of Slurm for nodes with Ascend: resources, modules, variables, commands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.scripts import script_commands
from jumar.port.reading.shell_words import Command
from jumar.port.twins import wording
from jumar.port.twins.base import Draft, Twin, beside, comment, is_twin

TIES = frozenset(("D002", "D014", "D015", "D016", "D018", "W015"))
GRES = re.compile(r"(?P<option>--gres[= ])gpu(?::[\w\-]+?)?(?::(?P<count>\$?\{?\w+\}?))?(?=[\s\"']|$)")
GPUS = re.compile(
    r"--gpus-per-(?P<of>node|task)[= ](?:[A-Za-z][\w\-]*:)?(?P<count>\$?\{?\w+\}?)"
    r"|--gpus[= ](?:[A-Za-z][\w\-]*:)?(?P<all>\d+)|(?<!\S)-G[ =]?(?P<short>\d+)"
)
HARDWARE = re.compile(
    r"^[ \t]*#SBATCH[ \t]+(?:--constraint|-C)[= ]\S*(?:a100|h100|h200|v100|gpu)\S*[^\n]*\n", re.MULTILINE
)
PARTITION = re.compile(
    r"^(?P<line>[ \t]*#SBATCH[ \t]+(?:--partition|-p)[= ]\S*gpu\S*)", re.MULTILINE | re.IGNORECASE
)
OF_NVIDIA = re.compile(r"lib(?:nccl|cuda|cudart|nvidia)[\w\-]*\.so")
SET_ENV = "source /usr/local/Ascend/ascend-toolkit/set_env.sh"
REFERENCE = re.compile(r"\$\{?CUDA_VISIBLE_DEVICES\}?")


def twin(document: Document, findings: Sequence[Finding]) -> Twin | None:
    """The twin, None if there is nothing to change."""
    if (
        document.kind != "slurm"
        or is_twin(document.path)
        or not any(one.code in TIES and one.severity != "cosmetic" for one in findings)
    ):
        return None
    draft = Draft(document)
    for match in GRES.finditer(document.text):
        count = f":{match['count']}" if match["count"] else ""
        draft.replace(*match.span(), f"{match['option']}npu{count}")
    for match in GPUS.finditer(document.text):
        count = match["count"] or match["all"] or match["short"]
        draft.replace(*match.span(), f"--gres=npu:{count}")
    for match in HARDWARE.finditer(document.text):
        draft.replace(*match.span(), "")
    for match in PARTITION.finditer(document.text):
        draft.insert(match.end(), "  # the site's name for nodes with Ascend")
    wording.fit_paths(draft, 0, len(document.text))
    loaded = False
    for command in script_commands(document):
        wording.fit_command(draft, command)
        wording.fit_container(draft, command)
        wording.fit_install(draft, command)
        wording.fit_options(draft, command.start, command.end)
        loaded = _module(draft, command, loaded) or loaded
        _variables(draft, command)
    for match in REFERENCE.finditer(document.text):
        draft.replace(*match.span(), match[0].replace("CUDA_VISIBLE_DEVICES", "ASCEND_RT_VISIBLE_DEVICES"))
    if not loaded and SET_ENV not in document.text:
        _source(draft)
    shebang = re.match(r"#![^\n]*\n", document.text)
    head = comment(
        [
            f"Written by jumar port from {document.path.rsplit('/', 1)[-1]}, for nodes with chips of Ascend.",
            "The resource npu is there once the administrator has set GresTypes=npu and gres.conf with /dev/davinci*.",
        ],
        document.newline,
    )
    text = draft.text()
    at = len(shebang[0]) if shebang else 0
    return Twin(beside(document.path), text[:at] + head + text[at:], "the job's twin for nodes with Ascend")


def _module(draft: Draft, command: Command, loaded: bool) -> bool:
    """`module load cuda` becomes the environment of CANN."""
    if command.name not in ("module", "ml"):
        return False
    of_cuda = [
        word
        for word in command.words
        if re.match(r"(?:\S+/)?(?:cuda|cudnn|nccl|nvhpc|cudatoolkit)\b", word.plain)
    ]
    others = [word for word in command.words[1:] if word not in of_cuda and word.plain not in ("load", "add")]
    if not of_cuda or command.words[0].plain not in ("module", "ml"):
        return False
    if others:
        for word in of_cuda:
            wording.drop_word(draft, word)
        return False
    draft.replace(command.start, command.end, "true" if loaded else SET_ENV)
    return True


def _variables(draft: Draft, command: Command) -> None:
    """Assignments: those with a counterpart take its name, the others leave."""
    exported = command.name == "export"
    for word in (*command.settings, *(command.words[1:] if exported else ())):
        name = word.text.partition("=")[0]
        if exported and OF_NVIDIA.search(word.text) and _alone(draft, command):
            draft.insert(command.start, "# ")
            continue
        if not re.fullmatch(r"[A-Z]\w*", name) or wording.variable(name) is None:
            continue
        new = wording.counterpart(name)
        value = word.text.partition("=")[2]
        if new and new != name:
            draft.replace(word.start, word.start + len(name), new)
            fitted = wording.fit_variable_value(name, value)
            if fitted != value:
                draft.replace(word.start + len(name) + 1, word.end, fitted)
        elif new is None and exported and len(command.words) == 2 and _alone(draft, command):
            draft.insert(command.start, "# ")
        elif new is None and not exported and command.words:
            draft.replace(word.start, word.end + 1, "")


def _alone(draft: Draft, command: Command) -> bool:
    line = draft.document.lines[draft.document.position(command.start)[0] - 1]
    return line.strip() == draft.document.text[command.start : command.end].strip()


def _source(draft: Draft) -> None:
    """The environment of CANN, after the last line for Slurm."""
    lines = [*re.finditer(r"^[ \t]*#SBATCH[^\n]*\n", draft.document.text, re.MULTILINE)]
    if lines:
        newline = draft.document.newline
        draft.insert(lines[-1].end(), f"{newline}{SET_ENV}{newline}")
