"""What a rule gets back: the edits that loosen one node, and the lines that a file then needs, put in once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TypedDict

from jumar.port.document import Document
from jumar.port.finding import Edit
from jumar.port.reading import python_source
from jumar.port.reading.python_source import Source

AVAILABLE = "torch.accelerator.is_available()"
TYPE = "torch.accelerator.current_accelerator().type"
CHOICE = f'{TYPE} if {AVAILABLE} else "cpu"'
NAMES = ("device_type", "accelerator_type", "DEVICE_TYPE", "chosen_device_type")
LINE = f"{NAMES[0]} = {CHOICE}"
"""What a file gets, as the rules' examples show it."""
FUTURE = "__future__"


@dataclass(frozen=True)
class Fix:
    """Edits of one finding; `text` is what stands there afterwards, for people."""

    edits: tuple[Edit, ...]
    safety: str
    text: str


class Given(TypedDict, total=False):
    """A fix as keywords of `Rule.found`."""

    edit: tuple[Edit, ...]
    safety: str


def given(fix: Fix | None) -> Given:
    """Nothing where there is no fix: the finding is then reported only."""
    return {"edit": fix.edits, "safety": fix.safety} if fix else {}


@dataclass(frozen=True)
class Needed:
    """What a file must have for an edit: the name of its constant, and the edits that bring it in."""

    name: str
    edits: tuple[Edit, ...]


def device_type(source: Source, node: ast.AST) -> Needed | None:
    """The constant that names the accelerator's type, chosen once in this file. None if there is no place for it."""
    if source.document.kind != "python":  # a cell of a notebook, which sees what others import
        return Needed(f"({CHOICE})", ())
    if (known := _existing(source)) is not None:
        return Needed(known, ())
    if _is_bound_late(source, node):
        return Needed(f"({CHOICE})", ()) if torch(source, node) == () else None
    name = next((one for one in NAMES if one not in _taken(source)), None)
    place, imports = insertion(source), _import(source)
    if name is None or place is None or imports is None:
        return None
    if not _head(source):
        return Needed(name, (_all_at_once(source, place, name),))
    return Needed(name, (_constant(source, place, name), *imports))


def _is_bound_late(source: Source, node: ast.AST) -> bool:
    """Whether torch is imported below the head, in a `try` or in a function: a constant of the file would precede it."""
    of_module = source.bound_in_module("torch")
    bound = source.bound(_name("torch", source, node))
    head = {id(alias) for statement in _head(source) for alias in statement.names}
    return bool(bound) and not any(id(one) in head and _is_torch(source, one) for one in of_module)


def torch(source: Source, node: ast.AST) -> tuple[Edit, ...] | None:
    """Edits after which the name `torch` is PyTorch at `node`; none where it is already, None where it cannot be."""
    bound = source.bound(_name("torch", source, node))
    if bound:
        return () if all(_is_torch(source, one) for one in bound) else None
    if source.document.kind != "python":
        return ()
    return _import(source)


def needs_all(source: Source) -> bool:
    """A file that imports nothing gets import and constant in one, so that two findings do not order them wrongly."""
    return not _head(source) and source.document.kind == "python"


def _name(text: str, source: Source, node: ast.AST) -> ast.Name:
    """A use of a name that is not in the text, standing where `node` does."""
    made = ast.Name(text, ast.Load())
    source.parents[made] = node if isinstance(node, ast.stmt) else source.parents.get(node, source.tree)
    return made


def _is_torch(source: Source, binding: ast.AST) -> bool:
    if not isinstance(binding, ast.alias) or isinstance(source.parents[binding], ast.ImportFrom):
        return False
    return binding.name == "torch" if binding.asname else binding.name.partition(".")[0] == "torch"


def _head(source: Source) -> list[ast.Import | ast.ImportFrom]:
    """The imports before anything else of weight, without those from the future."""
    return source.document.once(_head_of)


