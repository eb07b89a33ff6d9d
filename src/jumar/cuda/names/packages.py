"""What surrounds PyTorch: stand-ins that a program imported while the face was on go with it.

The finder of absent packages is that of `jumar.startup`, which asks whether the face is on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from jumar.cuda import packages


def enter(options: Any) -> Callable[[], None]:
    def undo() -> None:
        if os.environ.get("JUMAR_FACE") != "cuda":
            packages.forget()

    return undo
