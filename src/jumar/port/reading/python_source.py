"""A Python document as its syntax tree: nodes by type, parents, where nodes lie in the text, what names stand for.

Names are followed through imports and simple assignments of the module; nothing is imported or run.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar

from jumar.port.document import Document, Unparsed
from jumar.port.kin import KIN

Node = TypeVar("Node", bound=ast.AST)
SCOPES = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
BUILT_IN = frozenset(dir(builtins))
STATEMENTS_AND_SCOPES = (*SCOPES, ast.stmt)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
ALIASES = {
    "np": "numpy",
    "F": "torch.nn.functional",
    "nn": "torch.nn",
    "dist": "torch.distributed",
    "tl": "triton.language",
}
"""What a name means that the text uses and nowhere binds, as snippets and cells of notebooks do."""
_LEAVES = {
    "ctx",
    "op",
    "ops",
    "kind",
    "type_comment",
    "id",
    "attr",
    "name",
    "asname",
    "module",
    "level",
    "conversion",
}
_PLAIN = {"is_async", "simple", "rest", "kwd_attrs"}
FIELDS = {
    kind: tuple(
        name
        for name in kind._fields
        if name not in _LEAVES | _PLAIN
        and (kind.__name__, name) not in {("Constant", "value"), ("keyword", "arg"), ("arg", "arg")}
        and not (name == "names" and kind in (ast.Global, ast.Nonlocal))
    )
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""By type of node the fields that hold other nodes."""
MOST_BINDINGS = 8
DEEPEST = 40
"""How many assignments of a name, and how many names one after the other, are followed."""


