"""PyTorch's C++ names for CUDA: streams, guards, allocators, device types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from jumar.port import cost, native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K016",
    name="aten-cuda",
    kinds=native_names.KINDS,
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the name belongs to PyTorch's CUDA part, which a build for Ascend does not have",
    replacement="its counterpart in torch_npu: c10_npu and at_npu",
    examples=(
        Example("auto s = at::cuda::getCurrentCUDAStream();\n"),
        Example("auto o = torch::dtype(torch::kFloat32).device(torch::kCUDA, 0);\n"),
        Example("void f() { C10_CUDA_CHECK(x()); }\n"),
    ),
    keep=("// at::cuda::CUDAGuard\nauto o = torch::kCPU;\n",),
)

PATTERN = re.compile(
    r"(?<![\w:])(?P<name>(?:at|c10|torch)::(?:cuda|kCUDA|CUDAGeneratorImpl|"
    r"PhiloxCudaState|(?:DeviceType|DispatchKey)::(?:Autocast)?CUDA)\b(?:::\w+)*|"
    r"(?:DeviceType|DispatchKey)::(?:Autocast)?CUDA\b|kCUDA\b|(?:C10|AT|"
    r"TORCH)_CUDA_(?:CHECK\w*|KERNEL_LAUNCH_CHECK|DRIVER_CHECK|API|CU_API)\b|"
    r"THCudaCheck\b)"
)


COMPARED = re.compile(r"[=!]=\s*(?:[\w]+::)*k?CUDA\b|\bk?CUDA\s*[=!]=|\bcase\s+(?:[\w]+::)*k?CUDA\s*:")
CHECKED = re.compile(r"CHECK|ASSERT|assert|\bthrow\b")
NO_MATCH = "on Ascend the answer is no, and the program takes the other path without a word"


def check(document: Document) -> Iterator[Finding]:
    for one in native_names.of_table(document, RULE, PATTERN, "native/aten"):
        line = document.lines[one.line - 1]
        if COMPARED.search(line) and not CHECKED.search(line):
            yield replace(one, severity="silent", why=NO_MATCH, effort_days=cost.days(RULE.code, "silent"))
        else:
            yield one
