"""Writes tests/ops/calls.jsonl: with what each operator is called in its own tests, sizes and types without values.

python tools/record_calls.py    runs tests/ops on the CPU (a minute) and keeps the largest call of each operator
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from jumar.ops.registry import operators

ROOT = Path(__file__).parents[1]
FILE = ROOT / "tests" / "ops" / "calls.jsonl"
LARGEST = (
    1 << 20
)  # calls with larger operands are not kept: tests make them for limits, not for what they mean


def plain(value: Any) -> Any:
    """A value as JSON; a tensor as {"tensor": [type, sizes, strides]}, a dict as {"dict": …}."""
    if isinstance(value, torch.Tensor):
        return {"tensor": [str(value.dtype)[6:], list(value.shape), list(value.stride())]}
    if isinstance(value, torch.dtype):
        return str(value)[6:]
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {"dict": {key: plain(each) for key, each in value.items()}}
    if isinstance(value, complex):
        return value.real
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def elements(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.numel()
    return sum(map(elements, value)) if isinstance(value, (list, tuple)) else 0


class Recorder:
    """Stands in for every meaning in the table and hands on to it."""

    def __init__(self) -> None:
        self.largest: dict[str, tuple[int, str]] = {}
        table = operators()
        for name, operator in list(table.items()):
            table[name] = replace(operator, run=self._recording(name, operator.run))

    def _recording(self, name: str, run: Any) -> Any:
        def recording(*arguments: Any) -> Any:
            count = elements(arguments)
            if self.largest.get(name, (-1, ""))[0] < count <= LARGEST:
                self.largest[name] = count, json.dumps({"name": name, "arguments": plain(arguments)})
            return run(*arguments)

        recording.__wrapped__ = run  # type: ignore[attr-defined]
        return recording


def main() -> None:
    recorder = Recorder()
    tests = ROOT / "tests" / "ops"
    own = [
        f"--ignore={tests / name}" for name in ("test_work.py", "test_work_rules.py")
    ]  # they read this file
    code = pytest.main(["-q", "--on", "cpu", "-p", "no:cacheprovider", *own, str(tests)])
    if code:
        sys.exit(int(code))
    lines = [line for _, (_, line) in sorted(recorder.largest.items())]
    first = json.dumps({"generated": "by tools/record_calls.py from tests/ops; do not edit"})
    FILE.write_text("\n".join([first, *lines]) + "\n")


if __name__ == "__main__":
    main()
