"""`jumar chips`: the chips that a server can have, with where each number comes from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from jumar import chips
from jumar.cli.refusal import Refusal

HEADINGS = ("chip", "also called", "memory", "cube", "vector", "L2", "clock", "sources")


def execute(chosen: argparse.Namespace) -> int:
    try:
        listed = [chips.find(chosen.name)] if chosen.name else list(chips.all_chips())
    except chips.UnknownChip as error:
        raise Refusal(str(error)) from error
    if chosen.json:
        print(json.dumps([_plain(chip) for chip in listed], indent=2, ensure_ascii=False))
    elif chosen.name:
        print("\n".join(_card(listed[0])))
    else:
        documents = list(dict.fromkeys(source for chip in listed for source in _sources(chip)))
        print("\n".join(_table([HEADINGS, *(_row(chip, documents) for chip in listed)])))
        print("\n" + "\n".join(_footnotes(documents)))
        print("\n`jumar chips NAME` shows every number of a chip with its source.")
    return 0


def _sources(chip: chips.Chip) -> list[str]:
    return list(dict.fromkeys(quantity.source for quantity in chip.quantities.values()))


def _footnotes(documents: list[str]) -> list[str]:
    return [f"{_mark(number)} {document}" for number, document in enumerate(documents)]


def _mark(number: int) -> str:
    return f"[{number + 1}]"


def _row(chip: chips.Chip, documents: list[str]) -> tuple[str, ...]:
    clock = chip.quantities.get("clock.cube")
    confidences = dict.fromkeys(quantity.confidence for quantity in chip.quantities.values())
    marks = "".join(_mark(documents.index(source)) for source in _sources(chip))
    return (
        chip.name,
        ", ".join(chip.aliases),
        f"{chip.number('memory.size', 'B') / 2**30:.1f} GiB",
        str(chip.number("core.cube", "core")),
        str(chip.number("core.vector", "core")),
        f"{chip.number('cache.l2', 'B') / 2**20:.0f} MiB",
        f"{clock.value} {clock.unit}" if clock else "",
        f"{', '.join(confidences)} {marks}",
    )


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    table = list(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _card(chip: chips.Chip) -> list[str]:
    sources = _sources(chip)
    rows = [("", "value", "unit", "confidence", "source", "")] + [
        (key, str(q.value), q.unit, q.confidence, _mark(sources.index(q.source)), q.note)
        for key, q in chip.quantities.items()
    ]
    head = [f"{chip.name}: {chip.title}; {chip.device}", f"also called {', '.join(chip.aliases)}", ""]
    return [*head, *_table(rows), "", *_footnotes(sources)]


def _plain(chip: chips.Chip) -> dict[str, Any]:
    numbers = {key: asdict(quantity) for key, quantity in chip.quantities.items()}
    texts = {name: getattr(chip, name) for name in ("name", "title", "vendor", "generation", "device")}
    return {**texts, "aliases": list(chip.aliases), "quantities": numbers}
