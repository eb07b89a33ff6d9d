"""Machine types of clouds that have NVIDIA's GPUs."""

from __future__ import annotations

import re
from functools import cache

from jumar.cudamap import Name, names

COUNT = re.compile(r"\d+[gt]?(?:-\w+)*")
SIZE = re.compile(r"(?:\d+x)?(?:large|xlarge|metal[\w\-]*|medium)|\d+|[A-Z]\w*(?:\.\d+)?|\w+(?:-\w+)+")
OF_AMD = re.compile(r"as_v4$|MI\d00X|_V620")
"""Of Azure's families with GPUs, some machines have AMD's."""
SHAPE = re.compile(r"[A-Za-z][\w.\-]{3,40}")


@cache
def tie(machine: str) -> Name | None:
    """The row of a machine type, by its beginning: `p4d.24xlarge` has that of `p4d.`."""
    if (
        not SHAPE.fullmatch(machine)
        or OF_AMD.search(machine)
        or machine.endswith((".md", ".py", ".json", ".yaml", ".txt"))
    ):
        return None
    return next((row for row in names("datacentre/machines") if _is_of(machine, row.cuda)), None)


def _is_of(machine: str, family: str) -> bool:
    """`p5en.48xlarge` is of `p5en.`, the host `p5en.example.com` is not."""
    if not machine.startswith(family):
        return False
    size = {".": SIZE, "-": COUNT}.get(family[-1])
    return size is None or bool(size.fullmatch(machine[len(family) :]))
