"""Variables of CUDA that a program sets: the one of Ascend is set to the same value beside it."""

from __future__ import annotations

import ast

from jumar.cudamap import names
from jumar.port.agnostic.fixes import Fix
from jumar.port.agnostic.places import place
from jumar.port.finding import Edit
from jumar.port.reading.python_source import Source

SAME_VALUES = frozenset({"CUDA_VISIBLE_DEVICES", "CUDA_LAUNCH_BLOCKING"})
"""Those whose values mean the same on both sides; Ascend wants visible devices in ascending order."""


def variable(source: Source, node: ast.AST) -> Fix | None:
    """`os.environ["CUDA_VISIBLE_DEVICES"] = "0"`. None for what is read, and where the other is set already."""
    if not isinstance(node, ast.Constant) or node.value not in SAME_VALUES:
        return None
    target = source.parents.get(node)
    statement = source.parents.get(target) if target is not None else None
    if not isinstance(target, ast.Subscript) or not isinstance(statement, ast.Assign):
        return None
    where, written = place(source, target), place(source, node)
    other = next((row.ascend for row in names("environment") if row.cuda == node.value), "")
    if statement.targets != [target] or where is None or written is None or not other:
        return None
    if source.qualified(target.value) != "os.environ" or other in source.document.text:
        return None
    text = source.document.text
    mark = text[written[1] - 1]
    twin = f"{text[where[0] : written[0]]}{mark}{other}{mark}{text[written[1] : where[1]]}"
    return Fix((Edit(where[1], where[1], f" = {twin}"),), "review", f"{twin} = …")
