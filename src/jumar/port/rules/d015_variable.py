"""Environment variables of CUDA, NCCL and NVIDIA's containers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.cudamap import Name
from jumar.port import dictionary, library_variables
from jumar.port.document import Document
from jumar.port.finding import Edit, Finding
from jumar.port.reading import json_entries, roles
from jumar.port.reading.comments import without_comments
from jumar.port.reading.scripts import SCRIPT_KEYS, in_code, is_told, script_commands
from jumar.port.reading.shell_words import Command
from jumar.port.rule import Example, Rule
from jumar.port.system_files import INSTALLER
from jumar.port.system_packages import installed
from jumar.port.variable_names import NAME

RULE = Rule(
    code="D015",
    name="variable",
    kinds=(
        "shell",
        "slurm",
        "dockerfile",
        "apptainer",
        "yaml",
        "make",
        "ini",
        "ci",
        "terraform",
        "json",
        "toml",
        "markdown",
        "text",
    ),
    triggers=(
        "nccl_",
        "cuda",
        "nvidia_",
        "cudnn_",
        "cublas_",
        "nvte_",
        "nvshmem_",
        "gdrcopy_",
        "numba_cuda",
        "ds_build",
        "fi_efa",
        "mig_",
        "triton_ptxas",
        "horovod_",
        "pytorch_cuda",
        "nvcc_",
        "dcgm_",
    ),
    layer="data centre",
    severity="degrades",
    safety="safe",
    runs_unchanged=True,
    why="CUDA's libraries, or programs and images that are built for CUDA, read it",
    replacement="its counterpart for Ascend set beside it, if there is one",
    examples=(
        Example(
            "export NCCL_SOCKET_IFNAME=eth0\n",
            after="export NCCL_SOCKET_IFNAME=eth0\nexport HCCL_SOCKET_IFNAME=eth0\n",
            path="run.sh",
        ),
        Example(
            "CUDA_VISIBLE_DEVICES=0,1 python train.py\n",
            after="CUDA_VISIBLE_DEVICES=0,1 ASCEND_RT_VISIBLE_DEVICES=0,1 python train.py\n",
            path="run.sh",
        ),
        Example("ENV NVIDIA_VISIBLE_DEVICES=all\n", path="Dockerfile"),
        Example("env:\n- name: NVIDIA_VISIBLE_DEVICES\n  value: void\n", path="pod.yaml"),
        Example("env:\n- name: NCCL_DEBUG\n  value: INFO\n", path="pod.yaml"),
        Example("mpirun -x NCCL_IB_HCA -np 8 ./x\n", path="run.sh"),
        Example('if [ -n "$CUDA_HOME" ]; then ls; fi\n', path="run.sh"),
        Example("USE_CUDA=1\n", path="build.env"),
        Example('export MAMBA_KEEP_CUDA_BUILD="TRUE"\n', path="build.sh"),
    ),
    keep=(
        Example("apt-get install -y cuda-nvcc-${CUDA_MAJOR_VERSION}\n", path="run.sh"),
        Example("# export NCCL_DEBUG=INFO\nexport OMP_NUM_THREADS=1\n", path="run.sh"),
        Example("MY_NCCL_DEBUGGER=1\n", path="run.sh"),
        Example("CUDA_FILE=cuda_${SHORT}.3_561.17_windows.exe\n", path="run.sh"),
        Example(
            '{"info": "PyTorch built with:\\n - GCC 13\\n - USE_CUDNN=ON, USE_NCCL=1"}\n', path="result.json"
        ),
    ),
)

SAME_VALUES = frozenset(
    (
        "CUDA_VISIBLE_DEVICES",
        "NCCL_SOCKET_IFNAME",
        "NCCL_SOCKET_FAMILY",
        "NCCL_IB_SL",
        "NCCL_IB_RETRY_CNT",
        "NCCL_IB_QPS_PER_CONNECTION",
        "NCCL_ASYNC_ERROR_HANDLING",
        "CUDA_LAUNCH_BLOCKING",
        "TORCH_NCCL_ASYNC_ERROR_HANDLING",
        "TORCH_NCCL_BLOCKING_WAIT",
        "TORCH_NCCL_HEARTBEAT_TIMEOUT_SEC",
        "TORCH_NCCL_ENABLE_MONITORING",
    )
)
"""Their counterparts take the same values, so one can be set beside the other."""
CHOOSING = frozenset(("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"))
"""Unread, the program takes other chips than it was given."""
SCRIPTS = ("shell", "slurm")


def row_of(name: str) -> Name | None:
    """The table of containers' variables knows them better than that of programs, except in its last resorts."""
    here = dictionary.find("datacentre/variables", name)
    program = dictionary.find("environment", name)
    if here is not None and "*" not in here.cuda:
        return here
    return program or here


