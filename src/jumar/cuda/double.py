"""What becomes of double precision, which the chip hardly has: the policies of `--float64`.

| policy   | a float64 tensor on the chip                                                          |
|----------|---------------------------------------------------------------------------------------|
| chip     | is what chip and adapter make of it; said once, counted where it is moved or converted |
| error    | raises when it is made, naming the operation                                          |
| emulate  | is computed by the CPU in double precision and kept on the chip                       |
| downcast | is float32 from the moment it is made                                                 |

The first costs nothing per operator; the others ask at every operator, which is their price.
"""

from __future__ import annotations

import sys
from typing import Any

from jumar.cuda import account, face

NAME = "float64 on the chip"
# Modules that go by way of double precision for one number, which the program knows nothing of.
PYTORCHS_OWN = frozenset({"torch.amp.grad_scaler"})
# Operators that move bytes and compute nothing: they are the chip's under every policy.
MOVES = ("clone", "copy_", "detach", "alias", "_to_copy", "empty", "empty_strided", "empty_like", "new_empty",
         "lift_fresh", "_local_scalar_dense", "set_", "resize_", "record_stream", "is_pinned", "_pin_memory")  # fmt: skip


def tell() -> None:
    """Under the policy `chip`: counts, and says the first time, that the program puts float64 on the chip."""
    if sys._getframe(2).f_globals.get("__name__") in PYTORCHS_OWN:
        return
    if face.options().float64 == "chip" and account.note("adapted", NAME):
        where = account.entry("adapted", NAME)[1]
        print(
            f"jumar: float64 on the chip at {where}: Ascend computes little in double precision and turns some of it "
            "into float32; --float64 error, emulate or downcast make it one thing",
            file=sys.stderr,
        )


def policy(name: str) -> Any:
    """The dispatch mode of a policy; None for `chip`."""
    return (
        None
        if name == "chip"
        else {"error": _refusing, "emulate": _emulating, "downcast": _downcasting}[name]()
    )


def base() -> Any:
    from torch.utils._python_dispatch import TorchDispatchMode

    return TorchDispatchMode


def _refusing() -> Any:
    from torch.utils._pytree import tree_leaves

    class Refusing(base()):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            wanted = kwargs.get("dtype") in doubles() and _on_chip(args, kwargs)
            made = None if wanted else func(*args, **kwargs)
            if wanted or any(is_double(one) for one in tree_leaves(made)):
                account.note("refused", NAME)
                raise RuntimeError(
                    f"{func} makes a float64 tensor on the chip at {account.source_line()}. Ascend computes little in "
                    "double precision: use float32 there, or choose --float64 emulate, downcast or chip"
                )
            return made

    return Refusing()


def _downcasting() -> Any:
    import torch
    from torch.utils._pytree import tree_map

    single = {torch.float64: torch.float32, torch.complex128: torch.complex64}

    def smaller(one: Any) -> Any:
        if not is_double(one):
            return one
        account.note("adapted", NAME)
        return torch.ops.aten._to_copy.default(one, dtype=single[one.dtype])

    class Downcasting(base()):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if kwargs.get("dtype") in single and _on_chip(args, kwargs):
                account.note("adapted", NAME)
                kwargs = kwargs | {"dtype": single[kwargs["dtype"]]}
            return tree_map(smaller, func(*args, **kwargs))

    return Downcasting()


def _emulating() -> Any:
    import torch
    from torch.utils._pytree import tree_leaves, tree_map

    class Emulating(base()):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            converts = kwargs.get("dtype") in doubles() and _on_chip(args, kwargs)
            if not converts and not any(is_double(one) for one in tree_leaves((args, kwargs))):
                return func(*args, **kwargs)
            if func.is_view or (_moves(func) and not _converts(args, kwargs)):
                return func(*args, **kwargs)
            account.note("on the CPU", NAME)
            return by_cpu(func, args, kwargs)

    def by_cpu(func: Any, args: Any, kwargs: Any) -> Any:
        """The operator on copies in host memory; what it wrote to is written back, what it made goes to the chip."""
        originals: dict[int, Any] = {}
        copies: dict[int, Any] = {}
        place: list[Any] = []

        def down(one: Any) -> Any:
            if isinstance(one, torch.device) and one.type == "cuda":
                place.append(one)
                return torch.device("cpu")
            if not isinstance(one, torch.Tensor) or one.device.type != "cuda":
                return one
            place.append(one.device)
            if id(one) not in copies:
                copies[id(one)] = one.cpu()
                originals[id(copies[id(one)])] = one
            return copies[id(one)]

        def up(one: Any) -> Any:
            if not isinstance(one, torch.Tensor) or one.device.type != "cpu":
                return one
            return originals[id(one)] if id(one) in originals else one.to(device)

        host_args, host_kwargs = tree_map(down, args), tree_map(down, kwargs)
        device = kwargs.get("device") or place[0]
        made = func(*host_args, **host_kwargs)
        if func._schema.is_mutable:
            for copy in copies.values():
                originals[id(copy)].copy_(copy)
        return tree_map(up, made)

    return Emulating()


def doubles() -> tuple[Any, ...]:
    import torch

    return torch.float64, torch.complex128


def is_double(one: Any) -> bool:
    """Whether it is a tensor of double precision on the chip."""
    import torch

    return isinstance(one, torch.Tensor) and one.dtype in doubles() and one.device.type == "cuda"


def _on_chip(args: Any, kwargs: Any) -> bool:
    """Whether what the operator makes is on the chip."""
    import torch

    if (device := kwargs.get("device")) is not None:
        return torch.device(device).type == "cuda"
    return any(isinstance(one, torch.Tensor) and one.device.type == "cuda" for one in args)


def _moves(func: Any) -> bool:
    return func._schema.name.removeprefix("aten::") in MOVES


def _converts(args: Any, kwargs: Any) -> bool:
    """Whether source and destination differ in dtype, which on the chip may go through float32."""
    import torch

    kinds = {one.dtype for one in args if isinstance(one, torch.Tensor)}
    return len(kinds | ({kwargs["dtype"]} if kwargs.get("dtype") is not None else set())) > 1
