"""PyTorch's own classes again, over the adapter's: a module of PyTorch is run a second time, beside the first.

Where PyTorch was built without CUDA, `torch.cuda.Stream` inherits from a dummy. Its Python text is what programs expect
all the same; so it is run once more while the face's layer stands under `torch._C`, and the classes taken from there.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from types import ModuleType
from typing import Any

from jumar.cuda.registry import Maker


@cache
def again(module: str) -> ModuleType:
    """A fresh execution of that module, once for the process, so that its classes stay the same."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    assert spec.loader is not None, module
    made = importlib.util.module_from_spec(spec)
    before = sys.modules[module]
    spec.loader.exec_module(made)
    sys.modules[module] = before
    return made


def remade(module: str, name: str) -> Maker:
    """A maker that gives what `module.name` is over the adapter."""

    def make(original: Any) -> Any:
        return getattr(again(module), name)

    return make
