"""How the questions are put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

cuda: Any = torch.cuda
Question = tuple[Callable[[], Any], Any]  # what is asked, and the answer: a value, or the type of one


def raised(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(Exception) as caught:
        call()
    return type(caught.value).__name__, str(caught.value)


def within(context: Any, ask: Callable[[], Any]) -> Any:
    with context:
        return ask()


def done(*calls: Callable[[], Any]) -> Any:
    """What the last of these calls gives."""
    return [call() for call in calls][-1]
