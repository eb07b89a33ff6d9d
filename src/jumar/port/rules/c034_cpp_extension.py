"""Extensions in CUDA C++: `torch.utils.cpp_extension`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source, string_surroundings
from jumar.port.rule import Example, Rule

NAMES = tuple(
    f"torch.utils.cpp_extension.{name}"
    for name in (
        "CUDAExtension",
        "CUDA_HOME",
        "CUDNN_HOME",
        "_find_cuda_home",
        "_join_cuda_home",
        "_get_cuda_arch_flags",
    )
)
BUILDERS = tuple(f"torch.utils.cpp_extension.{name}" for name in ("load", "load_inline", "CppExtension"))
SOURCES = re.compile(r"\.cuh?\b|cuda|nvcc", re.IGNORECASE)

OF_HOME = (
    "it is the path of NVIDIA's toolkit, and None where there is none",
    "ASCEND_HOME_PATH for CANN; nothing is compiled with nvcc",
)

RULE = Rule(
    code="C034",
    name="cpp-extension",
    kinds=("python",),
    triggers=("cpp_extension", "cudaextension"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the extension is built with NVIDIA's toolkit if it has CUDA C++",
    replacement="torch_npu.utils.cpp_extension.NpuExtension with kernels in Ascend C; CppExtension where there are none",
    examples=(Example("from torch.utils.cpp_extension import CUDAExtension, BuildExtension\n"),),
    keep=(
        "from torch.utils.cpp_extension import load\n\nm = load(name='m', sources=['m.cpp'])\n",
        "from torch.utils.cpp_extension import CppExtension, BuildExtension\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(document, *NAMES):
        _, above = string_surroundings.outside(source, use.node)
        asked = use.name.endswith("CUDA_HOME") and isinstance(above, (ast.Compare, ast.If))
        usual = "silent" if asked else RULE.severity  # it is None on Ascend, and the program goes on
        home = use.name.endswith("CUDA_HOME")
        weight = python_guards.weighed(source, use.node, usual, OF_HOME[0] if home else RULE.why)
        says = OF_HOME[1] if home else None
        yield RULE.found(document, *source.place(use.node), use.name, **weight, replacement=says)
    for use in python_names.under(document, *BUILDERS):
        call = source.parents[use.node]
        if isinstance(call, ast.Call) and SOURCES.search(source.text(call)):
            weight = python_guards.weighed(source, call, RULE.severity, RULE.why)
            yield RULE.found(document, *source.place(use.node), f"{use.name} of CUDA C++", **weight)
