"""float64: enters the policy that `--float64` or `jumar.cuda(float64=…)` chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jumar.cuda import double

if TYPE_CHECKING:
    from jumar.cuda.face import Options


def enter(options: Options) -> Callable[[], None]:
    mode = double.policy(options.float64)
    if mode is None:
        return lambda: None
    mode.__enter__()
    return lambda: mode.__exit__(None, None, None)
