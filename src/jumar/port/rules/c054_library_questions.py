"""Questions of libraries and test suites for CUDA: decorators and functions that mean a GPU."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source
from jumar.port.rule import Example, Rule

QUESTION = re.compile(
    r"is_torch_(bf16_)?(gpu|cuda)(_available\w*)?|is_torch_bf16_gpu_available|is_bf16_gpu_available|require_(torch_)?"
    r"(multi_|non_|single_|large_)?(gpu|cuda)\w*|skip_if_no_(gpu|cuda)|requires_(gpu|cuda)\w*|is_cuda_available|is_gpu_available"
    r"|skipIfNo(GPU|Cuda|CUDA)|skip_if_lt_x_gpu|onlyCUDA|TEST_CUDA|TEST_MULTIGPU|has_cuda|HAS_CUDA|HAS_GPU|requires_nccl\w*"
)

RULE = Rule(
    code="C054",
    name="library-questions",
    kinds=("python",),
    triggers=("gpu", "cuda", "nccl"),
    sign=re.compile(r"gpu_available|_gpu|mark\.gpu|If[Nn]o|_gpu|MULTIGPU|HAS_GPU|cuda|Cuda|CUDA|nccl"),
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="the function asks for an NVIDIA GPU; on Ascend the answer is no",
    replacement="the library's question for any accelerator, as require_torch_accelerator",
    examples=(
        Example("from transformers.utils import is_torch_bf16_gpu_available\n"),
        Example("@require_torch_gpu\ndef test():\n    pass\n"),
        Example("@pytest.mark.gpu\ndef test():\n    pass\n"),
    ),
    keep=("@require_torch_accelerator\ndef test():\n    pass\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.matching(
        document, lambda name: bool(QUESTION.fullmatch(name.rpartition(".")[2]))
    ):
        yield RULE.found(document, *source.place(use.node), use.name)
    for use in python_names.under(document, "pytest.mark.gpu", "pytest.mark.cuda"):
        yield RULE.found(document, *source.place(use.node), use.name)
    for word in source.all(ast.Name):
        if QUESTION.fullmatch(word.id) and "." not in (source.qualified(word) or ""):
            yield RULE.found(document, *source.place(word), word.id)
