"""A device's name put together: `f"cuda:{i}"`, `"cuda:%d" % i`, `"cuda:" + str(i)`."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C002",
    name="device-string-built",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="safe",
    runs_unchanged=True,
    why="the name of NVIDIA's device is put together from a number; PyTorch on Ascend calls its own npu",
    replacement="torch.device(torch.accelerator.current_accelerator().type, index)",
    examples=(
        Example(
            'device = f"cuda:{rank}"\n',
            "import torch\n\n" + agnostic.LINE + '\n\ndevice = f"{device_type}:{rank}"\n',
        ),
        Example(
            'device = "cuda:%d" % rank\n',
            "import torch\n\n" + agnostic.LINE + '\n\ndevice = f"{device_type}:%d" % rank\n',
        ),
        Example(
            'device = "cuda:{}".format(rank)\n',
            "import torch\n\n" + agnostic.LINE + '\n\ndevice = (device_type + ":{}").format(rank)\n',
        ),
        Example(
            'device = "cuda:" + str(rank)\n',
            "import torch\n\n" + agnostic.LINE + '\n\ndevice = f"{device_type}:" + str(rank)\n',
        ),
    ),
    keep=(
        "build = 'cuda' + minor.split('.')[0]\n",
        'name = f"barracuda:{rank}"\n',
        'device = f"{kind}:{rank}"\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "built device"):
        fix = agnostic.given(agnostic.device_name(source, text.node))
        weight = python_guards.of_value(source, text.node, RULE.severity, RULE.why, fix)
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"a device put together as {text.value!r}", **weight)
