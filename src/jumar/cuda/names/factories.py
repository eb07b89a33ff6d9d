"""Factories that the adapter gets wrong; all others work because the chip is called cuda."""

from __future__ import annotations

import functools
from typing import Any

from jumar.cuda import account
from jumar.cuda.registry import Maker, changes

WINDOWS = ("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window")


def _window(name: str) -> Maker:
    """The adapter multiplies whole numbers in place by a fraction: the CPU makes the window."""

    def make(original: Any) -> Any:
        import torch

        @functools.wraps(original)
        def window(*arguments: Any, **keywords: Any) -> Any:
            wanted = keywords.get("device")
            device = torch.device(wanted) if wanted is not None else torch.get_default_device()
            if device.type != "cuda":
                return original(*arguments, **keywords)
            account.note("on the CPU", f"torch.{name}")
            return original(*arguments, **(keywords | {"device": "cpu"})).to(device)

        return window

    return make


for one in WINDOWS:
    changes(f"torch.{one}")(_window(one))


@changes("torch.randperm")
def _randperm(original: Any) -> Any:
    """With a generator of another device the adapter says something else than PyTorch."""
    import torch
    from torch.utils._device import _device_constructors

    _device_constructors()  # made now, it holds the original, which a default device looks for

    @functools.wraps(original)
    def randperm(*arguments: Any, **keywords: Any) -> Any:
        try:
            return original(*arguments, **keywords)
        except RuntimeError:
            generator = keywords.get("generator")
            device = torch.device(keywords.get("device") or torch.get_default_device()).type
            if generator is None or generator.device.type == device:
                raise
            found = generator.device.type
            raise RuntimeError(
                f"Expected a '{device}' device type for generator but found '{found}'"
            ) from None

    return randperm
