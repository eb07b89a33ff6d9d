"""A place of NVIDIA's toolkit, or a source file for it."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C026",
    name="toolkit-path",
    kinds=("python",),
    triggers=("cuda", "nvidia", '.cu"', ".cu'", ".cuh"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the path leads to NVIDIA's toolkit or to CUDA C++",
    replacement="ASCEND_HOME_PATH and /usr/local/Ascend for the toolkit; kernels in Ascend C, Triton or torch operators",
    examples=(
        Example('home = "/usr/local/cuda-12.1"\n'),
        Example('sources = ["csrc/scan_cuda.cu"]\n'),
        Example('source = """\n#include <cuda_runtime.h>\ncudaFree(p);\n"""\n'),
    ),
    keep=(
        'home = "/usr/local/lib"\n',
        'sources = ["csrc/scan.cpp"]\n',
        'given = "export ASCEND_RT_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES"\n',
        Example('FILES = ["model.py", "kernels/scan.cu"]\n', path="tests/test_package_data.py"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "toolkit"):
        weight = python_guards.of_path(source, text.node, RULE.severity, RULE.why)
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"{shortened(text.value)}", **weight)
