"""TorchScript: two words whose meaning is fixed in C++, written out by the compiler's front end instead."""

from __future__ import annotations

import ast
from typing import Any

from jumar.cuda.registry import changes


@changes("torch.jit.frontend.ExprBuilder.build_Attribute")
def _attribute(original: Any) -> Any:
    """`x.is_cuda` is `x.device.type == "cuda"`; modules keep an attribute of that name."""
    from torch._C._jit_tree_views import BinOp, Ident, Select, StringLiteral

    def build(ctx: Any, expr: Any) -> Any:
        built = original(ctx, expr)
        if expr.attr != "is_cuda" or _is_module(expr.value):
            return built
        place = built.range()
        device = Select(_value(ctx, expr.value), Ident(place, "device"))
        return BinOp("==", Select(device, Ident(place, "type")), StringLiteral(place, "cuda"))

    return staticmethod(build)


@changes("torch.jit.frontend.ExprBuilder.build_Call")
def _call(original: Any) -> Any:
    """`x.cuda()` is `x.to("cuda")`."""
    from torch._C._jit_tree_views import Apply, Ident, Select, StringLiteral

    def build(ctx: Any, expr: Any) -> Any:
        called = expr.func
        if not (isinstance(called, ast.Attribute) and called.attr == "cuda") or expr.args or expr.keywords:
            return original(ctx, expr)
        value = _value(ctx, called.value)
        place = value.range()
        return Apply(Select(value, Ident(place, "to")), [StringLiteral(place, "cuda")], [])

    return staticmethod(build)


def _is_module(expr: ast.expr) -> bool:
    return isinstance(expr, ast.Name) and expr.id in ("self", "torch")


def _value(ctx: Any, expr: ast.expr) -> Any:
    from torch.jit.frontend import build_expr

    return build_expr(ctx, expr)
