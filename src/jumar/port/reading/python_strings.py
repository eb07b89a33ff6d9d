"""The strings of a Python document that have to do with CUDA, each with the part it plays: a device, a key, a word …

Every such string has exactly one role, and one rule takes the strings of a role, so none is reported twice.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from jumar.port import kin
from jumar.port.document import Document
from jumar.port.kin import KIN
from jumar.port.reading import python_source, string_lines
from jumar.port.reading.python_source import Source
from jumar.port.reading.string_patterns import (
    ADDED,
    BACKEND,
    CODE,
    COMMAND,
    CONFIGURATION,
    DEVICE,
    DOTTED,
    DOWNLOAD,
    ENVIRONMENT,
    ERROR,
    FILE,
    FLAG,
    HOLE,
    IMPLEMENTATION,
    LIBRARY,
    LOADERS,
    LOOKED_FOR,
    NAME,
    NUMBERED,
    OTHER_DEVICE,
    OWN_NAME,
    PLACES,
    PROVIDER,
    SAID,
    SETTING,
    SPOKEN,
    SYSTEM,
    TEST_FILE,
    TEXTUAL,
    TOOLKIT,
)
from jumar.port.reading.string_surroundings import (
    called,
    could_be_command,
    is_assigned_to,
    is_choice,
    is_documentation,
    is_key,
    is_linked,
    is_looked_for,
    is_only_listed,
    is_only_named,
    is_option,
    is_run,
    is_told,
    outside,
    parameter,
)

ATTRIBUTES = ("getattr", "hasattr", "setattr", "delattr", "object")
"""What is asked for an attribute by its name; `object` is patch.object."""


@dataclass(frozen=True)
class Text:
    """A string literal, or a line of one. `value`: what it says, with {} for what an f-string fills in.
    `place`: of a line."""

    node: ast.expr
    value: str
    role: str
    place: tuple[int, int] | None = None


def read(document: Document) -> list[Text]:
    """All strings that name CUDA or its kin, in the order of the text."""
    source = document.once(python_source.read)
    found = []
    for node in source.all(ast.Constant):
        value = node.value
        if not isinstance(value, str) or not kin.is_on(document, node.lineno, node.end_lineno or node.lineno):
            continue
        if KIN.search(value) and not isinstance(source.parents[node], ast.JoinedStr):
            found += _whole_or_lines(source, Text(node, value, role(source, node, value)))
    for made in source.all(ast.JoinedStr):
        if not kin.is_on(document, made.lineno, made.end_lineno or made.lineno):
            continue
        value = template(made)
        if KIN.search(value) and not isinstance(source.parents[made], ast.FormattedValue):
            found += _whole_or_lines(source, Text(made, value, role(source, made, value)))
    return found


def _whole_or_lines(source: Source, text: Text) -> list[Text]:
    if text.role not in string_lines.PARTED:
        return [text]
    if text.node.lineno == text.node.end_lineno:
        return [text]
    lines = string_lines.parts(source.document, text.node, source.span(text.node), text.role)
    return [Text(text.node, part.value, part.role, part.place) for part in lines] or [text]


def of_role(document: Document, *roles: str) -> list[Text]:
    return [text for text in document.once(read) if text.role in roles]


def places(document: Document, text: Text) -> list[tuple[int, int]]:
    """Where the string stands; of one that goes over several lines, the words themselves, one a line."""
    if text.place is not None:
        return [text.place]
    start, end = document.once(python_source.read).span(text.node)
    if "\n" not in document.text[start:end]:
        return [(start, end)]
    found: dict[int, tuple[int, int]] = {}
    for place in kin.all_said(document.text, start, end):
        found.setdefault(document.position(place[0])[0], place)
    return list(found.values()) or [(start, end)]


def template(node: ast.expr) -> str:
    """What a string says, with {} for every part that is only known when it runs."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) for part in node.values)
    return HOLE


def role(source: Source, node: ast.expr, value: str) -> str:
    above = source.parents[node]
    if isinstance(above, ast.Expr):
        return "docstring" if kin.said(value) else "no tie"
    if DEVICE.fullmatch(value):
        return _of_device(source, node, value)
    if BACKEND.fullmatch(value):
        return "backend"
    if ENVIRONMENT.fullmatch(value) or (is_looked_for(source, node) and "environ" in source.text(above)):
        return "environment"
    if DOTTED.fullmatch(value):
        return "dotted"
    if PROVIDER.fullmatch(value):
        return "provider"
    if value == "CUDA" and called(source, node) in (
        "impl",
        "py_impl",
        "fallback",
        "Library",
        "register_kernel",
    ):
        return "dispatch key"
    if kin.said(value) is None:
        return "no tie"
    if is_told(source, node):
        return "message"
    if NAME.fullmatch(value) and called(source, node) in ATTRIBUTES:
        return "name"
    if FLAG.fullmatch(value):
        return "flag" if called(source, node) in ADDED else "device in text" if is_option(value) else "word"
    if is_looked_for(source, node):
        return "error text" if ERROR.search(value) and kin.said(OWN_NAME.sub("", value)) else "word"
    if is_documentation(source, node, value):
        return "docstring"
    if "ASCEND_" in value and "=$" in value:
        return "word"  # a variable that is handed on to the chip's own
    if SETTING.match(value) or (SETTING.search(value) and is_run(source, node)):
        return "environment"
    if COMMAND.fullmatch(value) and is_key(source, node):
        return "no tie"
    if COMMAND.search(value) and could_be_command(source, node, value):
        return "word" if is_choice(source, node) else "command"
    if TOOLKIT.search(value):
        return "word" if is_only_listed(source, node, value) else "toolkit"
    if value.startswith("nvidia.com/"):
        return "resource"
    if CODE.search(value) and (is_run(source, node) or CONFIGURATION.search(value)):
        return "device in text"
    if LIBRARY.fullmatch(value) and ("lib" in value or value.startswith("-l") or is_linked(source, node)):
        return "word" if is_only_named(source, node) else "library"
    return "message" if " " in value.strip() else _of_word(source, node, value)