def check(document: Document) -> Iterator[Finding]:
    layer = roles.layer_of(document)
    prose = document.kind == "markdown"
    added = _additions(document) if document.kind in SCRIPTS else {}
    if document.kind == "text" and not ENVIRONMENT_FILE.search(document.path):
        return
    packages = [(word.start, word.end) for word in installed(document)]
    seen: set[tuple[int, str]] = set()
    dumped = _dumps(document) if document.kind == "json" else ()
    for match in NAME.finditer(without_comments(document)):
        name, here = match[0], (document.position(match.start())[0], match[0])
        outside = prose and not in_code(document, match.start())
        if here in seen or outside or any(start <= match.start() < end for start, end in dumped):
            continue
        seen.add(here)
        if MODEL.fullmatch(name):
            continue  # a GPU as clouds call it, of which other rules tell
        row = row_of(name)
        says = (row.ascend if row and row.ascend and not row.note else None) or dictionary.says(
            row, RULE.replacement
        )
        if row and row.ascend and "*" not in row.ascend:
            says = f"{row.ascend}: {row.note}" if row.note else row.ascend
        edit = added.get(match.start())
        told = is_told(document, match.start())
        if any(start <= match.start() < end for start, end in packages):
            continue  # part of the name of a package, of which D003 tells
        own = not library_variables.is_read(name)
        if own and INSTALLER.search(document.lines[here[0] - 1]):
            continue  # D003 tells of the file that it holds
        version = (own and VERSION.search(name) is not None) or name in VERSIONS
        switch = own and SWITCH.match(name) is not None
        light = (
            told
            or UNSET.search(document.text, *_line(document, match))
            or roles.is_test_data(document)
            or (row and row.note.startswith("ignored"))
        )
        heavy = (
            "cosmetic"
            if own and not (version or switch)
            else "cosmetic"
            if light
            else "silent"
            if name in CHOOSING
            else "cosmetic"
            if row and row.note.startswith("ignored")
            else None
        )
        if HIDES.match(document.text, match.start()):
            heavy = "cosmetic"
        if name.startswith("NCCL_") and OF_AMD.search(document.lines[here[0] - 1]):
            beside = OF_RCCL[1]
            yield RULE.found(
                document,
                *match.span(),
                name,
                replacement=beside,
                layer=layer,
                severity="cosmetic",
                why=OF_RCCL[0],
            )
            continue
        why, instead = (
            OF_NONE
            if HIDES.match(document.text, match.start())
            else OF_VERSION
            if version
            else OF_SWITCH
            if switch
            else OF_ITS_OWN
            if own
            else (None, says)
        )
        yield RULE.found(
            document,
            *match.span(),
            name,
            replacement=instead.removeprefix("ignored; "),
            layer=layer,
            severity=heavy,
            edit=[edit] if edit else None,
            why=why,
        )


def _line(document: Document, match: re.Match[str]) -> tuple[int, int]:
    """From where its line begins to where it ends."""
    return document.starts[document.position(match.start())[0] - 1], match.end()


