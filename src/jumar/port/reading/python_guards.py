"""Whether a node is reached only where there is CUDA, or where its failure is caught, and what weight it has then.

The function that the node stands in is looked at, and the callers in the same file where only they can call it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, TypedDict

from jumar.port.document import Document
from jumar.port.reading import (
    python_assertions,
    python_callers,
    python_mocks,
    python_skips,
    python_tries,
    python_unread,
    ways_out,
)
from jumar.port.reading.python_source import FUNCTIONS, Source
from jumar.port.reading.python_tries import last
from jumar.port.reading.string_patterns import SPOKEN, TEST_FILE

ONLY_CUDA, ASKED, TRIED, TOLD = "only CUDA", "asked", "tried", "told"
"""Only on CUDA; only if the thing is there; its failure is caught and the program goes on; the other path says so."""
WEIGHTS = {ONLY_CUDA: "silent", ASKED: "silent", TRIED: "degrades", TOLD: "degrades"}
"""What becomes of `blocks`."""
WHY = {
    ONLY_CUDA: "reached only where there is CUDA: elsewhere another path is taken",
    ASKED: "asked for first: where it is missing another path is taken",
    TOLD: "asked for first: where it is missing the program says so and goes on without it",
    TRIED: "the failure is caught, and the program goes on without it",
}
TO_FAIL = "a test expects the call to fail, whatever the device is"
REFUSED = "on Ascend the answer is no, and the program refuses to go on"
ASSERTED = "on Ascend the answer is no, and the assertion fails"
QUESTIONS = frozenset(
    f"torch.{name}"
    for name in [
        "cuda.is_available",
        "cuda.device_count",
        "distributed.is_nccl_available",
        "version.cuda",
        "version.hip",
        "backends.cuda.is_built",
        "backends.cudnn.is_available",
        "distributed.distributed_c10d.is_nccl_available",
        "utils.cpp_extension.CUDA_HOME",
    ]
) | {
    "paddle.is_compiled_with_cuda",
    "paddle.device.is_compiled_with_cuda",
    "tensorflow.test.is_gpu_available",
    "tensorflow.test.is_built_with_cuda",
}
SAYS = re.compile(
    r"_*(?:is|has|have|got|found|on)_(?:usable_)?(?:cuda|nccl|nvidia|nvcc|hip|rocm|cudnn|nvml)(?:_(?:available|usable|gpus?))?"
    r"|_*(?:cuda|nccl|nvidia|nvcc|hip|rocm|cudnn|nvml)_(?:is_)?(?:available|found|exists|usable|home)",
    re.IGNORECASE,
)
"""A name that is a question for CUDA: HAS_NVIDIA, is_hip, cuda_available. What a user asks for, as use_cuda, is none."""
KINDS = frozenset({"cuda", "nccl", "hip", "rocm", "nvidia"})
FOUND = frozenset("exists isdir isfile is_dir is_file which find_library find_spec".split())  # noqa: SIM905
LEAVES = (ast.Return, ast.Continue, ast.Break)
MOST_HOPS = 3
"""Callers of callers that are asked."""
DEEPEST = 8


class Weighed(TypedDict, total=False):
    """What `Rule.found` is given."""

    severity: str
    why: str


def weighed(source: Source, node: ast.AST, usual: str, why: str) -> Weighed:
    """The usual weight and reason, or those that the place of the node gives it."""
    if (
        usual in ("silent", "degrades")
        and python_assertions.is_asserted(source, node)
        and not python_assertions.is_of_data(source, node)
    ):
        return (
            {"severity": usual, "why": why}
            if standing(source, source.statement(node))
            else {"severity": "blocks", "why": ASSERTED}
        )
    if usual == "silent" and _is_refused(source, node):
        return {"severity": "blocks", "why": REFUSED}
    if usual != "blocks":
        return {"severity": usual, "why": why}
    if python_unread.is_annotation(source, node):
        return {"severity": "cosmetic", "why": python_unread.ANNOTATED}
    if python_unread.is_default(source, node):
        return {"severity": "cosmetic", "why": python_unread.UNREAD}
    way = standing(source, node) or (ONLY_CUDA if python_callers.is_default(source, node) else None)
    if way is None and python_skips.is_skipped(source, node):
        return {"severity": "silent", "why": f"{why}; {python_skips.WHY}"}
    return {"severity": WEIGHTS[way], "why": f"{why}; {WHY[way]}"} if way else {"severity": usual, "why": why}


def of_value(
    source: Source, node: ast.AST, usual: str, why: str, fix: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The same of a value, which a test may have made up; then there is nothing to mend."""
    if python_mocks.is_made_up(source, node):
        return {**python_mocks.MADE_UP}
    if _is_to_fail(source, node):
        return {
            "severity": "cosmetic",
            "why": TO_FAIL,
            "replacement": "nothing: the call fails on any device",
        }
    return {**weighed(source, node, usual, why), **(fix or {})}


