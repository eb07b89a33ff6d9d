"""Factories that the adapter gets wrong; all others work because the chip is called cuda."""

from __future__ import annotations

import functools
from typing import Any

from jumar.cuda import account
from jumar.cuda.registry import changes


@changes("torch.kaiser_window")
def _kaiser_window(original: Any) -> Any:
    """The adapter multiplies whole numbers in place by a fraction: the CPU makes the window."""
    import torch

    @functools.wraps(original)
    def kaiser_window(*arguments: Any, **keywords: Any) -> Any:
        wanted = keywords.get("device")
        device = torch.device(wanted) if wanted is not None else torch.get_default_device()
        if device.type != "cuda":
            return original(*arguments, **keywords)
        account.note("on the CPU", "torch.kaiser_window")
        return original(*arguments, **(keywords | {"device": "cpu"})).to(device)

    return kaiser_window