def _of_word(source: Source, node: ast.expr, value: str) -> str:
    """A text in one piece: a file, or any other."""
    if DOWNLOAD.fullmatch(value):
        return "file" if TEST_FILE.search(source.document.path) else "download"
    return "file" if FILE.fullmatch(value) else "word"


def _of_device(source: Source, node: ast.expr, value: str) -> str:
    if called(source, node) in LOOKED_FOR and HOLE not in value:
        return "compared device"
    if value == "cuda:":
        asked = isinstance(outside(source, node)[1], ast.Compare) or called(source, node) in TEXTUAL
        return "compared device" if asked else "built device"
    if value.endswith(":") or HOLE in value or "%" in value or "{" in value:
        return "built device"
    inner, above = outside(source, node)
    function = called(source, node)
    if isinstance(above, (ast.Compare, ast.MatchValue)) or function in LOOKED_FOR:
        return "compared device"
    if isinstance(above, ast.Call) and function in ATTRIBUTES:
        return "attribute"
    if function in TEXTUAL or function in SPOKEN:
        return "word"
    if function in LOADERS:
        return "library"
    if isinstance(above, ast.BinOp):
        if isinstance(above.op, ast.Div):
            return "path"
        return "built device" if inner is above.right or _may_begin_with_colon(above.right) else "word"
    if isinstance(above, ast.Call) and function in PLACES:
        return "path"
    if isinstance(above, ast.keyword) and above.arg in SAID:
        return "word"
    if IMPLEMENTATION.fullmatch(parameter(inner, above)):
        return "word"
    if isinstance(above, ast.Dict) and any(inner is key for key in above.keys):
        return "no tie" if _has_npu(above.keys) else "listed device"
    if isinstance(above, ast.Subscript):
        return "listed device"
    if isinstance(above, (ast.List, ast.Tuple, ast.Set)):
        return _of_listed(source, inner, above)
    return "device"


def _may_begin_with_colon(node: ast.expr) -> bool:
    """What follows `"cuda" +` makes a device of it: `":1"`, or a name that may be such a text."""
    if isinstance(node, ast.IfExp):
        return _may_begin_with_colon(node.body) or _may_begin_with_colon(node.orelse)
    if isinstance(node, ast.BinOp):
        return _may_begin_with_colon(node.left)
    return isinstance(node, ast.Name) or template(node).startswith(":")


def _of_listed(source: Source, node: ast.AST, row: ast.List | ast.Tuple | ast.Set) -> str:
    if _has_npu(row.elts):
        return "no tie"
    at = next(number for number, one in enumerate(row.elts) if one is node)
    before = row.elts[at - 1] if at else None
    if isinstance(before, ast.Constant) and str(before.value).startswith("-"):
        return "device in text"
    above = source.parents[row]
    if not all(_may_be_device(one) for one in row.elts):
        # One value among others of another kind.
        return "compared device" if isinstance(above, ast.Compare) else "device"
    if all(NUMBERED.fullmatch(template(one)) for one in row.elts) and not isinstance(above, ast.Compare):
        return "device"  # not the kinds that are known, but those that are computed on
    if _is_of_others(row):
        return "word"  # languages, products and the like
    if isinstance(row, ast.Tuple) and len(row.elts) == 2 and _is_pair(source, row):
        return "device"
    if isinstance(row, ast.Tuple) and isinstance(above, ast.BinOp) and len(row.elts) == 1:
        return "device"  # put before other arguments
    if (
        isinstance(row, ast.Tuple)
        and isinstance(above, ast.Assign)
        and isinstance(above.targets[0], ast.Tuple)
    ):
        return "device"
    if is_assigned_to(source, row, "__all__"):
        return "word"
    return "library" if is_linked(source, row) else "listed device"


def _is_of_others(row: ast.List | ast.Tuple | ast.Set) -> bool:
    """Texts beside it, of which none is a device; of a pair, which may be arguments, nothing is known. Or a system."""
    others = [one.value for one in row.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    others = [text for text in others if not DEVICE.fullmatch(text)]
    if any(SYSTEM.fullmatch(text) for text in others):
        return True
    if any(OTHER_DEVICE.match(text) for text in others):
        return False
    return len(others) > 1 or (len(others) == 1 and not isinstance(row, ast.Tuple))


def _is_pair(source: Source, row: ast.Tuple) -> bool:
    """Arguments of a call of which one is a device, and the other a text that is none."""
    texts = [one.value for one in row.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    others = [text for text in texts if not DEVICE.fullmatch(text)]
    function = isinstance(source.parents[row], ast.Call)
    return function and len(others) == 1 and not OTHER_DEVICE.match(others[0])


def _may_be_device(node: ast.expr) -> bool:
    """It could stand in a list of devices: a text, or what a call makes."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, (ast.JoinedStr, ast.Call))


def _has_npu(listed: Iterable[ast.expr | None]) -> bool:
    """The list or table knows the NPU already."""
    return any(isinstance(one, ast.Constant) and str(one.value).startswith("npu") for one in listed)
