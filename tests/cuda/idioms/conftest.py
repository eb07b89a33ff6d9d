"""Makes the idioms importable: they are a package, so that a tool can run them too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
