"""Build scripts in Python: sources in CUDA C++ and flags for NVIDIA's compiler."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source, string_patterns
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B001",
    name="setup-script",
    kinds=("python",),
    triggers=(".cu", "nvcc", "gencode", "compute_", "cuda_sources"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="NVIDIA's compiler builds it",
    replacement="sources in Ascend C, built with CMake and bisheng, or no extension on Ascend",
    examples=(
        Example('from setuptools import setup\nsources = ["a.cpp", "a_kernel.cu"]\n', path="setup.py"),
        Example(
            'from setuptools import setup\nargs = {"cxx": [], "nvcc": ["-O3", '
            '"-gencode=arch=compute_80,code=sm_80"]}\n',
            path="setup.py",
        ),
    ),
    keep=(
        Example('print("see a.cu")\n', path="train.py"),
        Example('from setuptools import setup\nsources = ["a.cpp"]\n', path="setup.py"),
        Example(
            'import torch.utils.cpp_extension\nfrom subprocess import call\ncall(["nvcc"])\n', path="a.py"
        ),
        Example('import setuptools\nFILES = ["kernels/a.cu"]\n', path="tests/test_package_data.py"),
    ),
)

COMPILES = ("cpp_extension", "load_inline", "torch.utils.cpp")
"""What a test has that builds an extension itself."""
BUILDS = ("setuptools", "cpp_extension", "distutils", "torch.utils.cpp", "skbuild", "load_inline")
SOURCE = re.compile(r"^[^\s]*\.cuh?$")
FLAG = re.compile(
    r"^-{1,2}(?:gencode|generate-code|use_fast_math|expt-|ptxas|Xptxas|Xcompiler|Xcudafe|"
    r"arch=sm_|threads)|compute_\d\d|sm_\d\d"
)
WORDS = frozenset(("nvcc", "cuda_sources", "extra_cuda_cflags", "with_cuda"))
QUESTION = frozenset(("nvcc", "--version", "-V"))
ASKING = frozenset(
    ("call", "run", "check_call", "check_output", "Popen", "which", "find_executable", "system")
)


def check(document: Document) -> Iterator[Finding]:
    if not any(word in document.text for word in BUILDS):
        return
    if string_patterns.TEST_FILE.search(document.path) and not any(
        word in document.text for word in COMPILES
    ):
        return
    source = document.once(python_source.read)
    for node in source.all(ast.Constant):
        text = node.value
        if not isinstance(text, str):
            continue
        if SOURCE.match(text) and len(text) > 3:
            yield RULE.found(document, *source.span(node), f"CUDA C++: {text}")
        elif text in WORDS or (FLAG.search(text) and "\n" not in text and " " not in text.strip()):
            if text == "nvcc" and _is_asked(source, node):
                continue
            yield RULE.found(document, *source.span(node), f"for NVIDIA's compiler: {text}")
    for keyword in source.all(ast.keyword):
        if keyword.arg in WORDS:
            yield RULE.found(document, *source.span(keyword), f"for NVIDIA's compiler: {keyword.arg}")


def _is_asked(source: python_source.Source, node: ast.AST) -> bool:
    """Whether it is the program that a call starts or looks for with at most `--version`: nothing is built."""
    above = source.parents[node]
    if isinstance(above, ast.List | ast.Tuple):
        if any(isinstance(one, ast.Constant) and one.value not in QUESTION for one in above.elts):
            return False
        above = source.parents[above]
    if not isinstance(above, ast.Call):
        return False
    name = above.func.attr if isinstance(above.func, ast.Attribute) else getattr(above.func, "id", "")
    return name in ASKING
