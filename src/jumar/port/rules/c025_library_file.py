"""A library of CUDA's, loaded or linked by its name."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

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
    ),
    keep=(
        'rt = ctypes.CDLL("libascendcl.so")\n',
        Example('assert found == {(12, 1): Path("libx_cuda121.so")}\n', path="tests/test_setup.py"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "library"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"the library {text.value}")
