"""A library of CUDA's, loaded or linked by its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

OF_DOWNLOADS = "the file is a build for CUDA, which is downloaded, unpacked or looked for under this name"
FOR_DOWNLOADS = "the build for Ascend, or for the CPU"

RULE = Rule(
    code="C025",
    name="cuda-library",
    kinds=("python",),
    triggers=(
        "cuda",
        "nvrtc",
        "nvidia-ml",
        "nccl",
        "cublas",
        "cudnn",
        "cufft",
        "curand",
        "cusolver",
        "cusparse",
        "cufile",
        "nvml",
        "cupti",
        "nvtoolsext",
    ),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the library is part of NVIDIA's driver or toolkit",
    replacement="torch's own names; in C++ libascendcl.so and its kin",
    examples=(
        Example('import ctypes\n\nrt = ctypes.CDLL("libcudart.so")\n'),
        Example('Extension("x", sources, libraries=["cudart"])\n'),
        Example('name = f"llama-{tag}-bin-win-cuda-{runtime}-x64.zip"\n'),
    ),
    keep=(
        Example('(tmp_path / "libx_cuda121.dll").write_text("")\n', path="tests/test_setup.py"),
        'rt = ctypes.CDLL("libascendcl.so")\n',
        Example('assert found == {(12, 1): Path("libx_cuda121.so")}\n', path="tests/test_setup.py"),
    ),
)


OF_SEVERAL = "one of several libraries of NVIDIA's that the program looks for"


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "library"):
        weight = python_guards.of_value(source, text.node, RULE.severity, RULE.why)
        row = source.parents[text.node]
        if ".so" in text.value and isinstance(row, (ast.List, ast.Tuple)) and len(row.elts) > 1:
            weight = {**weight, "severity": "degrades", "why": OF_SEVERAL}
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"the library {text.value}", **weight)
    for text in python_strings.of_role(document, "download"):
        weight = python_guards.of_value(source, text.node, RULE.severity, OF_DOWNLOADS)
        for place in python_strings.places(document, text):
            what = f"a build for CUDA: {shortened(text.value)}"
            yield RULE.found(document, *place, what, **{"replacement": FOR_DOWNLOADS, **weight})
