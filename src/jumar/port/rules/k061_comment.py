"""Comments and texts of C++ sources that name CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import is_licence
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K061",
    name="comment",
    kinds=native_names.KINDS,
    triggers=("cuda", "nccl", "nvidia"),
    layer="software",
    severity="cosmetic",
    safety="report",
    runs_unchanged=False,
    why="a comment names CUDA or NVIDIA; nothing runs differently",
    replacement="a word that holds for both",
    examples=(
        Example("// runs on the CUDA device\nint x;\n"),
        Example('const char *s = "CUDA out of memory";\n'),
        Example('py::enum_<Kind>(m, "Kind").value("CUDA", Kind::CUDA);\n'),
    ),
    keep=(
        "/** @file\n *  @author Somebody, NVIDIA\n */\nint x;\n",
        "int x; // barracuda\n",
    ),
)

PATTERN = re.compile(
    r"(?:(?<![A-Za-z])|(?<=\blib))(?:(?i:cuda|nccl|nvidia|cudnn|cublas)\w*|[A-Z]\w{0,60}Cuda[A-Z]\w*)"
)


QUOTED = re.compile(r"\"([^\"\n]*)\"")
DEVICE = re.compile(r"cuda(?::\d*)?", re.IGNORECASE)
LIBRARY = re.compile(
    r"(?:.*/)?(?:lib)?(?:cuda|cudart|cublas(?:Lt)?|cudnn\w*|cufft|curand|cusolver|cusparse|nvrtc|nccl|nvidia-ml|nvml|cupti|nvcuda)"
    r"[\w.\-]*\.(?:so|dll|dylib)[.\d]*"
)
COMMAND = re.compile(r"(?:.*[ /])?(?:nvidia-smi|nvcc|nsys|ncu)(?: .*)?")
ASKED = re.compile(
    r"\b(?:secure_)?(?:getenv|setenv|putenv|unsetenv|_putenv_s|GetEnvironmentVariable\w*)\s*\($"
)
OF_DEVICE: dict[str, Any] = {
    "severity": "silent",
    "why": "the text is a device's name by which the program chooses; on Ascend it has another",
    "replacement": "npu beside it",
}
ENUM = re.compile(r"\.value\s*\($")
OF_ENUM: dict[str, Any] = {
    "why": "the name that Python is told of a value of an enumeration; nothing is chosen by the text",
    "replacement": "a value for Ascend beside it",
}
COMPARED = re.compile(r"[!=]=|\b(?:str\w*cmp|find|contains|starts_with)\b")
OF_VENDOR: dict[str, Any] = {
    "severity": "silent",
    "why": "the program goes by the vendor's name; on Ascend it is another",
    "replacement": "what is really meant, or the other vendor's name beside it",
}
OF_LIBRARY: dict[str, Any] = {
    "severity": "blocks",
    "why": "the library comes with NVIDIA's driver or toolkit",
    "replacement": "the library of CANN that has the same part: libascendcl, libopapi, libhccl",
}
OF_COMMAND: dict[str, Any] = {
    "severity": "blocks",
    "why": "the command comes with NVIDIA's driver or toolkit",
    "replacement": "npu-smi for nvidia-smi, msprof for nsys and ncu; bisheng compiles for Ascend",
}
OF_VARIABLE: dict[str, Any] = {
    "severity": "silent",
    "why": "the variable is one of CUDA's or NCCL's, which nobody sets on a machine with Ascend",
    "replacement": "the variable of CANN or HCCL, as ASCEND_RT_VISIBLE_DEVICES",
}
MANGLED = re.compile(r"\b_Z\w+|\d+[A-Za-z_]+E[A-Z]{1,2}[a-z]?\w*N\w*\d[A-Za-z]|[A-Z]S\d?_\w*N[SK]\d?_")
OF_SYMBOL: dict[str, Any] = {
    "severity": "blocks",
    "why": "the symbol of a compiled kernel of CUDA, by which it is fetched",
    "replacement": "the kernel's counterpart, compiled for Ascend, and its symbol",
}
VARIABLE = re.compile(r"(?:CUDA|NCCL|NVIDIA|CUDNN|CUBLAS)_[A-Z0-9_]+")


def _of_text(line: str, column: int) -> dict[str, Any]:
    """What a text is to the program, where it is more than words for people."""
    if "//" in line[:column] or line.lstrip().startswith(("*", "/*")):
        return {}
    for quoted in QUOTED.finditer(line):
        if not quoted.start() < column < quoted.end():
            continue
        text = quoted[1]
        if MANGLED.search(text):
            return OF_SYMBOL
        if DEVICE.fullmatch(text):
            return OF_ENUM if ENUM.search(line[: quoted.start()]) else OF_DEVICE
        if text.lower() == "nvidia" and COMPARED.search(line):
            return OF_VENDOR
        if LIBRARY.fullmatch(text):
            return OF_LIBRARY
        if COMMAND.fullmatch(text) and RUN.search(line[: quoted.start()]):
            return OF_COMMAND
        if VARIABLE.fullmatch(text) and ASKED.search(line[: quoted.start()]):
            return OF_VARIABLE
    return {}


RUN = re.compile(r"\b(?:system|popen|_popen|exec\w*|run\w*)\s*\($")


def check(document: Document) -> Iterator[Finding]:
    native, lines = source(document), set[int]()
    for match in PATTERN.finditer(document.text):
        line, _ = document.position(match.start())
        if line in lines or native.is_code(*match.span()):
            continue
        lines.add(line)
        text = document.lines[line - 1]
        if not is_licence(text) and not text.lstrip().startswith("#"):
            given = _of_text(text, match.start() - document.starts[line - 1])
            yield RULE.found(document, *match.span(), f"text: {match[0]}", **given)
