"""What a stored run holds, as a plain dict."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from jumar.runs import memory
from jumar.runs.format import Run, Type


def contents(path: Path, run: Run) -> dict[str, Any]:
    """Counts of events by type and of kinds by how their work is known; peak bytes by chip; bytes on disk."""
    counts = np.bincount(run.events.type, minlength=len(Type)).tolist()
    types = Counter({one.name.lower().replace("_", " "): counts[one] for one in Type if counts[one]})
    return {
        "events": len(run.events),
        "types": dict(types.most_common()),
        "kinds": len(run.kinds),
        "sources": dict(Counter(kind.source for kind in run.kinds)),
        "peak_b": {one.chip: one.peak_b for one in memory.held(run)},
        "disk_b": sum(f.stat().st_size for f in path.iterdir() if f.suffix in (".parquet", ".json")),
    }