def _is_refused(source: Source, node: ast.AST) -> bool:
    """It is the question of an `if` whose other way raises or ends the program."""
    inner = node
    for outer in source.ancestors(node):
        if isinstance(outer, ast.If):
            if inner is not outer.test:
                return False
            if denies(source, outer.test):
                return python_tries.fails(outer.body)
            return bool(outer.orelse) and python_tries.fails(outer.orelse) and asks(source, outer.test)
        if isinstance(outer, ast.stmt | ast.Lambda):
            return False
        inner = outer
    return False


def _is_to_fail(source: Source, node: ast.AST) -> bool:
    """`pytest.raises(ValueError, lambda: x.to("cuda", "cpu"))`: what the arguments alone forbid."""
    if not TEST_FILE.search(source.document.path):
        return False
    for outer in source.ancestors(node):
        if isinstance(outer, ast.Call) and last(outer.func) in ("raises", "assertRaises"):
            return True
        if isinstance(outer, ast.stmt):
            return False
    return False


def standing(source: Source, node: ast.AST, hops: int = 0) -> str | None:
    """How the program comes to the node: ONLY_CUDA, ASKED, TRIED, or None if nothing is between."""
    if _is_looked_up(source, node):
        return ASKED
    inner = node
    for outer in source.ancestors(node):
        way = _on_the_way(source, outer, inner)
        if way:
            return way
        if isinstance(outer, FUNCTIONS):
            return _of_definition(source, outer) or _of_callers(source, outer, hops)
        inner = outer
    return None


def _of_callers(source: Source, function: ast.AST, hops: int) -> str | None:
    if hops >= MOST_HOPS:
        return None
    known = source.document.once(_of_functions)
    if function not in known:
        known[function] = python_callers.of_callers(
            source, function, lambda use: standing(source, use, hops + 1)
        )
    return known[function]


def _of_functions(document: Document) -> dict[ast.AST, str | None]:
    """Filled as it is asked."""
    return {}


def of_path(source: Source, node: ast.AST, usual: str, why: str) -> dict[str, Any]:
    """As `of_value`, of a path or a name, which does nothing until it is read."""
    weight = of_value(source, node, usual, why)
    if weight.get("severity") != "blocks":
        return weight
    way = python_callers.of_readers(source, node, lambda use: standing(source, use))
    return {**weight, "severity": WEIGHTS[way], "why": f"{why}; {WHY[way]}"} if way else weight


def _of_definition(source: Source, function: ast.AST) -> str | None:
    """A function that is only there where there is CUDA: a test, or one within another function."""
    above = source.parents.get(function)
    if not isinstance(above, ast.If) or isinstance(function, ast.Lambda):
        return None
    if not str(getattr(function, "name", "")).startswith("test") and not isinstance(
        source.scope(above), FUNCTIONS
    ):
        return None
    return _on_the_way(source, above, function)


