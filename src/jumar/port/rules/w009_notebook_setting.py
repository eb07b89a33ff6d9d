"""Notebooks that ask their host for a GPU."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W009",
    name="notebook-setting",
    kinds=("notebook",),
    triggers=("gpu", "nvidia"),
    layer="workflow",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="the host gives the notebook an NVIDIA GPU",
    replacement="a host with Ascend; nothing to change in the notebook's code",
    examples=(
        Example(
            '{"cells": [], "metadata": {"accelerator": "GPU", "colab": {"gpuType": "T4"}}}\n', path="a.ipynb"
        ),
    ),
    keep=(
        Example('{"cells": [], "metadata": {"kernelspec": {"name": "python3"}}}\n', path="a.ipynb"),
        Example(
            '{"cells": [], "metadata": {"colab": {"machine_shape": "hm", "name": "gpu"}}}\n', path="a.ipynb"
        ),
    ),
)

KEYS = frozenset(("accelerator", "gpuType", "gpuClass", "gpu_type", "isGpuEnabled"))


def check(document: Document) -> Iterator[Finding]:
    for entry in json_entries.entries(document):
        if (
            entry.path[0] == "metadata"
            and entry.key in KEYS
            and entry.value not in (None, "none", "false", "TPU")
        ):
            yield RULE.found(document, entry.key_start, entry.end, f"{entry.key}: {entry.value}")