def _head_of(document: Document) -> list[ast.Import | ast.ImportFrom]:
    source = document.once(python_source.read)
    found: list[ast.Import | ast.ImportFrom] = []
    for statement in source.tree.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            if getattr(statement, "module", None) != FUTURE:
                found.append(statement)
        elif isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) or _uses(
            source, statement
        ):
            break
    return found


def _import(source: Source) -> tuple[Edit, ...] | None:
    """`import torch` before the first import, unless it is there."""
    if any(_is_torch(source, one) for one in source.bound_in_module("torch")):
        return ()
    head = _head(source)
    if not head:
        name, place = next((one for one in NAMES if one not in _taken(source)), None), insertion(source)
        return None if name is None or place is None else (_all_at_once(source, place, name),)
    start = source.span(head[0])[0]
    text = source.document.text
    if text[text.rfind("\n", 0, start) + 1 : start].strip():
        return None
    return (Edit(start, start, f"import torch{source.document.newline}"),)


def insertion(source: Source) -> int | None:
    """Where lines of the file's own may begin: after the imports at its head, before the first of anything else."""
    return source.document.once(_insertion_of)


def _insertion_of(document: Document) -> int | None:
    source = document.once(python_source.read)
    last: ast.stmt | None = _head(source)[-1] if _head(source) else _opening(source)
    if last is None:
        return _after_comments(source)
    end = source.document.offset_of_bytes(last.end_lineno or 1, last.end_col_offset or 0)
    newline = source.document.text.find("\n", end)
    rest = source.document.text[end : newline if newline >= 0 else None]
    if rest.strip() and not rest.lstrip().startswith("#"):
        return None  # import torch; print(torch)
    return len(source.document.text) if newline < 0 else newline + 1


def _after_comments(source: Source) -> int:
    """Behind `#!` and the encoding, which have to stay where they are."""
    lines = source.document.lines[:2]
    count = sum(1 for line in lines if line.startswith("#") and (line.startswith("#!") or "coding" in line))
    return source.document.starts[count] if count < len(source.document.starts) else 0


def _uses(source: Source, statement: ast.stmt) -> bool:
    """Whether a statement at the head may need what is put in: anything but a text that speaks of CUDA."""
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return not is_text and "cuda" in source.text(statement).lower()


def _opening(source: Source) -> ast.stmt | None:
    """The docstring, or the last import from the future."""
    last: ast.stmt | None = None
    for statement in source.tree.body:
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not text and getattr(statement, "module", None) != FUTURE:
            break
        last = statement
    return last


def _constant(source: Source, place: int, name: str) -> Edit:
    newline, text = source.document.newline, source.document.text
    lead = newline if place and not text[:place].endswith("\n") else ""
    after = "" if text[place:].startswith(("\n", "\r\n")) or place == len(text) else newline
    return Edit(place, place, f"{lead}{newline}{name} = {CHOICE}{newline}{after}")


def _all_at_once(source: Source, place: int, name: str) -> Edit:
    newline = source.document.newline
    lead = newline if place else ""
    lines = f"import torch{newline}{newline}{name} = {CHOICE}{newline}"
    after = "" if source.document.text[place:].startswith(("\n", "\r\n")) else newline
    return Edit(place, place, f"{lead}{lines}{after}")


def _existing(source: Source) -> str | None:
    """The name that a former run of the porter gave this choice."""
    return source.document.once(_existing_in)


def _existing_in(document: Document) -> str | None:
    source = document.once(python_source.read)
    for statement in source.tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            written = " ".join(source.text(statement.value).split()).replace("'", '"')
            if written == CHOICE:
                return statement.targets[0].id
    return None


def _taken(source: Source) -> frozenset[str]:
    """Names that mean something in this file already, in whichever scope."""
    return source.document.once(_taken_in)


def _taken_in(document: Document) -> frozenset[str]:
    source = document.once(python_source.read)
    words = {name.id for name in source.all(ast.Name)} | {one.arg for one in source.all(ast.arg)}
    words |= {(one.asname or one.name) for one in source.all(ast.alias)}
    return frozenset(words)