def _on_the_way(source: Source, outer: ast.AST, inner: ast.AST) -> str | None:
    if isinstance(outer, (ast.If, ast.IfExp, ast.While)):
        if (
            isinstance(outer, ast.If)
            and outer.orelse
            and python_tries.fails(outer.orelse)
            and inner is not outer.test
        ):
            return ONLY_CUDA if _left_before(source, outer, inner) else None  # elsewhere nothing goes on
        if _is_in(inner, outer.body) and asks(source, outer.test):
            return TOLD if _speaks(outer.orelse) else _of_test(source, outer.test)
        if _is_in(inner, outer.orelse) and denies(source, outer.test):
            return TOLD if _speaks(outer.body) else _of_test(source, outer.test)
    if isinstance(outer, ast.BoolOp) and inner in outer.values:
        before = outer.values[: outer.values.index(inner)]
        met = asks if isinstance(outer.op, ast.And) else denies
        if any(met(source, one) for one in before):
            return ONLY_CUDA
    if isinstance(outer, ast.Try) and _is_in(inner, outer.body) and python_tries.goes_on(outer):
        return TRIED
    if isinstance(outer, ast.With) and any(
        python_tries.suppresses(item.context_expr) for item in outer.items
    ):
        return TRIED
    return ONLY_CUDA if _left_before(source, outer, inner) else None


def _is_in(node: ast.AST, branch: ast.AST | list[ast.stmt]) -> bool:
    return ways_out.holds(branch, node) if isinstance(branch, list) else node is branch


def _speaks(branch: ast.AST | list[ast.stmt]) -> bool:
    """A first or only statement that prints, logs or warns."""
    first = branch[0] if isinstance(branch, list) and branch else None
    call = first.value if isinstance(first, ast.Expr) else None
    return isinstance(call, ast.Call) and last(call.func) in SPOKEN


def _of_test(source: Source, test: ast.AST) -> str:
    found = (
        one for one in ast.walk(test) if isinstance(one, ast.Call) and last(one.func) in {*FOUND, "hasattr"}
    )
    return ASKED if any(found) else ONLY_CUDA


def asks(source: Source, test: ast.AST, depth: int = 0) -> bool:
    """Whether a condition holds only where there is CUDA, or the thing of CUDA's that it asks for."""
    if depth > DEEPEST:
        return False
    if isinstance(test, ast.BoolOp):
        some = [asks(source, one, depth + 1) for one in test.values]
        return any(some) if isinstance(test.op, ast.And) else all(some)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return denies(source, test.operand, depth + 1)
    if isinstance(test, ast.NamedExpr):
        return asks(source, test.value, depth + 1)
    if isinstance(test, ast.Call):
        return _calls(source, test)
    if isinstance(test, ast.Compare):
        return _compares(source, test, depth)
    if isinstance(test, ast.Name):
        bound = [one for one in source.bound(test) if isinstance(one, ast.expr)]
        if bound and all(asks(source, one, depth + 1) for one in bound):
            return True
    if isinstance(test, ast.Attribute):
        given = _given_to(source, test)
        if given and all(asks(source, one, depth + 1) for one in given):
            return True
    return _is_question(source, test)


def _given_to(source: Source, attribute: ast.Attribute) -> list[ast.expr]:
    """What the class around assigns to an attribute of its own, as in `self.fast = torch.cuda.is_available()`."""
    if getattr(attribute.value, "id", "") != "self" or not isinstance(attribute.ctx, ast.Load):
        return []
    owner = next((one for one in source.ancestors(attribute) if isinstance(one, ast.ClassDef)), None)
    known = source.document.once(_of_classes)
    if owner is None:
        return []
    if owner not in known:
        known[owner] = _assigned(owner)
    return known[owner].get(attribute.attr, [])


def _of_classes(document: Document) -> dict[ast.ClassDef, dict[str, list[ast.expr]]]:
    """Filled as it is asked: every class is gone through once."""
    return {}


def _assigned(owner: ast.ClassDef) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for statement in ast.walk(owner):
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == "self":
                    found.setdefault(target.attr, []).append(statement.value)
    return found


