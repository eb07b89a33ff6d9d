"""A name of the program's own that says CUDA."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_identifiers, python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C063",
    name="identifier",
    kinds=("python",),
    triggers=(
        "cuda",
        "nccl",
        "nvidia",
        "cudnn",
        "cublas",
        "nvcc",
        "nvml",
        "nvlink",
        "tensorrt",
        "cu11",
        "cu12",
    ),
    layer="software",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="the name says CUDA, whatever the device is; behind it there often is something that only CUDA does",
    replacement="a name that says what is meant: device, accelerator",
    examples=(
        Example("use_cuda = True\n"),
        Example("def get_max_cuda_memory():\n    pass\n"),
        Example("if args.cuda:\n    pass\n"),
        Example("from .kernels import scan_cuda\n"),
        Example("train(no_cuda=True)\n"),
        Example('patch.object(install, "_has_nvidia_gpu", return_value=False)\n'),
    ),
    keep=(
        "use_device = True\n",
        "import torch\n\ntorch.cuda.init()\n",
        "x.cuda()\n",
        "x.is_cuda\n",
        "barracuda = 1\n",
        "import cupy.cuda\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for place, name in document.once(python_identifiers.read):
        yield RULE.found(document, *place, f"the name {name}")
    for text in python_strings.of_role(document, "name"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"the name {text.value}")
