"""Environment variables of CUDA and NCCL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from jumar.port import agnostic, counterparts
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_mocks, python_source, python_strings, string_patterns
from jumar.port.rule import Example, Rule

KEY: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "a key of a table of the program's own has the name of one of CUDA's variables; it is no variable here",
    "replacement": "a name without the vendor, where that is wanted",
}

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
        if _is_key(source, text.node):
            for place in python_strings.places(document, text):
                yield RULE.found(document, *place, f"the key {text.value}", **KEY)
            continue
        for place in python_strings.places(document, text):
            yield _found(document, place, found[0] if found else text.value, fix, taken_out)
    for node in source.all(ast.keyword):
        if node.arg and string_patterns.ENVIRONMENT.fullmatch(node.arg):
            yield _found(document, source.span(node), node.arg)


def _is_key(source: python_source.Source, node: ast.AST) -> bool:
    """Of a table of the program's own: `report["CUDA_HOME"] = home`."""
    above = source.parents[node]
    if not isinstance(above, ast.Subscript):
        return False
    return not re.search(
        r"env(?:iron)?\b|environment|^os\.|runtime_env", source.text(above.value), re.IGNORECASE
    )


def _instead(name: str) -> str | None:
    says = counterparts.without_npu(name) or counterparts.replacement(name)
    return says.replace("ignored; ", "nothing: ", 1) if says and says.startswith("ignored; ") else says


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
        replacement=_instead(name),
        runs_unchanged=counterparts.runs_unchanged(name),
        **agnostic.given(fix),
    )