def denies(source: Source, test: ast.AST, depth: int = 0) -> bool:
    """Whether a condition holds wherever there is no CUDA."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return asks(source, test.operand, depth + 1)
    if isinstance(test, ast.BoolOp):
        some = [denies(source, one, depth + 1) for one in test.values]
        return any(some) if isinstance(test.op, ast.Or) else all(some)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or depth > DEEPEST:
        return False
    operator, right = test.ops[0], test.comparators[0]
    if isinstance(operator, (ast.NotEq, ast.NotIn)):
        return _names_cuda(test.left) or _names_cuda(right)
    nothing = isinstance(right, ast.Constant) and right.value in (None, 0, False)
    return isinstance(operator, (ast.Is, ast.Eq)) and nothing and asks(source, test.left, depth + 1)


def _calls(source: Source, call: ast.Call) -> bool:
    word = last(call.func)
    if word in ("startswith", "hasattr", *FOUND):
        return any(_says_cuda(source, one) for one in call.args)
    if word in ("all", "any", "bool", "callable") and call.args:
        return asks(source, call.args[0], DEEPEST)
    return _is_question(source, call.func)


def _says_cuda(source: Source, node: ast.AST) -> bool:
    """`hasattr(torch._C, "_cuda_x")`, `isdir(CUDA_HOME)`, `which("nvcc")`."""
    words = (one.value if isinstance(one, ast.Constant) else getattr(one, "id", "") for one in ast.walk(node))
    return any(
        isinstance(word, str) and re.search(r"cuda|nccl|nvidia|nvcc", word, re.IGNORECASE) for word in words
    )


def _compares(source: Source, test: ast.Compare, depth: int) -> bool:
    if len(test.ops) != 1:
        return False
    operator, left, right = test.ops[0], test.left, test.comparators[0]
    if isinstance(operator, (ast.Eq, ast.In, ast.Is)) and (_names_cuda(left) or _names_cuda(right)):
        return True
    if isinstance(operator, (ast.Gt, ast.GtE, ast.NotEq, ast.IsNot)) and isinstance(right, ast.Constant):
        return asks(source, left, depth + 1)
    return False


def _names_cuda(node: ast.AST) -> bool:
    """The text cuda, or a list of nothing but NVIDIA's and AMD's."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return bool(node.elts) and all(_names_cuda(one) for one in node.elts)
    return isinstance(node, ast.Constant) and node.value in KINDS


def _is_question(source: Source, node: ast.AST) -> bool:
    if source.qualified(node) in QUESTIONS:
        return True
    word = last(node)
    return word is not None and bool(SAYS.fullmatch(word))


def _is_looked_up(source: Source, node: ast.AST) -> bool:
    """It is what `exists` and its like are asked for, or one of several that each are: `for p in (…): if isdir(p)`;
    or getattr has something else to give."""
    above = source.parents.get(node)
    if isinstance(above, ast.Call) and node is not above.func and last(above.func) in FOUND:
        return True
    if isinstance(node, ast.Call) and last(node.func) == "getattr" and len(node.args) == 3:
        return True
    if not isinstance(above, (ast.Tuple, ast.List, ast.Set)):
        return False
    loop = source.parents.get(above)
    if isinstance(loop, ast.For) and loop.iter is above:
        first = loop.body[0]
        return isinstance(first, ast.If) and _asks_for_file(first.test)
    return isinstance(loop, ast.comprehension) and any(_asks_for_file(test) for test in loop.ifs)


def _asks_for_file(test: ast.AST) -> bool:
    return any(isinstance(one, ast.Call) and last(one.func) in FOUND for one in ast.walk(test))


def _left_before(source: Source, outer: ast.AST, inner: ast.AST) -> bool:
    """`if not torch.cuda.is_available(): return` earlier in the same block."""
    known = source.document.once(_first_ways_out)
    return ways_out.left_before(outer, inner, known, lambda one: _is_way_out(source, one))


def _first_ways_out(document: Document) -> ways_out.Known:
    """The statements past which there is CUDA."""
    return {}


def _is_way_out(source: Source, one: ast.stmt) -> bool:
    return isinstance(one, ast.If) and isinstance(one.body[-1], LEAVES) and denies(source, one.test)