HIDES = re.compile(
    r"NVIDIA_VISIBLE_DEVICES[\"']?(?:[ \t]*[:=,][ \t]*|[ \t]*,?\s*\n[ \t]*[\"']?value[\"']?[ \t]*[:=][ \t]*)[\"']?"
    r"(?:void|none)\b"
)
OF_NONE = (
    "the value hides NVIDIA's GPUs from the container, and nothing is lost without it",
    "nothing: a container sees no chip of Ascend's that it does not ask for",
)
UNSET = re.compile(r"^[ \t]*unset[ \t][^;&|\n]*$")
"""What is taken away is not there on Ascend either."""
OF_AMD = re.compile(r"(?<![a-z])rccl(?![a-z])", re.IGNORECASE)
OF_RCCL = (
    "AMD's RCCL reads the variable, which is called as NCCL's is",
    "HCCL's variable beside it, where it has one",
)
MODEL = re.compile(r"NVIDIA_(?:TESLA|RTX|[A-Z]{1,2}\d{1,3}[A-Z]?)(?:_\w+)?")
VERSIONS = frozenset(("CUDA_VERSION", "CUDNN_VERSION", "NCCL_VERSION"))
OF_ITS_OWN = (
    "a variable of the project's own, which is named after CUDA, NCCL or NVIDIA",
    "a name that holds for both, if it is to serve both; what it holds is told where it is used",
)
OF_VERSION = (
    "a version of CUDA's or of what NVIDIA makes, which chooses what is built, fetched or installed",
    "the version of what is used in its place for Ascend, chosen beside it",
)
OF_SWITCH = (
    "a switch of a build or program for CUDA",
    "a switch of its own for Ascend, where the build has one",
)
SWITCH = re.compile(
    r"(?:USE|FORCE|WITH|ENABLE|BUILD|INSTALL|HAS|NO|DISABLE)_(?:CUDA|NCCL|CUDNN)|[A-Z]+_(?:WITH|USE|ENABLE|KEEP|FORCE)_CUDA"
)
VERSION = re.compile(r"VERSION|_VER$|_(?:MAJOR|MINOR|SHORT)$|_TAG$")
"""Not read by a library: a build is chosen by it."""
DUMP = re.compile(r"\n|^[^=$]*\s[^=$]*\s[^=$]*\s|,\s.*,\s")
"""Several lines, or words that begin as no assignment does."""
ENVIRONMENT_FILE = re.compile(r"(^|/)[^/]*(env|conf|nccl|hostfile|deepspeed_env)[^/]*$", re.IGNORECASE)


def _dumps(document: Document) -> tuple[tuple[int, int], ...]:
    """Values of JSON that are text, as kept output is: they name variables and set none."""
    return tuple(
        (entry.start, entry.end)
        for entry in json_entries.entries(document)
        if entry.value and entry.named.lower() not in SCRIPT_KEYS and DUMP.search(entry.value)
    )


def _additions(document: Document) -> dict[int, Edit]:
    """For each assignment whose counterpart takes the same value: the edit that sets it too, by the name's place."""
    found: dict[int, Edit] = {}
    for command in script_commands(document):
        exported = command.name == "export" and len(command.words) == 2
        words = command.words[1:2] if exported else command.settings if command.words else ()
        for word in words:
            name, _, value = word.text.partition("=")
            row = row_of(name) if name in SAME_VALUES else None
            if row is None or not value or row.ascend in document.text or ("$" in value and "(" in value):
                continue
            if exported and _is_alone(document, command):
                line = document.starts[document.position(command.start)[0] - 1]
                indent = document.text[line : command.start]
                addition = f"{document.newline}{indent}export {row.ascend}={value}"
                found[word.start] = Edit(command.end, command.end, addition)
            elif not exported:
                found[word.start] = Edit(word.end, word.end, f" {row.ascend}={value}")
    return found


def _is_alone(document: Document, command: Command) -> bool:
    """Whether nothing else stands on the command's line."""
    line, _ = document.position(command.start)
    start = document.starts[line - 1]
    whole = document.lines[line - 1]
    before, after = document.text[start : command.start], whole[command.end - start :]
    return not before.strip() and not after.strip() and command.end <= start + len(whole)
