"""Texts that name a device or a backend, and questions whether a device is cuda."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.agnostic.fixes import AVAILABLE, CHOICE, TYPE, Fix, Needed, device_type, needs_all, torch
from jumar.port.agnostic.guards import asks, guarded
from jumar.port.agnostic.places import branches, is_foreign, is_handled, place, quote
from jumar.port.document import Document
from jumar.port.finding import Edit
from jumar.port.reading import python_source
from jumar.port.reading.python_source import Source

PLAIN = re.compile(r"(?P<quote>['\"])cuda(?P<rest>[^'\"\\{}]*)(?P=quote)")
PATTERN = re.compile(r"(?P<quote>['\"])cuda(?P<rest>[^'\"\\]*)(?P=quote)")
FILLED = re.compile(r"[fF]['\"]{1,3}(?=cuda:)")
DEVICES = re.compile(r"device|\.type$|gpu|accelerator", re.IGNORECASE)
OPERATORS = {ast.Eq: ("==", "in"), ast.NotEq: ("!=", "not in")}
OTHER = {"cuda": "npu", "nccl": "hccl"}
DEFAULT_BACKEND = "get_default_backend_for_device"
WRAPPERS = ("DistributedDataParallel", "DDP")
SEVERAL_BACKENDS = re.compile(r"(cpu:gloo,cuda:nccl|cuda:nccl,cpu:gloo)")


def device_name(source: Source, node: ast.expr) -> Fix | None:
    """`"cuda"`, `"cuda:0"`, `f"cuda:{i}"`, `"cuda:%d"`: the name of the device that there is."""
    node = _whole(source, node)
    if is_handled(source, node):
        return None
    where, needs = place(source, node), torch(source, node)
    if where is None or needs is None or _is_key(source, node) or _means_something_else(source, node):
        return None
    inline = _inline(source, node)
    needed = Needed(inline, needs) if inline else device_type(source, node)
    if needed is None:
        return None
    text = source.document.text[slice(*where)]
    made = (
        _filled(where, text, needed.name)
        if isinstance(node, ast.JoinedStr)
        else _plain(source, node, where, text, needed)
    )
    if made is None:
        return None
    safety = "safe" if _has_torch(source) else "review"
    return Fix((*made, *needed.edits), safety, made[0].text)


def _whole(source: Source, node: ast.expr) -> ast.expr:
    above = source.parents.get(node)
    return above if isinstance(above, ast.JoinedStr) else node


def _is_key(source: Source, node: ast.expr) -> bool:
    above = source.parents.get(node)
    if isinstance(above, ast.Dict):
        return node in above.keys
    return isinstance(above, (ast.Subscript, ast.Compare, ast.match_case, ast.MatchValue))


def _means_something_else(source: Source, node: ast.expr) -> bool:
    """A label, a text of its own, or the device of a library that is not PyTorch."""
    above = source.parents.get(node)
    if isinstance(above, ast.Dict):
        key = above.keys[above.values.index(node)]
        return key is None or not DEVICES.search(source.text(key))
    if isinstance(above, (ast.FormattedValue, ast.Expr)):
        return True
    if isinstance(above, ast.Attribute):
        return above.attr != "format"
    if isinstance(node, ast.Constant) and node.value == "cuda:":
        return not (isinstance(above, ast.BinOp) and isinstance(above.op, ast.Add))
    call = source.parents.get(above) if isinstance(above, ast.keyword) else above
    return isinstance(call, ast.Call) and is_foreign(source, call.func)


def _inline(source: Source, node: ast.expr) -> str | None:
    """Where no constant is wanted: a choice that is there already, or the one place where the device is chosen."""
    above = source.parents.get(node)
    if isinstance(above, ast.IfExp) and node is not above.test:
        chosen = above.body if node is above.body else None
        return TYPE if chosen is not None and asks(source, above.test) else None
    if needs_all(source):
        return None
    if isinstance(above, ast.Assign) and isinstance(node, ast.Constant) and node.value == "cuda":
        return TYPE if guarded(source, node) else CHOICE
    return None


def _filled(where: tuple[int, int], text: str, name: str) -> tuple[Edit, ...] | None:
    match = FILLED.match(text)
    if match is None or '"' in name:
        return None
    start = where[0] + match.end()
    return (Edit(start, start + len("cuda"), f"{{{name}}}"),)


def _plain(
    source: Source, node: ast.expr, where: tuple[int, int], text: str, needed: Needed
) -> tuple[Edit, ...] | None:
    match = PATTERN.fullmatch(text)
    if match is None:
        return None
    rest, mark, name = match["rest"], match["quote"], needed.name
    if not rest:
        return (Edit(*where, name),)
    if "{" in rest:
        above = source.parents.get(node)
        formats = isinstance(above, ast.Attribute) and above.attr == "format"
        return (Edit(*where, f"({name} + {mark}{rest}{mark})"),) if formats else None
    if not PLAIN.fullmatch(text) or not rest.startswith(":") or mark in name:
        return None
    return (Edit(*where, f"f{mark}{{{name}}}{rest}{mark}"),)


def _has_torch(source: Source) -> bool:
    """A file that does not import torch so far would have to: a person should look at that."""
    return source.document.once(_imports_torch)


def _imports_torch(document: Document) -> bool:
    source = document.once(python_source.read)
    modules = [one.name for statement in source.all(ast.Import) for one in statement.names]
    modules += [statement.module or "" for statement in source.all(ast.ImportFrom)]
    return any(one.partition(".")[0] == "torch" for one in modules) or not modules


def comparison(source: Source, node: ast.expr) -> Fix | None:
    """`x.device.type == "cuda"`: in ("cuda", "npu"); `"cuda" in (…)`, `.startswith("cuda")`: npu added."""
    if not isinstance(node, ast.Constant) or str(node.value) not in OTHER or _knows(source, node):
        return None
    above = source.parents.get(node)
    if isinstance(above, ast.Compare):
        return _compared(source, node, above)
    if (
        isinstance(above, ast.Call)
        and isinstance(above.func, ast.Attribute)
        and above.func.attr == "startswith"
    ):
        return _both(source, node, wrapped=True)
    if isinstance(above, (ast.List, ast.Tuple, ast.Set)) and _is_choice(source, above):
        return _both(source, node, wrapped=False)
    return None


def _knows(source: Source, node: ast.Constant) -> bool:
    """Whether this expression, or a condition of the same `if` and `elif`, has an answer for Ascend already."""
    other = OTHER[str(node.value)]
    whole: ast.AST = node
    while isinstance(source.parents.get(whole), (ast.expr, ast.comprehension, ast.keyword)):
        whole = source.parents[whole]
    looked_at = [whole]
    branch = source.parents.get(whole)
    while isinstance(branch, ast.If):
        looked_at += [one.test for one in branches(branch)]
        branch = source.parents.get(branch)
    return any(
        isinstance(one, ast.Constant) and one.value == other for part in looked_at for one in ast.walk(part)
    )


def _compared(source: Source, node: ast.Constant, above: ast.Compare) -> Fix | None:
    if len(above.ops) != 1:
        return None
    operator = above.ops[0]
    if type(operator) in OPERATORS and node is above.comparators[0]:
        old, new = OPERATORS[type(operator)]
        left, where = place(source, above.left), place(source, node)
        if left is None or where is None or (at := source.document.text.find(old, left[1], where[0])) < 0:
            return None
        both = _both(source, node, wrapped=True)
        safety = "safe" if DEVICES.search(source.text(above.left)) or node.value == "nccl" else "review"
        return (
            Fix((Edit(at, at + len(old), new), *both.edits), safety, f"{new} {both.text}") if both else None
        )
    if isinstance(operator, (ast.In, ast.NotIn)) and node is above.left and node.value == "cuda":
        return _within(source, node, above)
    return None


def _within(source: Source, node: ast.Constant, above: ast.Compare) -> Fix | None:
    """`"cuda" in device`: either of both names, and no other device more than before."""
    asked = above.comparators[0]
    where, right = place(source, above), place(source, asked)
    if where is None or right is None or not DEVICES.search(source.text(asked)):
        return None
    mark, text = quote(source, node), source.document.text[slice(*right)]
    name = "kind" if "kind" not in text else "one"
    found = f"any({name} in {text} for {name} in ({mark}cuda{mark}, {mark}npu{mark}))"
    made = found if isinstance(above.ops[0], ast.In) else f"(not {found})"
    return Fix((Edit(*where, made),), "safe", made)


def _both(source: Source, node: ast.Constant, wrapped: bool) -> Fix | None:
    where, mark = place(source, node), quote(source, node)
    if where is None or source.text(node) != f"{mark}{node.value!s}{mark}":
        return None
    both = f"{mark}{node.value!s}{mark}, {mark}{OTHER[str(node.value)]}{mark}"
    text = f"({both})" if wrapped else both
    return Fix((Edit(*where, text),), "safe", text)


def _is_choice(source: Source, row: ast.List | ast.Tuple | ast.Set) -> bool:
    """A list that something is looked up in, and not one that is gone through."""
    above = source.parents.get(row)
    if isinstance(above, ast.keyword):
        return above.arg == "choices"
    if isinstance(above, ast.Compare):
        return row in above.comparators and isinstance(above.ops[0], (ast.In, ast.NotIn))
    return isinstance(above, ast.Subscript) and source.text(above.value).endswith("Literal")


def backend(source: Source, node: ast.expr) -> Fix | None:
    """`"nccl"`: the backend that PyTorch has for the device."""
    if not isinstance(node, ast.Constant) or is_handled(source, node):
        return None
    above = source.parents.get(node)
    if node.value == "nccl" and isinstance(above, (ast.Compare, ast.List, ast.Tuple, ast.Set)):
        return comparison(source, node)
    call = source.parents.get(above) if isinstance(above, ast.keyword) else above
    if _is_key(source, node):
        return None
    where, needs = place(source, node), torch(source, node)
    starts = isinstance(call, ast.Call) and (source.qualified(call.func) or "").endswith("init_process_group")
    if where is None or needs is None:
        return None
    if SEVERAL_BACKENDS.fullmatch(str(node.value)):
        return Fix((Edit(*where, "None"),), "review", "None: each device's own") if starts else None
    if node.value != "nccl":
        return None
    ask = f"torch.distributed.{DEFAULT_BACKEND}"
    if starts and isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        ask, needs = f"{source.text(call.func.value)}.{DEFAULT_BACKEND}", ()
    in_choice = isinstance(above, ast.IfExp) and node is above.body and asks(source, above.test)
    needed = Needed(TYPE, ()) if in_choice else device_type(source, node)
    if needed is None or (isinstance(above, ast.IfExp) and not in_choice):
        return None
    made = f"{ask}({needed.name})"
    edits = (Edit(*where, made), *needed.edits, *needs)
    return Fix((*edits, *_wrapped_models(source)) if starts else edits, "safe" if starts else "review", made)


def _wrapped_models(source: Source) -> Iterator[Edit]:
    """`device_ids=[local]` of DistributedDataParallel is an error on a CPU, which the group may now be made for."""
    for call in source.all(ast.Call):
        if (source.qualified(call.func) or "").rpartition(".")[2] not in WRAPPERS:
            continue
        for keyword in call.keywords:
            where = place(source, keyword.value)
            if keyword.arg in ("device_ids", "output_device") and where and _is_given(source, keyword.value):
                yield Edit(where[1], where[1], f" if {AVAILABLE} else None")


def _is_given(source: Source, value: ast.expr) -> bool:
    return not isinstance(value, (ast.IfExp, ast.Constant)) and not guarded(source, value)
