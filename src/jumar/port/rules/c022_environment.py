"""Environment variables of CUDA and NCCL."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port import agnostic, counterparts
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_mocks, python_source, python_strings, string_patterns
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C022",
    name="environment",
    kinds=("python",),
    triggers=(
        "cuda",
        "cudnn",
        "cublas",
        "nccl",
        "nvidia_",
        "nvcc_",
        "nvte_",
        "nvshmem_",
        "pytorch_nvml",
        "triton_ptxas",
    ),
    layer="software",
    severity="silent",
    safety="review",
    runs_unchanged=True,
    why="the variable is read by CUDA, NCCL or their tools only; on Ascend it has no effect",
    replacement="the variable of CANN or HCCL, if there is one",
    examples=(
        Example(
            'import os\n\nos.environ["CUDA_VISIBLE_DEVICES"] = "0"\n',
            'import os\n\nos.environ["CUDA_VISIBLE_DEVICES"] = os.environ["ASCEND_RT_VISIBLE_DEVICES"] = "0"\n',
        ),
        Example('n = os.getenv("NCCL_DEBUG")\n'),
        Example('env = dict(os.environ, CUDA_LAUNCH_BLOCKING="1")\n'),
        Example('run("CUDA_VISIBLE_DEVICES=0 python train.py")\n'),
    ),
    keep=(
        'script = """\nprintf "NVCC_VER=%s" "$ver"\n"""\n',
        'os.environ["ASCEND_RT_VISIBLE_DEVICES"] = "0"\n',
        "f(cuda_lr=1)\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "environment"):
        fix = agnostic.variable(source, text.node)
        found = string_patterns.VARIABLE.search(text.value)
        taken_out = python_mocks.is_handed_on(source, text.node)
        for place in python_strings.places(document, text):
            yield _found(document, place, found[0] if found else text.value, fix, taken_out)
    for node in source.all(ast.keyword):
        if node.arg and string_patterns.ENVIRONMENT.fullmatch(node.arg):
            yield _found(document, source.span(node), node.arg)


def _found(
    document: Document,
    place: tuple[int, int],
    name: str,
    fix: agnostic.Fix | None = None,
    taken_out: bool = False,
) -> Finding:
    return RULE.found(
        document,
        *place,
        f"the variable {name}",
        why="a test takes the variable out, so that it changes nothing" if taken_out else None,
        severity="cosmetic" if taken_out else None,
        replacement=counterparts.replacement(name),
        runs_unchanged=counterparts.runs_unchanged(name),
        **agnostic.given(fix),
    )
