"""Machine types of clouds that have NVIDIA's GPUs."""

from __future__ import annotations

import re
from functools import cache

from jumar.cudamap import Name, names

SHAPE = re.compile(r"[A-Za-z][\w.\-]{3,40}")


@cache
def tie(machine: str) -> Name | None:
    """The row of a machine type, by its beginning: `p4d.24xlarge` has that of `p4d.`."""
    if not SHAPE.fullmatch(machine) or machine.endswith((".md", ".py", ".json", ".yaml", ".txt")):
        return None
    return next((row for row in names("datacentre/machines") if machine.startswith(row.cuda)), None)
