"""torch.library: kernels registered for CUDA land on the chip's dispatch keys."""

from __future__ import annotations

import functools
import re
from typing import Any

from jumar.cuda.registry import changes

# PyTorch's key names: "AutogradCUDA" is "AutogradPrivateUse1" here.
OF_CUDA = re.compile(
    r"^((?:Autograd|Autocast|Sparse|SparseCsr|Quantized|NestedTensor|AutogradNestedTensor)?)CUDA$"
)


def key(name: Any) -> Any:
    """The chip's dispatch key for one of CUDA, as a name or a member of DispatchKey; others as they are."""
    if isinstance(name, str):
        return OF_CUDA.sub(r"\1PrivateUse1", name)
    text = getattr(name, "name", "")
    return getattr(type(name), key(text)) if isinstance(text, str) and OF_CUDA.match(text) else name


def _keyed(place: int) -> Any:
    """A maker for what takes the key at this place, or as `dispatch_key`."""

    def make(original: Any) -> Any:
        @functools.wraps(original)
        def call(*arguments: Any, **keywords: Any) -> Any:
            if len(arguments) > place:
                arguments = (*arguments[:place], key(arguments[place]), *arguments[place + 1 :])
            for name in ("dispatch_key", "key", "dispatch"):
                if name in keywords:
                    keywords[name] = key(keywords[name])
            return original(*arguments, **keywords)

        return call

    return make


changes("torch.library.Library.__init__", "torch.library.Library.impl")(_keyed(3))
changes("torch.library.Library.fallback")(_keyed(2))
changes(
    "torch._ops.OperatorBase.py_impl",
    "torch._ops.HigherOrderOperator.py_impl",
    "torch._ops.OpOverload.has_kernel_for_dispatch_key",
    "torch._C.DispatchKeySet.has",
    "torch._C._dispatch_has_kernel_for_dispatch_key",
    "torch._C._dispatch_has_computed_kernel_for_dispatch_key",
)(_keyed(1))


@changes("torch.library.impl")
def _impl(original: Any) -> Any:
    """Also in the older form impl(library, name, "CUDA")."""
    import torch

    @functools.wraps(original)
    def impl(qualname: Any, types: Any = "", func: Any = None, *, lib: Any = None) -> Any:
        if isinstance(qualname, torch.library.Library):
            return original(qualname, types, key(func) if isinstance(func, str) else func)
        return original(qualname, types, func, lib=lib)

    return impl
