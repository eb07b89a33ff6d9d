"""A complete chip file that tests spoil in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

COMPLETE = """
name = "X1"
title = "A chip for this test"
vendor = "Nobody"
generation = "X"
architecture = "other"
device = "one chip is one device"
aliases = ["X-1"]
[sources]
sheet = "a data sheet"
[memory]
size = { value = 1, unit = "KiB", source = "sheet", confidence = "vendor" }
bandwidth = { value = 1.5, unit = "TB/s", source = "sheet", confidence = "vendor" }
[core]
block = { value = 2, unit = "core", source = "sheet", confidence = "vendor" }
[clock]
rated = { value = 1, unit = "GHz", source = "sheet", confidence = "vendor" }
burst = { value = 1200, unit = "MHz", source = "sheet", confidence = "vendor" }
[peak.matrix]
bf16 = { value = 100, unit = "TFLOP/s", source = "sheet", confidence = "vendor" }
[peak.vector]
fp32 = { value = 10, unit = "TFLOP/s", source = "sheet", confidence = "vendor" }
[cycle]
matrix_fp16 = { value = 50000, unit = "FLOP/cycle/core", source = "sheet", confidence = "vendor" }
[tile]
m = { value = 16, unit = "element", source = "sheet", confidence = "vendor" }
n = { value = 16, unit = "element", source = "sheet", confidence = "vendor" }
k = { value = 16, unit = "element", source = "sheet", confidence = "vendor" }
[cost]
launch = { value = 2.5, unit = "us", source = "sheet", confidence = "assumption", note = "as others" }
synchronise = { value = 10, unit = "µs", source = "sheet", confidence = "assumption", note = "as others" }
[link.host]
type = "PCIe 4.0 x16"
bandwidth = { value = 32, unit = "GB/s", source = "sheet", confidence = "vendor" }
[link.chip]
bandwidth = { value = 200, unit = "Gbit/s", source = "sheet", confidence = "vendor" }
latency = { value = 500, unit = "ns", source = "sheet", confidence = "vendor" }
[power]
idle = { value = 50, unit = "W", source = "sheet", confidence = "vendor" }
typical = { value = 200, unit = "W", source = "sheet", confidence = "vendor" }
limit = { value = 0.3, unit = "kW", source = "sheet", confidence = "vendor" }
[temperature]
normal = { value = 80, unit = "°C", source = "sheet", confidence = "vendor" }
throttle = { value = 90, unit = "C", source = "sheet", confidence = "vendor" }
shutdown = { value = 100, unit = "°C", source = "sheet", confidence = "vendor" }
[price]
chip = { value = 1000, unit = "CNY", date = "2025-03", source = "sheet", confidence = "vendor" }
"""


@pytest.fixture
def complete() -> str:
    return COMPLETE


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The file of a complete chip."""
    path = tmp_path / "X1.toml"
    path.write_text(COMPLETE, encoding="utf-8")
    return path
