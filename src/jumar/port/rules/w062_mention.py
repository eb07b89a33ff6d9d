"""What else names CUDA in configuration and scripts: lines that fit no other rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries, roles, yaml_entries
from jumar.port.reading.comments import OF_ADDRESS, in_address, is_licence
from jumar.port.reading.own_paths import is_own
from jumar.port.rule import Example, Rule
from jumar.port.taken import lines as other_lines

RULE = Rule(
    code="W062",
    name="mention",
    kinds=(
        "shell",
        "slurm",
        "dockerfile",
        "apptainer",
        "yaml",
        "json",
        "toml",
        "ini",
        "requirements",
        "make",
        "cmake",
        "terraform",
        "ci",
        "bazel",
    ),
    triggers=("cuda", "nccl", "nvidia", "cudnn"),
    layer="workflow",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="the line names CUDA and fits no other rule; somebody should look at it",
    replacement="a look: a name of one's own, an address, or something that no rule knows",
    examples=(
        Example("install_cuda_things() {\n  true\n}\n", path="a.sh"),
        Example("FROM cuda-builder AS build\n", path="Dockerfile"),
        Example("image:\n  repository: docker.io/x/nvidia_gpu_exporter\n", path="values.yaml"),
        Example('build:\n  cuda-major-version: "13"\n', path="matrix.yaml"),
        Example('backends:\n  amd: "rocm-x"\n  nvidia: "cuda12-x"\n', path="index.yaml"),
        Example("modprobe nvidia-uvm\n", path="a.sh"),
        Example("./nvidia-installer --silent\n", path="a.sh"),
        Example("RUN make build-vllm-cuda\n", path="Dockerfile"),
        Example("- requirements_files: [requirements.cuda.txt]\n", path="a.yaml"),
        Example("models:\n  a:\n    resourceProfile: nvidia-gpu-l4:1\n", path="values.yaml"),
    ),
    keep=(
        Example('{"model": {"vocab": {\n  "\\u0120nvidia": 47181\n}}}\n', path="tokenizer.json"),
        Example("huggingface_dataset_id: nvidia/HelpSteer2\n", path="a.yaml"),
        Example("image: ncclementi/x:latest\n", path="pod.yaml"),
        Example('{"text": "a BARRACUDA of two colours"}\n', path="a.json"),
        Example("pip install cupy-cuda12x\n", path="a.sh"),
        Example("ls\n", path="a.sh"),
    ),
)
WORD = re.compile(
    r"(?i:(?<![A-Za-z])(?:cuda|nccl(?!ement)|nvidia|cudnn)\w*)"
    r"|(?<=[a-z0-9_])(?:Cuda|CUDA|Nccl|NCCL|Nvidia|NVIDIA)\w*|(?i:(?<![A-Za-z0-9])[A-Za-z0-9]{1,24}_?(?<!barra)cuda\b)"
)
LONGEST_LINE = 2000
CHOOSES = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?[\w.\-]*(?:image_?name|image|profile|runtime_?class(?:_?name)?|node_?(?:pool|group)"
    r"|flavou?r|repository(?=[\"']?[ \t]*:[ \t]*[\"']?[\w\-]+\.[\w.\-]+/))"
    r"[\"']?[ \t]*[:=][ \t]*[\"']?(?P<value>[\w.\-/:@]+)[\"']?,?[ \t]*(?:#.*)?$",
    re.IGNORECASE,
)
"""A setting whose value says what is run, or where."""
VERSION = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?cuda[\-_]?(?:major|minor)?[\-_]?ver(?:sion)?s?[\"']?[ \t]*[:=][ \t]*[\[\"']*\d"
)
VERSIONED: dict[str, Any] = {
    "severity": "degrades",
    "why": "the version of CUDA chooses what is built or fetched",
    "replacement": "a build for Ascend beside it, with a version of CANN",
    "runs_unchanged": False,
}
ROW = re.compile(r"^(?P<indent>[ \t]*)[\"']?(?P<key>[\w.\-]+)[\"']?[ \t]*:[ \t]*[^\s#{\[]")
OTHER_DEVICE = re.compile(r"cpu|amd|rocm|intel|metal|vulkan|apple|hip|sycl|xpu|darwin[\w\-]*", re.IGNORECASE)
BY_DEVICE: dict[str, Any] = {
    "severity": "degrades",
    "why": "the table chooses by what the host has, and has no row for Ascend",
    "replacement": "a row for Ascend beside it",
    "runs_unchanged": False,
}
FARTHEST = 12
MODULE = re.compile(
    r"[ \t]*(?:-[ \t]+|\w+[ \t]+){0,3}(?:[\w./]*/)?(?:modprobe|insmod|rmmod|lsmod|modinfo|dkms|depmod|lspci"
    r"|kmod[\w\-]*)\b(?!.*echo)"
    r"|[ \t]*nvidia(?:[-_](?:uvm|drm|modeset|peermem))?[ \t]*$|.*\boptions[ \t]+nvidia\b|.*\bblacklist[ \t]+nvidia"
)
INSTALLER = re.compile(
    r"[ \t]*(?:sudo[ \t]+|sh[ \t]+|\w+=\S+[ \t]+)*(?:[\w./${}]*/)?(?:nvidia-installer|NVIDIA-Linux[^\s\"']*)[ \t]+-"
)
OF_INSTALLER: dict[str, Any] = {
    "severity": "blocks",
    "why": "the line runs NVIDIA's installer of the driver",
    "replacement": "the installer of Ascend's driver and firmware",
    "runs_unchanged": False,
}
RUNTIME = re.compile(r"[ \t]*\[.*containerd.*\.runtimes\.[\"']?nvidia")
OF_RUNTIME: dict[str, Any] = {
    "severity": "degrades",
    "why": "registers NVIDIA's container runtime with containerd",
    "replacement": "ascend-docker-runtime, which its installer registers",
    "runs_unchanged": False,
}
OF_MODULES: dict[str, Any] = {
    "severity": "degrades",
    "why": "the line asks for NVIDIA's cards, or for modules of the kernel that NVIDIA's driver brings",
    "replacement": "npu-smi info lists Ascend's chips; its driver loads modules of its own",
    "runs_unchanged": False,
}
FETCHED = re.compile(
    r"://[^\s\"']*(?:cuda|cu1[1-3]\d|nvidia)[^\s\"']*\.(?:whl|tar\.gz|zip|tgz)\b", re.IGNORECASE
)
OF_INDEX: dict[str, Any] = {
    "severity": "degrades",
    "why": "the file is fetched from a place that is for CUDA or NVIDIA's",
    "replacement": "the like from a place that serves Ascend or any machine, chosen beside it",
    "runs_unchanged": False,
}
FILES = re.compile(
    r"\b(?:requirements|Dockerfile|Containerfile|environment|constraints|compose|pylock|lock)[.\-_]?[\w.\-]*"
    r"(?:cuda|nvidia)[\w.\-]*|/[\w.\-]*nvidia[\w.\-]*\.(?:list|repo|deb|rpm|run|gpg|asc|sources)\b"
    r"|(?:cuda|nvidia)[\w.\-]*[/.\-_](?:Dockerfile|Containerfile|requirements[\w.\-]*\.(?:txt|in))\b",
    re.IGNORECASE,
)
EASYCONFIG = re.compile(r"(?:CUDA|NCCL|cuDNN)[\w.+\-]*\.eb\b")
OF_EASYCONFIG: dict[str, Any] = {
    "severity": "degrades",
    "why": "the module is built with CUDA or what comes with it",
    "replacement": "a module with CANN beside it, where the program can use it",
    "runs_unchanged": False,
}
OF_HUB = re.compile(
    r"(?:hugging|hf_|model|dataset|tokenizer|checkpoint|repo_id)[\w\-]*[\"']?[ \t]*[:=][ \t]*[\"']?nvidia/",
    re.IGNORECASE,
)
"""A name on a hub says who made it."""
ACCOUNT = re.compile(
    r"[ \t]*(?:-[ \t]+)?[\"']?(?:\w*user(?:name)?|owner)[\"']?[ \t]*[:=][ \t]*[\"']?nvidia[\"']?[ \t]*,?$"
)
"""Whom a machine or a service knows, whatever they are called."""
REMOVED = re.compile(r"[ \t]*(?:sudo[ \t]+)?(?:rm|unlink|COPY[ \t]+--from)\b")
OF_FILES: dict[str, Any] = {
    "severity": "degrades",
    "why": "the line takes a file that is for CUDA, or is called so",
    "replacement": "a file for Ascend beside it",
    "runs_unchanged": False,
}
BUILDS = re.compile(
    r"[ \t]*(?:-[ \t]+)?(?:RUN[ \t]+|run:[ \t]*)?(?:[^#\n]*&&[ \t]*)?(?:sudo[ \t]+|time[ \t]+)?"
    r"(?:make|bazel|bazelisk|ninja|cargo|just|task|cmake|docker[ \t]+(?:buildx[ \t]+)?(?:build|bake)|\$\(MAKE\))[ \t]"
)
OF_BUILD: dict[str, Any] = {
    "severity": "degrades",
    "why": "the command builds or runs what is called after CUDA",
    "replacement": "what is built for Ascend in its place",
    "runs_unchanged": False,
}
VARIANT = re.compile(r"(?<![\w~])\+[\w+]*cuda\b|\bcuda_arch=")
OF_VARIANT: dict[str, Any] = {
    "severity": "degrades",
    "why": "the package is built with CUDA",
    "replacement": "the package without that variant; on Ascend's hosts it then runs on the CPU",
    "runs_unchanged": False,
}
WITHOUT = re.compile(r"~cuda\b")
OF_WITHOUT: dict[str, Any] = {
    "why": "the package is built without CUDA, and the line names it",
    "replacement": "nothing: it is built so anywhere",
}
CHANNEL = re.compile(
    r"[ \t]*-[ \t]+[\"']?(?:https://conda\.anaconda\.org/)?nvidia(?:/label/[\w.\-]+)?/?[\"']?[ \t]*$"
    r"|.*[ \t](?:-c|--channel)[ \t=]+nvidia\b"
)
OF_CHANNEL: dict[str, Any] = {
    "why": "conda takes packages of CUDA from the channel, if it is asked for some",
    "replacement": "nothing, once no package of CUDA is asked for",
}
SELECTS = re.compile(
    r"affinity|matchexpressions|nodeselector|node_?selector|instance_?types?|node_?pools?$", re.IGNORECASE
)
OF_NODES: dict[str, Any] = {
    "severity": "blocks",
    "why": "the value chooses nodes with NVIDIA's GPUs",
    "replacement": "the value that the nodes with Ascend have for it",
    "runs_unchanged": False,
}
VOCABULARY = re.compile(
    r"(^|/)[^/]*(?:tokenizer|vocab|merges|added_tokens|encoder|word_?list)[^/]*\.json$", re.IGNORECASE
)
"""Words that a model knows."""
TOKEN = re.compile(r"[ \t]*\"[^\"]*\"[ \t]*:[ \t]*\d+,?[ \t]*$|[ \t]*\"[^\"]* [^\"]*\",?[ \t]*$")


def check(document: Document) -> Iterator[Finding]:
    places = {
        document.position(match.start())[0]: match
        for match in reversed([*WORD.finditer(document.text)])
        if not is_own(document, match.start())
    }
    if not places:
        return
    taken = other_lines(document, RULE.code)
    for line in sorted(places):
        match = places[line]
        text = document.lines[line - 1]
        if line not in taken and len(text) < LONGEST_LINE and not is_licence(text):
            chosen = CHOOSES.match(text)
            if chosen and WORD.search(chosen["value"]) and document.kind not in ("toml", "make", "cmake"):
                yield RULE.found(
                    document,
                    *match.span(),
                    match[0],
                    severity="blocks",
                    layer=roles.layer_of(document),
                    why="the setting chooses an image, a profile or nodes for NVIDIA's GPUs",
                    replacement="the image, profile or nodes for Ascend, which are made beside it",
                    runs_unchanged=False,
                )
                continue
            if OF_HUB.search(text) or ACCOUNT.match(text):
                continue
            if document.kind == "json" and VOCABULARY.search(document.path) and TOKEN.match(text):
                continue
            yield RULE.found(
                document, *match.span(), match[0], layer=roles.layer_of(document), **_more(document, line)
            )


OF_SOFTWARE = frozenset(("toml", "requirements", "cmake", "bazel"))
"""Kinds of file that programs are built and installed by."""


def _layer_of(document: Document) -> str:
    return "software" if document.kind in OF_SOFTWARE else roles.layer_of(document)


def _more(document: Document, line: int) -> dict[str, Any]:
    """What is known of the line beside that it names CUDA."""
    text = document.lines[line - 1]
    if VERSION.match(text):
        return VERSIONED
    if _is_of_devices(document, line):
        return {} if roles.is_test_data(document) else BY_DEVICE
    if INSTALLER.match(text):
        return OF_INSTALLER
    if RUNTIME.match(text):
        return OF_RUNTIME
    if document.kind in ("shell", "slurm", "dockerfile", "apptainer", "make", "yaml") and MODULE.match(text):
        return OF_MODULES
    if FETCHED.search(text):
        return OF_INDEX
    if document.kind in ("yaml", "shell", "slurm", "dockerfile", "toml", "ci") and VARIANT.search(text):
        return OF_VARIANT
    if WITHOUT.search(text):
        return OF_WITHOUT
    if CHANNEL.match(text) and ("channels" in document.lowered or "conda" in text):
        return OF_CHANNEL
    if EASYCONFIG.search(text):
        return OF_EASYCONFIG
    if FILES.search(text) and not REMOVED.match(text):
        return OF_FILES
    if document.kind in ("shell", "slurm", "dockerfile", "make", "yaml") and BUILDS.match(text):
        return OF_BUILD
    word = WORD.search(document.text, document.starts[line - 1])
    if word is not None and in_address(document, word.start()):
        return dict(OF_ADDRESS)
    return OF_NODES if _is_of_nodes(document, line) else {}


def _is_of_nodes(document: Document, line: int) -> bool:
    """Whether a value on the line is one that a pod is placed by."""
    return document.kind in ("yaml", "json") and line in document.once(_lines_of_nodes)


def _lines_of_nodes(document: Document) -> frozenset[int]:
    if not SELECTS.search(document.text):
        return frozenset()
    read = json_entries.entries if document.kind == "json" else yaml_entries.entries
    return frozenset(
        document.position(entry.start)[0]
        for entry in read(document)
        if entry.value is not None
        and (entry.named == "values" or entry.parent.lower() in ("nodeselector", "node_selector"))
        and WORD.search(entry.value)
        and SELECTS.search(" ".join(entry.path))
    )


def _is_of_devices(document: Document, line: int) -> bool:
    """A row of a table that takes something by what the host has: rows beside it name other devices."""
    row = ROW.match(document.lines[line - 1])
    if row is None or document.kind not in ("yaml", "json") or not WORD.search(row["key"]):
        return False
    for step in (-1, 1):
        at = line - 1 + step
        while 0 <= at < len(document.lines) and abs(at - line + 1) <= FARTHEST:
            other = ROW.match(document.lines[at])
            if other is None or other["indent"] != row["indent"]:
                break
            if OTHER_DEVICE.fullmatch(other["key"]):
                return True
            at += step
    return False
