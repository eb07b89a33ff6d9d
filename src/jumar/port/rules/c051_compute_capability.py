"""A decision by the compute capability of NVIDIA's GPUs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source
from jumar.port.rule import Example, Rule

CALLS = frozenset(
    {"get_device_capability", "get_compute_capability", "cuda_capability", "get_cuda_capability"}
)
ATTRIBUTES = frozenset(
    {"multi_processor_count", "max_threads_per_multi_processor", "regs_per_multiprocessor"}
)

OF_COUNTS = "a chip of Ascend has cores for vectors and cores for matrices, so work divided by multiprocessors fits neither"

RULE = Rule(
    code="C051",
    name="compute-capability",
    kinds=("python",),
    triggers=("capability", "multi_processor_count", "max_threads_per_multi", "regs_per_multi"),
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="a chip of Ascend has no compute capability, so the comparison goes some way that nobody meant",
    replacement="a question for what is meant: torch.npu.is_bf16_supported(), the soc's name",
    examples=(
        Example("ok = torch.cuda.get_device_capability()[0] >= 8\n"),
        Example("n = torch.cuda.get_device_properties(0).multi_processor_count\n"),
        Example("major, minor = torch.cuda.get_device_capability()\nif major >= 9:\n    pass\n"),
    ),
    keep=(
        "n = torch.npu.get_device_properties(0).total_memory\n",
        "major, minor = read()\nif major >= 9:\n    pass\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for node in source.all(ast.Attribute):
        if node.attr in ATTRIBUTES:
            yield RULE.found(
                document,
                *source.place(node),
                f"counts by {node.attr}",
                why=OF_COUNTS,
                replacement="vector_core_num or cube_core_num of torch.npu.get_device_properties()",
            )
    for compare in source.all(ast.Compare):
        if any(_is_capability(source, side) for side in (compare.left, *compare.comparators)):
            yield RULE.found(document, *source.place(compare), "decides by the compute capability")


def _is_capability(source: python_source.Source, node: ast.AST, hops: int = 2) -> bool:
    """A call of it, a part of its answer, or a name that either was assigned to."""
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", "")) in CALLS
    if not isinstance(node, ast.Name) or not hops:
        return False
    return any(_is_capability(source, _assigned(source, one), hops - 1) for one in source.bound(node))


def _assigned(source: python_source.Source, bound: ast.AST) -> ast.AST:
    """What is assigned, also where it is taken apart: `major, minor = …`."""
    above = source.parents.get(bound)
    return above.value if isinstance(bound, ast.Tuple) and isinstance(above, ast.Assign) else bound
