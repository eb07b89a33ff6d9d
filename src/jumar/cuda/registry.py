"""From the rows of the dictionary to patches: what each CUDA name becomes while the face is on.

| row                                   | becomes                                                     |
|---------------------------------------|-------------------------------------------------------------|
| a function here `@adapts` the name    | that function, counted as adapted                           |
| a function here `@changes` the name   | what it makes of PyTorch's own                              |
| `same`, and ascend is a torch.npu name| the adapter's, counted as redirected                        |
| `absent`                              | a function that raises the row's note                       |
| `same`, and ascend is anything else   | nothing: it works because the chip goes by the name of CUDA |
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from jumar import cudamap
from jumar.cuda import account
from jumar.patches import Patch, target

ADAPTER = ("torch.npu.", "torch_npu.")

T = TypeVar("T")
Maker = Callable[[Any], Any]
_makers: dict[str, tuple[Maker, bool]] = {}


def adapts(*names: str, adds: bool = False) -> Callable[[T], T]:
    """The decorated function or class stands in for these CUDA names. `adds`: PyTorch may lack them."""

    def register(replacement: T) -> T:
        for name in names:
            _makers[name] = _stand_in(name, replacement), adds
        return replacement

    return register


def _stand_in(name: str, replacement: Any) -> Maker:
    def make(original: Any) -> Any:
        return account.counted("adapted", name, replacement) if callable(replacement) else replacement

    return make


def changes(*names: str, adds: bool = False) -> Callable[[Maker], Maker]:
    """The decorated function is given what PyTorch has under the name and returns what takes its place."""

    def register(maker: Maker) -> Maker:
        for name in names:
            _makers[name] = maker, adds
        return maker

    return register


def registered() -> frozenset[str]:
    return frozenset(_makers)


def patches(tables: tuple[str, ...]) -> Iterator[Patch]:
    """The patches that the rows of these tables ask for. KeyError if an adapted name has no function here."""
    for table in tables:
        for row in cudamap.names(table):
            if row.cuda in _makers:
                make, adds = _makers[row.cuda]
                yield Patch(target(row.cuda), make, row.note or f"is {row.ascend}", adds)
            elif row.status == "same" and row.ascend.startswith(ADAPTER):
                yield Patch(target(row.cuda), _alias(row), f"is {row.ascend}")
            elif row.status == "absent":
                yield Patch(target(row.cuda), _refusal(row), row.note)
            elif row.status == "adapted":
                raise KeyError(
                    f"{row.cuda} is adapted in {table}.tsv, but no function in jumar.cuda adapts it"
                )


def _alias(row: cudamap.Name) -> Maker:
    return lambda original: _redirected(row, resolve(row.ascend))


def _redirected(row: cudamap.Name, found: Any) -> Any:
    return account.counted("redirected", row.cuda, found) if callable(found) else found


def _refusal(row: cudamap.Name) -> Maker:
    def refuse(*arguments: Any, **keywords: Any) -> Any:
        account.note("refused", row.cuda)
        raise NotImplementedError(f"{row.cuda} has no counterpart on Ascend: {row.note}")

    refuse.__name__ = refuse.__qualname__ = row.cuda.rpartition(".")[2]
    return lambda original: refuse


def resolve(qualified: str) -> Any:
    """The object of a dotted name."""
    module, _, path = target(qualified).partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found
