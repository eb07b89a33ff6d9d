"""What commands, variables and packages of a script become in its twin."""

from __future__ import annotations

import re

from jumar.cudamap import Name
from jumar.port import dictionary, distributions, images
from jumar.port.reading.requirement_lines import parse
from jumar.port.reading.shell_words import Command, Word
from jumar.port.twins.base import Draft, cann_image, torch_pair

CUDA_SUFFIX = re.compile(r"\+cu\d{2,3}$")
INDEX = re.compile(r"(https?://[^\s\"']*/whl/)(?:nightly/)?cu\d{2,3}\b")
SYSTEM_PACKAGE = re.compile(
    r"(?:cuda(?:-[\w.\-${}]+)?|libcudnn\w*[\w\-]*|libnccl[\w\-]*|libcu(?:blas|fft|rand|solver|sparse)[\w.\-]*|"
    r"libnv(?:infer|onnx|toolsext|jpeg)[\w\-]*|nvidia-[\w.\-${}]+|tensorrt[\w\-]*|datacenter-gpu-manager)(?:=\S+)?"
)
PATHS = (
    (
        re.compile(
            r"/usr/local/cuda(?:-[\d.]+)?/(?:lib64/stubs|extras/CUPTI/lib64|lib64|targets/[\w\-]+/lib)"
        ),
        "/usr/local/Ascend/ascend-toolkit/latest/lib64",
    ),
    (re.compile(r"/usr/local/nvidia/lib(?:64)?"), "/usr/local/Ascend/driver/lib64"),
    (re.compile(r"/usr/local/nvidia/bin"), "/usr/local/Ascend/driver/tools"),
    (
        re.compile(r"/usr/local/cuda(?:-[\d.]+)?(?![\w\-])(?!\S*lib(?:nccl|cu|nv)\w*\.so)"),
        "/usr/local/Ascend/ascend-toolkit/latest",
    ),
)
VALUES = {"nccl": "hccl", "cuda": "npu", "gpu": "npu", "cpu:gloo,cuda:nccl": "cpu:gloo,npu:hccl"}
OPTION = re.compile(
    r"(?P<option>(?<![^\s\"',\[])-{0,2}[\w.\-+]*(?:device|backend|accelerator|map[_-]location)[\w\-]*)"
    r"(?P<between>=|[ \t]+|[\"'][ \t]*,[ \t]*[\"'])"
    r"(?P<value>cpu:gloo,cuda:nccl|cuda(?P<number>:\d+)?|gpu|nccl)(?![\w/.\-])"
)
CONDAS = frozenset(("conda", "mamba", "micromamba"))
CONDA_PACKAGE = re.compile(r"(?:nvidia(?:/\S*)?::)?(?:cudatoolkit|cuda|cudnn|nccl|cuda-\S+)(?:[=<>].*)?$")
GPUS = re.compile(r"--gpus(?:=|[ \t]+)(?:all|\d+|[\"']\S+[\"'])|--runtime[= ]nvidia")
COMMANDS = {
    "nvidia-smi": "npu-smi info",
    "nsys": "msprof",
    "nvitop": "npu-smi info",
    "gpustat": "npu-smi info",
}


def variable(name: str) -> Name | None:
    """The row that says what a variable is on Ascend, that of containers first."""
    here = dictionary.find("datacentre/variables", name)
    if here is not None and "*" not in here.cuda:
        return here
    return dictionary.find("environment", name) or here


def counterpart(name: str) -> str | None:
    """The variable that does the same, if one does."""
    row = variable(name)
    return row.ascend if row and row.ascend and "*" not in row.ascend else None


def fit_variable_value(name: str, value: str) -> str:
    """`all` has no counterpart where chips are numbered; a buffer of bytes is one of MiB."""
    bare = value.strip("\"'")
    if name == "NVIDIA_VISIBLE_DEVICES" and bare == "all":
        return "0-7"
    if name == "NCCL_BUFFSIZE" and bare.isdigit():
        return str(max(1, int(bare) >> 20))
    return value


def fit_paths(draft: Draft, start: int, end: int) -> None:
    """Places of CUDA become those of CANN."""
    for pattern, place in PATHS:
        for match in pattern.finditer(draft.document.text, start, end):
            draft.replace(*match.span(), place)


def fit_options(draft: Draft, start: int, end: int) -> None:
    for match in OPTION.finditer(draft.document.text, start, end):
        value = VALUES.get(match["value"].split(":")[0] if match["number"] else match["value"])
        if value:
            draft.replace(*match.span("value"), value + (match["number"] or ""))


def fit_install(draft: Draft, command: Command) -> None:
    """`pip install` and `apt-get install`: packages of CUDA leave, those with a counterpart change."""
    words = [word.plain for word in command.words]
    if "install" not in words and "add" not in words:
        return
    if command.name in ("apt-get", "apt", "yum", "dnf"):
        for word in command.words:
            if SYSTEM_PACKAGE.fullmatch(word.plain):
                drop_word(draft, word)
        return
    if any(word in CONDAS for word in words):
        _fit_conda(draft, command)
        return
    if not any(word.rsplit("/", 1)[-1].startswith(("pip", "uv")) for word in words):
        return
    for word in command.words[1:]:
        if not word.text.startswith("-"):
            fit_requirement(draft, word)


