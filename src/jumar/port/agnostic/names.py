"""Names of `torch.cuda` where they are used or imported: rows of `names.tsv` and the few forms that a row can have."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jumar.port.agnostic.fixes import Fix, device_type, torch
from jumar.port.agnostic.guards import around, guarded
from jumar.port.agnostic.places import in_text, is_handled, place
from jumar.port.document import Document
from jumar.port.finding import SAFETIES, Edit
from jumar.port.reading.python_source import Source

TABLE = Path(__file__).parent / "names.tsv"
COLUMNS = ("cuda", "becomes", "form", "on_cpu", "safety", "note")
FORMS = ("always", "guarded", "context", "device_first", "device_named")
IMPORTED_FROM = {
    "torch.cuda.amp": "torch.amp",
    "torch.cuda.amp.autocast_mode": "torch.amp",
    "torch.cuda.amp.grad_scaler": "torch.amp",
}


class BadNames(ValueError):
    """A row that cannot be used; the message names file and line."""


@dataclass(frozen=True)
class Row:
    """`form`: `always` = the other name; `guarded` = only where there is an accelerator, else `on_cpu`; `context` = a
    stream that is its own context; `device_first`, `device_named` = takes the type of the device too."""

    cuda: str
    becomes: str
    form: str
    on_cpu: str
    safety: str
    note: str


@cache
def rows() -> dict[str, Row]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    if tuple(lines[0].split("\t")) != COLUMNS:
        raise BadNames(f"{TABLE.name}:1: the first line must be the columns {', '.join(COLUMNS)}")
    made = {}
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != len(COLUMNS) or fields[2] not in FORMS or fields[4] not in SAFETIES:
            raise BadNames(
                f"{TABLE.name}:{number}: wants {len(COLUMNS)} fields, a form and a safety that are known"
            )
        made[fields[0]] = Row(*fields)
    return made


def canonical(name: str) -> str:
    """`torch.cuda.memory.empty_cache` is `torch.cuda.empty_cache`, where PyTorch defines it elsewhere."""
    for inner in ("memory", "random", "streams"):
        name = name.replace(f"torch.cuda.{inner}.", "torch.cuda.", 1)
    return name


def use(source: Source, node: ast.AST, qualified: str) -> Fix | None:
    """A use of a name, or the import of one (then `node` is the alias)."""
    statement = source.parents.get(node)
    if isinstance(node, ast.alias):
        return imported(source, statement) if isinstance(statement, ast.ImportFrom) else None
    return name(source, node, qualified) if isinstance(node, (ast.Attribute, ast.Name)) else None


def name(source: Source, node: ast.expr, qualified: str) -> Fix | None:
    """A name of `torch.cuda`, called or not. None if it has no row, or is written in a way that is left alone."""
    row = rows().get(canonical(qualified))
    if row is None or not isinstance(node, (ast.Attribute, ast.Name)) or place(source, node) is None:
        return None
    if not isinstance(node.ctx, ast.Load) or not _is_written_out(source, node) or is_handled(source, node):
        return None
    needs = torch(source, node)
    call = source.parents.get(node)
    called = call if isinstance(call, ast.Call) and call.func is node else None
    if needs is None:
        return None
    fix = _FORMS[row.form](source, node, called, row)
    return Fix((*fix.edits, *needs), fix.safety, fix.text) if fix else None


def _is_written_out(source: Source, node: ast.expr) -> bool:
    """A name of its own that was assigned is changed where it is assigned."""
    return isinstance(node, ast.Attribute) or all(isinstance(one, ast.alias) for one in source.bound(node))  # type: ignore[arg-type]


def _always(source: Source, node: ast.expr, call: ast.Call | None, row: Row) -> Fix | None:
    if source.document.once(_builds_extensions):
        return None  # whether there is a GPU decides there what nvcc compiles
    return Fix((Edit(*_placed(source, node), row.becomes),), row.safety, row.becomes)


def _builds_extensions(document: Document) -> bool:
    return "cpp_extension" in document.text and "CUDAExtension" in document.text


def _guarded(source: Source, node: ast.expr, call: ast.Call | None, row: Row) -> Fix | None:
    renamed = Edit(*_placed(source, node), row.becomes)
    if call is None:  # handed on as a function: whoever calls it has to ask
        return Fix((renamed,), "review", row.becomes)
    if _is_device(source, call) and row.becomes.endswith("current_device_index"):
        return _device_itself(source, call)
    if row.on_cpu.startswith("contextlib.") and not guarded(source, call):
        return None
    if guarded(source, call):
        return Fix((renamed,), row.safety, row.becomes)
    if in_text(source, node) and (place(source, call) is None or '"' in row.on_cpu):
        return None
    return Fix((renamed, *around(source, call, row.on_cpu)), row.safety, row.becomes)


def _is_device(source: Source, call: ast.Call) -> bool:
    """Whether the call stands where a device is wanted: `.to(…)`, `device=…`."""
    above = source.parents.get(call)
    if isinstance(above, ast.keyword):
        return above.arg in ("device", "map_location")
    to = (
        isinstance(above, ast.Call)
        and isinstance(above.func, ast.Attribute)
        and above.func.attr in ("to", "cuda")
    )
    return to and above.args[:1] == [call]  # type: ignore[union-attr]


def _device_itself(source: Source, call: ast.Call) -> Fix | None:
    """The type alone means the current one of the devices."""
    needed = device_type(source, call)
    if needed is None:
        return None
    return Fix((Edit(*_placed(source, call), needed.name), *needed.edits), "safe", needed.name)


def _context(source: Source, node: ast.expr, call: ast.Call | None, row: Row) -> Fix | None:
    """`with torch.cuda.stream(s):` is `with s:`."""
    above = source.parents.get(call) if call else None
    if call is None or not isinstance(above, ast.withitem) or len(call.args) != 1 or call.keywords:
        return None
    if not isinstance(call.args[0], (ast.Name, ast.Attribute)):
        return None
    inner = source.text(call.args[0])
    return Fix((Edit(*_placed(source, call), inner),), row.safety, f"with {inner}")


def _device_first(source: Source, node: ast.expr, call: ast.Call | None, row: Row) -> Fix | None:
    needed = device_type(source, node)
    if needed is None or call is None:
        return None
    target, extra = _target(source, node, row)
    inside = _opening(source, node)
    if inside is None or any(isinstance(one, ast.Starred) for one in call.args):
        return None
    first = needed.name
    if (
        row.becomes.endswith("autocast") and call.args
    ):  # torch.autocast has dtype where the old one has enabled
        if len(call.args) > 1:
            return None
        first += ", enabled="
    elif call.args or call.keywords:
        first += ", "
    edits = (Edit(*_placed(source, node), target), Edit(inside, inside, first), *extra, *needed.edits)
    return Fix(edits, row.safety, f"{target}({needed.name}, …)")


def _device_named(source: Source, node: ast.expr, call: ast.Call | None, row: Row) -> Fix | None:
    needed = device_type(source, node)
    if needed is None:
        return None
    target, extra = _target(source, node, row)
    named = f"device_type={needed.name}"
    if call is None:
        edit = Edit(*_placed(source, node), f"{target}({named})")
        return Fix((edit, *extra, *needed.edits), row.safety, f"@{target}({named})")
    inside = _opening(source, node)
    if inside is None or call.args:
        return None
    separator = ", " if call.keywords else ""
    edits = (
        Edit(*_placed(source, node), target),
        Edit(inside, inside, named + separator),
        *extra,
        *needed.edits,
    )
    return Fix(edits, row.safety, f"{target}({named})")


def _target(source: Source, node: ast.expr, row: Row) -> tuple[str, tuple[Edit, ...]]:
    """How the name is written: in full, or as imported, with the import mended by the same finding."""
    if isinstance(node, ast.Name):
        bound = source.bound(node)
        statements = [source.parents[one] for one in bound if isinstance(one, ast.alias)]
        if len(statements) == 1 and isinstance(statements[0], ast.ImportFrom):
            if statements[0].module in IMPORTED_FROM and _moves(source, statements[0]):
                return node.id, _module_edit(source, statements[0])
            if statements[0].module in IMPORTED_FROM.values():
                return node.id, ()
    return row.becomes, ()


def _opening(source: Source, node: ast.expr) -> int | None:
    """Just behind the parenthesis that follows a called name."""
    end = _placed(source, node)[1]
    text = source.document.text
    at = end
    while at < len(text) and text[at] in " \t":
        at += 1
    return at + 1 if text[at : at + 1] == "(" else None


def imported(source: Source, statement: ast.ImportFrom) -> Fix | None:
    """`from torch.cuda.amp import autocast, GradScaler`: PyTorch has both in torch.amp, with the device to be named."""
    if statement.module not in IMPORTED_FROM or not _moves(source, statement):
        return None
    return Fix(_module_edit(source, statement), "safe", f"from {IMPORTED_FROM[statement.module]} import …")


def _moves(source: Source, statement: ast.ImportFrom) -> bool:
    """Whether all that is imported is in torch.amp too, and each use of it can be given a device."""
    known = all(f"{statement.module}.{one.name}" in rows() for one in statement.names)
    return (
        known and not statement.level and all(_takes_device(source, use) for use in _uses(source, statement))
    )


def _uses(source: Source, statement: ast.ImportFrom) -> list[ast.Name]:
    own = set(map(id, statement.names))
    loads = (one for one in source.all(ast.Name) if isinstance(one.ctx, ast.Load))
    return [one for one in loads if any(id(bound) in own for bound in source.bound(one))]


def _takes_device(source: Source, use: ast.Name) -> bool:
    row = rows().get(canonical(source.qualified(use) or ""))
    if row is None or device_type(source, use) is None:
        return False
    call = source.parents.get(use)
    called = isinstance(call, ast.Call) and call.func is use
    if not called:
        return row.form == "device_named"
    few = len(call.args) <= 1 if row.becomes.endswith("autocast") else True  # type: ignore[union-attr]
    return few and not any(isinstance(one, ast.Starred) for one in call.args)  # type: ignore[union-attr]


def _module_edit(source: Source, statement: ast.ImportFrom) -> tuple[Edit, ...]:
    start, _ = source.span(statement)
    module = statement.module or ""
    at = source.document.text.index(module, start)
    return (Edit(at, at + len(module), IMPORTED_FROM[module]),)


def _placed(source: Source, node: ast.AST) -> tuple[int, int]:
    """Where a node stands whose place is known."""
    return place(source, node) or source.span(node)


_FORMS = {
    "always": _always,
    "guarded": _guarded,
    "context": _context,
    "device_first": _device_first,
    "device_named": _device_named,
}
