"""`python -m jumar.shelf NAME …` runs a program of the shelf on whatever chip is there."""

from __future__ import annotations

import importlib
import sys

from jumar.shelf import EXAMPLES

name, *words = sys.argv[1:] or [""]
if name not in EXAMPLES:
    raise SystemExit(f"no example {name!r}; there are {', '.join(EXAMPLES)}")
importlib.import_module(f"jumar.shelf.{EXAMPLES[name].module}").main(name, words)