def _fit_conda(draft: Draft, command: Command) -> None:
    """Packages and channels of CUDA leave; PyTorch becomes that for processors."""
    for number, word in enumerate(command.words):
        last = command.words[number - 1] if number else None
        if last and last.plain in ("-c", "--channel") and word.plain.startswith("nvidia"):
            drop_word(draft, word)
            drop_word(draft, last)
        elif re.match(r"pytorch-cuda\b", word.plain):
            draft.replace(word.start, word.end, "cpuonly")
        elif CONDA_PACKAGE.match(word.plain):
            drop_word(draft, word)


def fit_requirement(draft: Draft, word: Word) -> None:
    index = INDEX.search(word.plain)
    if index:
        draft.replace(word.start, word.end, INDEX.sub(r"\1cpu", word.text))
        return
    needed = parse(word.plain, 0)
    if needed is None or word.plain in ("install", "add"):
        return
    new = requirement(needed.name, word.plain)
    if new == "":
        drop_word(draft, word)
    elif new is not None:
        quote = word.text[0] if word.text[0] in "\"'" else ""
        draft.replace(word.start, word.end, " ".join(f"{quote}{one}{quote}" for one in new.split("\n")))


def requirement(name: str, text: str) -> str | None:
    """What stands for a requirement: None as it is, empty nothing, else lines."""
    if name == "torch":
        pinned = re.search(r"==\s*([\d.]+)", text)
        pair = torch_pair(pinned[1] if pinned else None)
        exact = bool(pinned) and pair.torch.startswith(pinned[1]) if pinned else False
        adapter = f"torch-npu=={pair.torch_npu}" if exact else "torch-npu"
        return f"{CUDA_SUFFIX.sub('', text)}\n{adapter}"
    row = distributions.tie(name)
    if row is None:
        return CUDA_SUFFIX.sub("", text) if CUDA_SUFFIX.search(text) else None
    if not row.ascend or row.ascend == "torch_npu":
        return ""
    return None if row.ascend == name else row.ascend


def drop_word(draft: Draft, word: Word) -> None:
    """Takes a word out, with the blank before it."""
    text, start = draft.document.text, word.start
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    draft.replace(start, word.end, "")


def fit_container(draft: Draft, command: Command) -> None:
    """`docker run --gpus all`: chips are named by a variable that Ascend Docker Runtime reads."""
    if command.name not in ("docker", "podman", "nerdctl"):
        return
    for number, word in enumerate(command.words):
        last = command.words[number - 1] if number else None
        if last and last.plain == "--gpus":
            draft.replace(last.start, word.end, "-e ASCEND_VISIBLE_DEVICES=0-7")
        elif word.plain.startswith("--gpus="):
            draft.replace(word.start, word.end, "-e ASCEND_VISIBLE_DEVICES=0-7")
        elif word.plain == "--runtime=nvidia":
            drop_word(draft, word)
        elif last and last.plain == "--runtime" and word.plain == "nvidia":
            draft.replace(last.start, word.end, "--runtime ascend")
        elif images.tie(word.plain) and images.IMAGE.match(word.plain):
            draft.replace(word.start, word.end, fit_image(word.plain) or word.plain)
        elif word.plain in COMMANDS:
            draft.replace(word.start, word.end, COMMANDS[word.plain])


def fit_command(draft: Draft, command: Command) -> None:
    """The command itself, where a counterpart takes no other options."""
    word = command.name_word
    if word is None or command.name not in COMMANDS:
        return
    if _fit_item(draft, word, COMMANDS[command.name]):
        return
    if command.name == "nvidia-smi" and len(command.words) > 1:
        others = [one for one in command.words if one.start > word.end]
        if others:
            draft.replace(word.start, others[-1].end, "npu-smi info")
            return
    draft.replace(word.start, word.end, COMMANDS[command.name])


def _fit_item(draft: Draft, word: Word, new: str) -> bool:
    """A command that is an item of a list becomes as many items as it has words. Whether it was one."""
    text = draft.document.text
    before = text[draft.line_start(word.start) : word.start]
    listed = re.compile(r"(?P<quote>[\"']?)[ \t]*[,\]]").match(text, word.end)
    if listed and re.search(r"[\[,][ \t]*[\"']?$", before):
        quote = listed["quote"]
        draft.replace(word.start, word.end, f"{quote}, {quote}".join(new.split()))
        return True
    if (
        draft.document.kind == "yaml"
        and re.fullmatch(r"[ \t]*-[ \t]+", before)
        and word.end == _line_end(draft, word)
    ):
        separator = draft.document.newline + before
        draft.replace(word.start, word.end, separator.join(new.split()))
        return True
    return False


def _line_end(draft: Draft, word: Word) -> int:
    line, _ = draft.document.position(word.start)
    return draft.document.starts[line - 1] + len(draft.document.lines[line - 1].rstrip())


def fit_image(image: str) -> str | None:
    """The image that stands for one with CUDA."""
    row = images.tie(image)
    if row is None:
        return None
    if row.ascend == "quay.io/ascend/cann" or not row.ascend:
        return cann_image(torch_pair(None))
    return row.ascend
