"""A command-line flag that has CUDA in its name."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C065",
    name="flag",
    kinds=("python",),
    triggers=("cuda", "nccl", "nvidia"),
    layer="software",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="what people type says CUDA, whatever the device is",
    replacement="a flag --device, or the old flag with an alias",
    examples=(Example('parser.add_argument("--no-cuda", action="store_true")\n'),),
    keep=('parser.add_argument("--device")\n',),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "flag"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"the flag {text.value}", replacement=_instead(text.value))


def _instead(flag: str) -> str | None:
    return OF_VERSION if "version" in flag else None


OF_VERSION = "a flag for CANN's version beside it, where builds for Ascend are chosen too"
