"""torch.compile: the wrapper is PyTorch's, the program inside runs as written. Inductor writes kernels for NVIDIA.

A backend that writes no kernels (eager, aot_eager, a function of the program's own) is used as on CUDA.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from jumar.cuda import account
from jumar.cuda.registry import changes

WRITE_NO_KERNELS = ("eager", "eager_noexcept", "aot_eager", "aot_eager_decomp_partition")
NAME = "torch.compile"


@changes("torch.compile")
def _compile(original: Any) -> Any:
    @functools.wraps(original)
    def compile(model: Any = None, **chosen: Any) -> Any:
        backend = chosen.get("backend", "inductor")
        if chosen.get("disable") or callable(backend) or backend in WRITE_NO_KERNELS:
            return original(model, **chosen)
        _check(backend, chosen)
        if model is None:
            return lambda function: compile(function, **chosen)
        return eagerly(model)

    return compile


def _check(backend: str, chosen: dict[str, Any]) -> None:
    """The errors that torch.compile itself raises."""
    if chosen.get("mode") is not None and chosen.get("options") is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    import torch._dynamo

    if backend not in torch._dynamo.list_backends(exclude_tags=()):
        torch._dynamo.lookup_backend(backend)


def eagerly(model: Any) -> Any:
    """What torch.compile returns for that module, function or class; calling it runs the original."""
    import torch._dynamo.eval_frame as dynamo

    if account.note("adapted", NAME):
        print("jumar: torch.compile runs eagerly here: its kernels are written for NVIDIA", file=sys.stderr)
    model = dynamo.innermost_fn(model)
    if isinstance(model, type):
        model.__call__ = eagerly(model.__call__)  # type: ignore[method-assign]
        return model
    if hasattr(model, "_modules") and hasattr(model, "state_dict"):
        wrapped: Any = dynamo.OptimizedModule(model, dynamo.DisableContext())
        wrapped.forward = model.__call__
        wrapped._torchdynamo_orig_callable = model.forward
        return wrapped

    @functools.wraps(model)
    def call(*arguments: Any, **keywords: Any) -> Any:
        return model(*arguments, **keywords)

    call._torchdynamo_orig_callable = model  # type: ignore[attr-defined]
    return call
