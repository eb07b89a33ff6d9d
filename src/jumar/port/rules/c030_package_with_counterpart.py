"""Packages made for NVIDIA's GPUs that have a counterpart on Ascend."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import packages
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_packages
from jumar.port.rule import Example, Rule

OF_OTHER_RULE = re.compile(
    r"triton\.(?:language\.extra\.(?:cuda|libdevice|nvidia)|backends\.nvidia|experimental\.gluon)"
)
"""Parts of Triton that triton-ascend has not."""
OTHER_PARTS = "the package runs on Ascend with another back end, or with another package beside it"

RULE = Rule(
    code="C030",
    name="package-with-counterpart",
    kinds=("python",),
    triggers=("import", "require"),
    possible=packages.is_possible,
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="the package as it is installed for CUDA does not load on Ascend",
    replacement="the counterpart",
    examples=(
        Example("import flash_attn\n"),
        Example("from xformers.ops import memory_efficient_attention\n"),
        Example('found = importlib.util.find_spec("flash_attn")\n'),
    ),
    keep=(
        Example(
            "def test(monkeypatch):\n    monkeypatch.setattr(util, 'find_spec', f)\n    own.ensure_installed('xformers')\n",
            path="tests/test_a.py",
        ),
        "from triton.language.extra.cuda import libdevice\n",
        "import torch\n",
        'print("apex of the mountain")\n',
        "import deepspeech\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for asked in document.once(python_packages.read):
        if asked.row.cuda.startswith("triton") and packages.FOR_NPU.search(document.path):
            continue
        if OF_OTHER_RULE.search(asked.what):
            continue
        if asked.row.status == "adapted":
            yield RULE.found(
                document,
                *asked.place,
                asked.what,
                why=OTHER_PARTS if asked.row.ascend == asked.row.cuda else None,
                replacement=asked.replacement,
                runs_unchanged=asked.runs_unchanged,
            )
