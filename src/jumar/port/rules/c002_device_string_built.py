"""A device's name put together: `f"cuda:{i}"`, `"cuda:%d" % i`, `"cuda:" + str(i)`."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C002",
    name="device-string-built",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=True,
    why="the name of NVIDIA's device is put together from a number; PyTorch on Ascend calls its own npu",
    replacement="torch.device(torch.accelerator.current_accelerator().type, index)",
    examples=(
        Example('device = f"cuda:{rank}"\n'),
        Example('device = "cuda:%d" % rank\n'),
        Example('device = "cuda:{}".format(rank)\n'),
        Example('device = "cuda:" + str(rank)\n'),
    ),
    keep=(
        'name = f"barracuda:{rank}"\n',
        'device = f"{kind}:{rank}"\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "built device"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"a device put together as {text.value!r}")