class Source:
    """The tree of one document. `by_type` has every node in the order of the text, inner ones before outer ones."""

    def __init__(self, document: Document, tree: ast.Module) -> None:
        self.document = document
        self.tree = tree
        self.parents: dict[ast.AST, ast.AST] = {}
        self.by_type: dict[type[ast.AST], list[ast.AST]] = {}
        self._scoped: dict[str, dict[ast.AST, list[ast.AST]]] = {}
        self._scopes: dict[ast.AST, ast.AST] = {}
        self._qualified: dict[ast.AST, str | None] = {}
        self._resolving: set[ast.AST] = set()
        self._index()

    def _index(self) -> None:
        """Every node but the marks of reading and writing and the operators, which have nothing of their own."""
        waiting: list[ast.AST] = [self.tree]
        parents, by_type, fields = self.parents, self.by_type, FIELDS
        while waiting:
            node = waiting.pop()
            kind = node.__class__
            if kind in by_type:
                by_type[kind].append(node)
            else:
                by_type[kind] = [node]
            for name in fields[kind]:
                value = getattr(node, name, None)
                if value.__class__ is list:
                    for child in value:
                        if child is not None:
                            parents[child] = node
                            waiting.append(child)
                elif value is not None:
                    parents[value] = node
                    waiting.append(value)
        for nodes in by_type.values():
            nodes.reverse()

    def all(self, kind: type[Node]) -> list[Node]:
        return self.by_type.get(kind, [])  # type: ignore[return-value]

    @cached_property
    def promising(self) -> frozenset[str]:
        """Names behind which an import or another name may be, so that following them is worth the time."""
        used = {word.id for word in self.all(ast.Name)}
        return frozenset(used & self.followed | used - self._binding.keys() - BUILT_IN)

    @cached_property
    def followed(self) -> frozenset[str]:
        """Names that may stand for a qualified one: what an import binds, or an assignment of a name to another."""
        found = {alias.asname or alias.name.partition(".")[0] for alias in self.all(ast.alias)}
        for kind in (ast.Assign, ast.AnnAssign, ast.NamedExpr):
            for made in self.by_type.get(kind, ()):
                if isinstance(made.value, (ast.Name, ast.Attribute)):  # type: ignore[attr-defined]
                    targets = made.targets if isinstance(made, ast.Assign) else [made.target]  # type: ignore[attr-defined]
                    found.update(target.id for target in targets if isinstance(target, ast.Name))
        return frozenset(found)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """The characters of a node."""
        around = [above for above in self.ancestors(node) if isinstance(above, ast.JoinedStr)]
        if not around:
            return self._placed(node)
        start, end = self._placed(around[-1])  # Python places the parts of an f-string badly: look for them
        written = ast.unparse(node) if isinstance(node, ast.expr) else ""
        at = self.document.text.find(written, start, end) if written else -1
        return (at, at + len(written)) if at >= 0 else (start, end)

    def place(self, node: ast.AST) -> tuple[int, int]:
        """Where people look for the node: of what goes over several lines, the word that says CUDA, or the last name."""
        start, end = self.span(node)
        if "\n" not in self.document.text[start:end]:
            return start, end
        named = node.func if isinstance(node, ast.Call) else node
        last = self.span(named)[1]
        words = list(KIN.finditer(self.document.text, start, last))
        if words:
            return words[-1].span()
        return (last - len(named.attr), last) if isinstance(named, ast.Attribute) else (start, end)

    def _placed(self, node: ast.AST) -> tuple[int, int]:
        document = self.document
        return (
            document.offset_of_bytes(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            document.offset_of_bytes(node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.document.text[start:end]

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The parents, from the nearest outwards."""
        while (above := self.parents.get(node)) is not None:
            yield above
            node = above

    def scope(self, node: ast.AST) -> ast.AST:
        """The function, class or module whose names the node sees first."""
        above = self.parents.get(node, self.tree)
        while not isinstance(above, STATEMENTS_AND_SCOPES):
            above = self.parents[above]
        if isinstance(above, SCOPES):
            return above
        found = self._scopes.get(above)
        if found is None:
            found = self._scopes[above] = self.scope(above)
        return found

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement that the node is part of."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    # What names stand for

    def qualified(self, node: ast.AST) -> str | None:
        """`torch.cuda.is_available` for whatever way this module has of writing it. None if it is not known."""
        if node not in self._qualified:
            if node in self._resolving:
                return None  # a = a.b
            self._resolving.add(node)
            self._qualified[node] = self._resolve(node)
            self._resolving.discard(node)
        return self._qualified[node]

    def _resolve(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Attribute):
            value = self.qualified(node.value)
            return f"{value}.{node.attr}" if value else None
        if isinstance(node, ast.Name):
            return self._resolve_name(node) if node.id in self.promising else None
        if isinstance(node, ast.Call) and self.is_getattr(node):
            value = self.qualified(node.args[0])
            return f"{value}.{node.args[1].value}" if value else None  # type: ignore[attr-defined]
        return None

    def is_getattr(self, node: ast.Call) -> bool:
        named = isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr")
        return named and len(node.args) >= 2 and _is_text(node.args[1])

    def _resolve_name(self, node: ast.Name) -> str | None:
        bound = self.bound(node)
        if not bound:
            return ALIASES.get(node.id, node.id)
        if len(bound) > MOST_BINDINGS or len(self._resolving) > DEEPEST:
            return None
        names = {self._meaning(node.id, binding) for binding in bound}
        if all(isinstance(binding, ast.alias) or _is_none(binding) for binding in bound):
            names.discard(None)  # try: import it; except ImportError: it = None
        return names.pop() if len(names) == 1 else None

    def _meaning(self, name: str, binding: ast.AST) -> str | None:
        if isinstance(binding, ast.alias):
            statement = self.parents[binding]
            if isinstance(statement, ast.ImportFrom):
                module = "." * statement.level + (statement.module or "")
                return f"{module}.{binding.name}" if not module.endswith(".") else module + binding.name
            return binding.name if binding.asname else binding.name.partition(".")[0]
        if isinstance(binding, (ast.Name, ast.Attribute)):
            return self.qualified(binding)
        return None

    def bound(self, node: ast.Name) -> list[ast.AST]:
        """What the name is bound to in the nearest scope that binds it: imports, expressions, or what else binds."""
        by_scope = self._by_scope(node.id)
        if not by_scope:
            return []
        scope = self.scope(node)
        first = True
        while True:
            if scope in by_scope and (first or not isinstance(scope, ast.ClassDef)):
                return by_scope[scope]
            if scope is self.tree:
                return []
            scope, first = self.scope(scope), False

    def bound_in_module(self, name: str) -> list[ast.AST]:
        """What a name is bound to at the top of the module."""
        return self._by_scope(name).get(self.tree, [])

    def _by_scope(self, name: str) -> dict[ast.AST, list[ast.AST]]:
        """By scope what a name is bound to: an alias of an import, the expression assigned, or the node that binds."""
        found = self._scoped.get(name)
        if found is None:
            found = self._scoped[name] = {}
            for node in self._binding.get(name, ()):
                value = self._assigned(node) if isinstance(node, ast.Name) else node
                found.setdefault(self.scope(node), []).append(value)
        return found

    @cached_property
    def _binding(self) -> dict[str, list[ast.AST]]:
        """By name the nodes that bind it, in whatever scope."""
        found: dict[str, list[ast.AST]] = {}
        for alias in self.all(ast.alias):
            if alias.name != "*":
                found.setdefault(alias.asname or alias.name.partition(".")[0], []).append(alias)
        for name in self.all(ast.Name):
            if name.ctx.__class__ is not ast.Load:
                found.setdefault(name.id, []).append(name)
        for argument in self.all(ast.arg):
            found.setdefault(argument.arg, []).append(argument)
        for kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            for made in self.by_type.get(kind, ()):
                found.setdefault(made.name, []).append(made)  # type: ignore[attr-defined]
        return found

    def _assigned(self, name: ast.Name) -> ast.AST:
        above = self.parents[name]
        if isinstance(above, ast.Assign) or (
            isinstance(above, (ast.AnnAssign, ast.NamedExpr)) and above.value
        ):
            return above.value  # type: ignore[return-value]
        return above


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def read(document: Document) -> Source:
    """The document's Source. Unparsed if it is no Python that this Python reads."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(document.text)
    except SyntaxError as error:
        raise Unparsed(f"no Python that this Python reads: {error.msg}", error.lineno or 1) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unparsed(f"no Python that this Python reads: {error}") from error
    return Source(document, tree)
