"""Every rule, found by looking into this folder: a file is a rule if it has `RULE` and `check`.

Files are named after their code, as `c001_device_string.py`; what several rules share stands one folder up.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass
from functools import cache

from jumar.port.document import Document
from jumar.port.rule import Check, Rule

CODE = re.compile(r"([ckbdw]\d{3})_")


@dataclass(frozen=True)
class Loaded:
    """A rule together with the function that looks for it."""

    rule: Rule
    check: Check


@cache
def all_rules() -> tuple[Loaded, ...]:
    """In the order of their codes. ValueError if a file and its rule do not agree."""
    found: list[Loaded] = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda one: one.name):
        match = CODE.match(module.name)
        if not match:
            raise ValueError(
                f"rules/{module.name}: a rule's file begins with its code, as c001_device_string.py"
            )
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        if loaded.RULE.code.lower() != match[1]:
            raise ValueError(f"rules/{module.name}: its rule says {loaded.RULE.code}; name the file after it")
        found.append(Loaded(loaded.RULE, loaded.check))
    codes = [one.rule.code for one in found]
    if len(set(codes)) < len(codes):
        twice = sorted({code for code in codes if codes.count(code) > 1})
        raise ValueError(f"rules: {', '.join(twice)} stands there twice; give one another number")
    return tuple(found)


@cache
def of_kind(kind: str) -> tuple[Loaded, ...]:
    return tuple(one for one in all_rules() if kind in one.rule.kinds)


def possible(document: Document) -> list[Loaded]:
    """The rules that may find something in the document, before anything is parsed."""
    text = document.lowered
    there: set[str] = set()
    for word, part in _triggers(document.kind):
        if (part is None or part in there) and word in text:
            there.add(word)
    return [
        one
        for one in (of_kind(document.kind) if there else ())
        if not there.isdisjoint(one.rule.triggers) and one.rule.shows_in(document)
    ]


@cache
def _triggers(kind: str) -> tuple[tuple[str, str | None], ...]:
    """Every trigger, short ones first, each with one that is part of it: where that is not, it is not either."""
    words = sorted(
        {word for one in of_kind(kind) for word in one.rule.triggers}, key=lambda word: (len(word), word)
    )
    return tuple(
        (word, next((part for part in words[:at] if part in word), None)) for at, word in enumerate(words)
    )
