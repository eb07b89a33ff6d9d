"""Questions about the build: `torch.version.cuda`, `torch.has_cuda`, `torch._C._cuda…`."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C016",
    name="cuda-build",
    kinds=("python",),
    triggers=("cuda", "cudnn"),
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="a build for Ascend says None or False, whatever the device can do",
    replacement="torch.accelerator.is_available(), or torch_npu.__version__",
    examples=(Example('import torch\n\nmajor = torch.version.cuda.split(".")[0]\n'),),
    keep=("import torch\n\nname = torch.version.git_version\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document, "torch.version.cuda", "torch.has_cuda", "torch.has_cudnn", "torch.backends.cuda.is_built"
    ):
        weight = python_guards.weighed(source, use.node, RULE.severity, RULE.why)
        yield RULE.found(document, *source.place(use.node), f"{use.name}", **weight)
