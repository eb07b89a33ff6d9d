"""What is no name of CUDA and yet holds for NVIDIA's device only: channels last in memory, a scaler without a device."""

from __future__ import annotations

import ast

from jumar.port.agnostic.fixes import Fix, device_type
from jumar.port.agnostic.places import place
from jumar.port.finding import Edit
from jumar.port.reading.python_source import Source


def channels_last(source: Source, node: ast.AST) -> Fix | None:
    """`torch.channels_last` where the device has it, else the usual layout."""
    where, needed = place(source, node), device_type(source, node)
    if where is None or needed is None or _is_chosen(source, node):
        return None
    text = source.document.text[slice(*where)]
    plain = text.rpartition(".")[0] + ".contiguous_format"
    made = f'({text} if {needed.name} != "npu" else {plain})'
    return Fix((Edit(*where, made), *needed.edits), "safe", made)


def _is_chosen(source: Source, node: ast.AST) -> bool:
    """Inside a choice that names Ascend already, or where no layout is asked for but compared."""
    above = source.parents.get(node)
    if isinstance(above, ast.IfExp):
        return any(isinstance(one, ast.Constant) and one.value == "npu" for one in ast.walk(above.test))
    return not isinstance(above, (ast.keyword, ast.Call))


def scaler(source: Source, call: ast.Call) -> Fix | None:
    """`torch.amp.GradScaler()`, whose device is cuda unless one is named."""
    where, needed = place(source, call), device_type(source, call)
    function = place(source, call.func)
    if where is None or needed is None or function is None:
        return None
    opening = source.document.text.find("(", function[1])
    if opening < 0 or opening >= where[1]:
        return None
    named = needed.name + (", " if call.keywords else "")
    return Fix(
        (Edit(opening + 1, opening + 1, named), *needed.edits), "safe", f"GradScaler({needed.name}, …)"
    )
