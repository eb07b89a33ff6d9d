"""Paths of a repository's own modules, and names of NVIDIA's models: they say who made something, and tie to nothing."""

from __future__ import annotations

import re
from bisect import bisect_right

from jumar.port.document import Document

MODELS = re.compile(
    r"nvidia(?:'s)?[ /\-](?:[\w.]+-)?(?:parakeet|nemotron|canary|cosmos|minitron|gr00t|sortformer|titanet|fastconformer"
    r"|chatqa|nv-embed|hymba|bigvgan|segformer|sana|llama-|mistral-nemo)",
    re.IGNORECASE,
)
ON_HUB = re.compile(
    r"(?:model|ckpt|checkpoint|dataset|tokenizer|hugging_?face|\bhf)[\w.\-]{0,30}"
    r"(?:[ \t]{0,4}[:=][ \t]{0,4}|[ \t]{1,4}|\.co/(?:collections/)?)[\"']?"
    r"(?P<name>nvidia/(?![\w\-]*cuda)[\w.\-]+)",
    re.IGNORECASE,
)
"""The name of a model or of data on a hub, where it is said to be one."""


def is_own(document: Document, place: int) -> bool:
    """Whether a place lies in the path of one of the repository's own modules, or in the name of such a model."""
    starts, ends = document.once(_places)
    number = bisect_right(starts, place) - 1
    return number >= 0 and place < ends[number]


def _places(document: Document) -> tuple[list[int], list[int]]:
    own = "|".join(sorted(re.escape(name) for name in document.own if "/" in name))
    found = [match.span() for match in MODELS.finditer(document.text)]
    found += [match.span("name") for match in ON_HUB.finditer(document.text)]
    if own:
        modules = re.compile(rf"(?<![\w\-])(?:{own})(?![\w\-])", re.IGNORECASE)
        found += [match.span() for match in modules.finditer(document.text)]
    found.sort()
    return [start for start, _ in found], [end for _, end in found]
