"""Extensions in CUDA C++: `torch.utils.cpp_extension`."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source
from jumar.port.rule import Example, Rule

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
    keep=("from torch.utils.cpp_extension import CppExtension, BuildExtension\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document,
        "torch.utils.cpp_extension.CUDAExtension",
        "torch.utils.cpp_extension.CUDA_HOME",
        "torch.utils.cpp_extension._find_cuda_home",
        "torch.utils.cpp_extension.load",
        "torch.utils.cpp_extension.load_inline",
        "torch.utils.cpp_extension._get_cuda_arch_flags",
        "torch.utils.cpp_extension.CUDNN_HOME",
        "torch.utils.cpp_extension._join_cuda_home",
    ):
        yield RULE.found(document, *source.place(use.node), f"{use.name}")
