"""CUDA in PyTorch's profiler: the activity, the columns, the switches."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source
from jumar.port.rule import Example, Rule

COLUMNS = frozenset(
    f"{own}cuda_{what}"
    for own in ("", "self_")
    for what in ("time", "time_total", "time_str", "time_total_str", "memory_usage")
)

RULE = Rule(
    code="C018",
    name="profiler",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="the profiler names NVIDIA's device; on Ascend the chip's times are missing or under another name",
    replacement="torch_npu.profiler with ProfilerActivity.NPU; device_time_total for cuda_time_total",
    examples=(
        Example(
            "from torch.profiler import ProfilerActivity\n\nactivities = [ProfilerActivity.CPU, ProfilerActivity.CUDA]\n"
        ),
        Example('print(p.key_averages().table(sort_by="self_cuda_time_total"))\n'),
        Example("t = event.cuda_time_total\n"),
    ),
    keep=(
        "activities = [ProfilerActivity.CPU]\n",
        "t = event.device_time_total\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for node in source.all(ast.Attribute):
        owner = source.qualified(node.value) if node.attr == "CUDA" else None
        if node.attr in COLUMNS or (owner and owner.endswith("ProfilerActivity")):
            yield RULE.found(document, *source.place(node), node.attr)
    for text in source.all(ast.Constant):
        if isinstance(text.value, str) and text.value in COLUMNS:
            yield RULE.found(document, *source.span(text), f"the column {text.value!r}")
