"""Values that a test makes up: handed to a fake, returned by one, or compared with what one said. No device is needed."""

from __future__ import annotations

import ast
import re
from typing import TypedDict

from jumar.port.document import Document
from jumar.port.reading.python_source import FUNCTIONS, Source
from jumar.port.reading.string_patterns import TEST_FILE

FAKE = re.compile(
    r"_*(?:make_|install_|build_)?(?:fake|mock|stub)(?:r|s|_\w*)?|_*(?:Fake|Stub|Mock|Magic)\w*|patch|monkeypatch"
    r"|SimpleNamespace"
)
"""Not dummy, which models and inputs on a real device are called, nor what patches of images are."""
HANDED_IN = frozenset({"monkeypatch", "mocker", "monkey_patch"})
GIVEN_BACK = frozenset({"return_value", "side_effect"})
IMITATED = re.compile(
    r"(?:setattr|setitem|patch\w*(?:\.object|\.dict)?)\((?![^\n]*\bmps\b)[^\n]*(?:torch|cuda|gpu|device|hardware|nvidia|\bhw\b)",
    re.IGNORECASE,
)
"""A device, or what tells of one, is replaced."""
MADE = re.compile(r"\bwith (?:mock\.)?patch\b|\b_*(?:Fake|Stub|Mock|MagicMock|SimpleNamespace)\w*\(")
"""A test replaces something, or makes what stands for it."""
LOOKED_UP = re.compile(
    r"(?:setattr|setitem|patch\w*(?:\.object|\.dict)?)\([^\n]*(?:find_spec|import|sys\.modules|install|available|version)"
)
"""What tells of packages is replaced."""
MOVES = frozenset({"to", "cuda", "device", "type"})
WHY = "a test makes the value up, or compares it with what a fake said: it needs no device"


class MadeUp(TypedDict):
    """What `Rule.found` is given for such a value."""

    severity: str
    why: str
    replacement: str


MADE_UP: MadeUp = {"severity": "cosmetic", "why": WHY, "replacement": "npu as a further case of the test"}


def is_made_up(source: Source, node: ast.AST) -> bool:
    """In a test, and of no use to a real device."""
    if not TEST_FILE.search(source.document.path) or _is_handed_to_torch(source, node):
        return False
    inner = node
    for outer in source.ancestors(node):
        if isinstance(outer, ast.Call) and inner is not outer.func and _is_faking(outer):
            return True
        if isinstance(outer, ast.Assign) and any(_is_fakes(target) for target in outer.targets):
            return True
        if isinstance(outer, ast.BinOp) and isinstance(outer.op, ast.Div) and _is_scratch(outer.left):
            return True
        if isinstance(outer, ast.Assert) and not _is_bare(source, node):
            return _fakes_something(source, outer)
        if isinstance(outer, (*FUNCTIONS, ast.ClassDef)):
            if FAKE.fullmatch(getattr(outer, "name", "")):
                return True
            if isinstance(outer, ast.FunctionDef) and outer.name.startswith("test"):
                return _fakes_something(source, outer) and _has(source, outer, IMITATED)
        inner = outer
    return False


def _has(source: Source, function: ast.AST, pattern: re.Pattern[str]) -> bool:
    """Whether a function's text has it: asked once, since each of its strings asks."""
    known = source.document.once(_searched)
    asked = (function, pattern)
    if asked not in known:
        known[asked] = pattern.search(source.text(function)) is not None
    return known[asked]


def _searched(document: Document) -> dict[tuple[ast.AST, re.Pattern[str]], bool]:
    """Filled as it is asked."""
    return {}


def _is_handed_to_torch(source: Source, node: ast.AST) -> bool:
    inner = node
    for outer in source.ancestors(node):
        if isinstance(outer, ast.stmt):
            return False
        if isinstance(outer, ast.Call) and inner is not outer.func:
            if (source.qualified(outer.func) or "").startswith("torch."):
                return True
            if isinstance(outer.func, ast.Attribute) and outer.func.attr in MOVES and inner in outer.args:
                return True
        inner = outer
    return False


def _is_scratch(folder: ast.expr) -> bool:
    """`tmp_path / "a"`: a file that the test makes."""
    while isinstance(folder, ast.BinOp):
        folder = folder.left
    return getattr(folder, "id", "") in ("tmp_path", "tmpdir")


def _is_faking(call: ast.Call) -> bool:
    """The function is called a fake, or is handed what replaces things."""
    if any(getattr(one, "id", "") in HANDED_IN for one in call.args):
        return True
    named: ast.AST = call.func
    while isinstance(named, ast.Attribute):
        if FAKE.fullmatch(named.attr):
            return True
        named = named.value
    return FAKE.fullmatch(getattr(named, "id", "")) is not None


def _is_fakes(target: ast.expr) -> bool:
    """`ask.return_value = …`, `fake_torch.device = …`."""
    if not isinstance(target, ast.Attribute):
        return False
    return target.attr in GIVEN_BACK or FAKE.fullmatch(getattr(target.value, "id", "")) is not None


def _is_bare(source: Source, node: ast.AST) -> bool:
    """`assert x.device.type == "cuda"` or `str(x.device)`: as a real tensor would be asked."""
    above = source.parents.get(node)
    if not isinstance(above, ast.Compare):
        return False
    asked = above.left
    if isinstance(asked, ast.Call) and getattr(asked.func, "id", "") == "str" and len(asked.args) == 1:
        return getattr(asked.args[0], "attr", "") == "device"
    return isinstance(asked, ast.Attribute) and asked.attr == "type"


def _fakes_something(source: Source, node: ast.AST) -> bool:
    """The test has a fixture that replaces things, or is patched."""
    for outer in (node, *source.ancestors(node)):
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(argument.arg in HANDED_IN for argument in outer.args.args):
                return True
            if any(_is_faking(one) for one in outer.decorator_list if isinstance(one, ast.Call)):
                return True
            return _has(source, outer, MADE)
    return False


def fakes_looking_up(source: Source, node: ast.AST) -> bool:
    """In a test that replaces what finds or installs packages, so that none is needed."""
    if not TEST_FILE.search(source.document.path) or not _fakes_something(source, node):
        return False
    test = next((one for one in source.ancestors(node) if isinstance(one, ast.FunctionDef)), None)
    return test is not None and _has(source, test, LOOKED_UP)


def is_handed_on(source: Source, node: ast.AST) -> bool:
    """A name in a list that a test goes through to take variables out of the environment, or such a call itself."""
    if not TEST_FILE.search(source.document.path):
        return False
    above = source.parents.get(node)
    if isinstance(above, ast.Call):
        return _last_word(above.func) == "delenv"
    loop = source.parents.get(above) if isinstance(above, (ast.Tuple, ast.List, ast.Set)) else None
    if not isinstance(loop, ast.For) or loop.iter is not above:
        return False
    return all(isinstance(one, ast.Expr) and _takes_out(one.value) for one in loop.body)


def _takes_out(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _last_word(node.func) in ("delenv", "pop")


def _last_word(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
