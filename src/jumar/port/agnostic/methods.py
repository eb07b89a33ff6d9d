"""`.cuda(…)`, `.is_cuda` and the tensor types of torch.cuda, of objects whose class is not known."""

from __future__ import annotations

import ast
import re

from jumar.port.agnostic.fixes import Fix, device_type, torch
from jumar.port.agnostic.places import in_text, is_foreign, is_handled, place, quote
from jumar.port.document import Document
from jumar.port.finding import Edit
from jumar.port.reading import python_source
from jumar.port.reading.python_source import Source

INDEX = re.compile(
    r"(^|[._])(rank|gpu|local|i|idx|index|gpu_id|gpu_idx|device_id|dev_id|device_index|ordinal)$",
    re.IGNORECASE,
)
DEVICE = re.compile(r"dev(ice)?$", re.IGNORECASE)
LITERALS = (ast.Set, ast.Dict, ast.List, ast.Tuple, ast.Constant)
SAFE_AROUND = (
    ast.If,
    ast.While,
    ast.IfExp,
    ast.BoolOp,
    ast.Assert,
    ast.Assign,
    ast.Return,
    ast.Call,
    ast.keyword,
    ast.UnaryOp,
    ast.GeneratorExp,
    ast.ListComp,
    ast.comprehension,
)
TYPES = {
    "FloatTensor": "float32", "DoubleTensor": "float64", "HalfTensor": "float16", "BFloat16Tensor": "bfloat16",
    "LongTensor": "int64", "IntTensor": "int32", "ShortTensor": "int16", "CharTensor": "int8",
    "ByteTensor": "uint8", "BoolTensor": "bool",
}  # fmt: skip


def move(source: Source, call: ast.AST) -> Fix | None:
    """`x.cuda(…)` is `x.to(device, …)`. None where the class has a `cuda` of its own, or the arguments are unusual."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or is_handled(source, call):
        return None
    where = place(source, call.func)
    if where is None or _has_its_own(source, call):
        return None
    renamed = Edit(where[1] - len("cuda"), where[1], "to")
    device = next((one.value for one in call.keywords if one.arg == "device"), None)
    device = call.args[0] if call.args else device
    if any(one.arg not in ("device", "non_blocking", "memory_format") for one in call.keywords):
        return None
    if device is None:
        return _to_default(source, call, renamed)
    text = source.text(device)
    if isinstance(device, ast.Constant) and device.value is None:
        return None
    if (isinstance(device, ast.Constant) and isinstance(device.value, int)) or INDEX.search(text):
        return _to_numbered(source, call, device, renamed)
    names_device = DEVICE.search(text) or isinstance(device, ast.Constant) or "cuda" in text
    return Fix((renamed,), "safe" if names_device else "review", f".to({text})")


def _has_its_own(source: Source, call: ast.Call) -> bool:
    receiver = call.func.value  # type: ignore[attr-defined]
    if isinstance(receiver, LITERALS) or is_foreign(source, call.func):
        return True
    own = source.document.once(_defines_cuda)
    is_super = (
        isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Name) and receiver.func.id == "super"
    )
    return own or is_super


def _defines_cuda(document: Document) -> bool:
    return any(one.name == "cuda" for one in document.once(python_source.read).all(ast.FunctionDef))


def _to_default(source: Source, call: ast.Call, renamed: Edit) -> Fix | None:
    needed = device_type(source, call)
    opening = source.document.text.find("(", renamed.end)
    if needed is None or opening < 0 or call.args:
        return None
    separator = ", " if call.keywords else ""
    edits = (renamed, Edit(opening + 1, opening + 1, needed.name + separator), *needed.edits)
    return Fix(edits, "safe", f".to({needed.name})")


def _to_numbered(source: Source, call: ast.Call, device: ast.expr, renamed: Edit) -> Fix | None:
    needed, needs, where = device_type(source, call), torch(source, call), place(source, device)
    if needed is None or needs is None or where is None:
        return None
    text = source.text(device)
    before = Edit(where[0], where[0], f"torch.device({needed.name}, ")
    edits = (renamed, before, Edit(where[1], where[1], ")"), *needed.edits, *needs)
    # Attributes of parsed arguments are often None, which means the current device to `cuda` and nothing to `device`.
    safety = "review" if isinstance(device, ast.Attribute) and "arg" in text else "safe"
    return Fix(edits, safety, f".to(torch.device({needed.name}, {text}))")


def is_cuda(source: Source, node: ast.Attribute) -> Fix | None:
    """Whether a tensor is on a chip. What follows may be a kernel of CUDA's own, so a person should look."""
    where = place(source, node)
    if (
        where is None
        or in_text(source, node)
        or not isinstance(node.ctx, ast.Load)
        or is_handled(source, node)
    ):
        return None
    mark = quote(source, node)
    asked = f"device.type in ({mark}cuda{mark}, {mark}npu{mark})"
    above = source.parents.get(node)
    edits = [Edit(where[1] - len("is_cuda"), where[1], asked)]
    if not isinstance(above, SAFE_AROUND) or (isinstance(above, ast.Call) and above.func is node):
        edits = [Edit(where[0], where[0], "("), Edit(where[1] - len("is_cuda"), where[1], asked + ")")]
    return Fix(tuple(edits), "safe" if isinstance(above, ast.Assert) else "review", f".{asked}")


def typed(source: Source, node: ast.AST, qualified: str) -> Fix | None:
    """`torch.cuda.FloatTensor`: of numbers an empty tensor, of a list a tensor, in `.type(…)` a move."""
    dtype = TYPES.get(qualified.rpartition(".")[2])
    where, needs = place(source, node), torch(source, node)
    above = source.parents.get(node)
    if dtype is None or where is None or needs is None or not isinstance(above, ast.Call):
        return None
    needed = device_type(source, node)
    if needed is None:
        return None
    extra = (*needed.edits, *needs)
    if above.func is not node:
        return _converted(source, above, where, f"{needed.name}, torch.{dtype}", extra)
    if above.keywords or not above.args:
        return None
    numbers = all(isinstance(one, ast.Constant) and isinstance(one.value, int) for one in above.args)
    listed = len(above.args) == 1 and isinstance(above.args[0], (ast.List, ast.ListComp))
    last = place(source, above.args[-1])
    if not (numbers or listed) or last is None:
        return None
    made = "torch.empty" if numbers else "torch.tensor"
    named = f", dtype=torch.{dtype}, device={needed.name}"
    return Fix((Edit(*where, made), Edit(last[1], last[1], named), *extra), "safe", f"{made}(…{named})")


def _converted(
    source: Source, call: ast.Call, where: tuple[int, int], target: str, extra: tuple[Edit, ...]
) -> Fix | None:
    function = place(source, call.func)
    is_type = isinstance(call.func, ast.Attribute) and call.func.attr == "type" and len(call.args) == 1
    if function is None or not is_type:
        return None
    return Fix(
        (Edit(function[1] - len("type"), function[1], "to"), Edit(*where, target), *extra),
        "safe",
        f".to({target})",
    )
