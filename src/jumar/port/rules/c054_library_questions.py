"""Questions of libraries and test suites for CUDA: decorators and functions that mean a GPU."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_identifiers, python_names, python_source
from jumar.port.rule import Example, Rule

OWN = "the question behind its own name: any accelerator, or what is really meant, as a dtype"

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
        Example(
            "from transformers.testing_utils import require_torch_gpu\n\n@require_torch_gpu\ndef test():\n    pass\n"
        ),
        Example("@pytest.mark.gpu\ndef test():\n    pass\n"),
    ),
    keep=("@require_torch_accelerator\ndef test():\n    pass\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.matching(document, python_identifiers.is_question):
        own = use.name.partition(".")[0] in document.own or use.name.startswith(("tests.", "test.", "."))
        yield RULE.found(document, *source.place(use.node), use.name, replacement=OWN if own else None)
    for use in python_names.under(document, "pytest.mark.gpu", "pytest.mark.cuda"):
        yield RULE.found(
            document,
            *source.place(use.node),
            use.name,
            why="tests are chosen by the marker, and those for GPUs are left out where there is none",
            replacement="a marker for any accelerator, or the same one chosen on Ascend too",
        )
