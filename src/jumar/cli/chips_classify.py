"""`jumar chips classify`: what the export rules of a day say about a chip, with the arithmetic and the sources."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator
from datetime import date
from typing import Any

from jumar import chips
from jumar.cli.refusal import Refusal

WIDTH = 110
NEAR = 0.1  # a change by which the next product of a maker may differ
FIGURES = {
    "tpp": "TPP",
    "area": "area of logic",
    "pd": "performance density",
    "io": "links, both directions",
    "dram": "memory rate",
}


def arguments(actions: Any, name: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        "classify", help="what the United States' export rules of a day say about a chip; not legal advice"
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help=name)
    parser.add_argument("--as-of", metavar="DATE", help="the day, as in 2025-05-01 (default: today)")
    parser.add_argument(
        "--not-for-data-centres",
        action="store_true",
        help="the chip is neither designed nor marketed for data centres",
    )
    return parser


def act(chosen: argparse.Namespace) -> None:
    from jumar.fleet import export_rules

    day = _day(chosen.as_of)
    found = [
        export_rules.classify(chips.find(name), day, datacentre=not chosen.not_for_data_centres)
        for name in chosen.names
    ]
    if chosen.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    rules = {rule["key"]: rule for one in found for rule in one["rules"]}
    if len(found) > 1:
        print("\n".join(_overview(found)), end="\n\n")
    for one in found:
        print("\n".join(_card(one, list(rules))), end="\n\n")
    print("\n".join(line for number, rule in enumerate(rules.values(), 1) for line in _source(number, rule)))
    print(f"\n{export_rules.NOT_ADVICE}")


def _day(text: str | None) -> date:
    if text is None:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(f"--as-of {text}: write year, month and day, as in 2025-05-01") from None


def _overview(found: list[dict[str, Any]]) -> Iterator[str]:
    """A line a chip: its figures and the verdict of each rule."""
    keys = [rule["key"] for rule in found[0]["rules"] if rule["verdict"]]
    rows = [("", "TPP", "density", *keys)]
    for one in found:
        verdicts = (_verdict(one, key) for key in keys)
        rows.append((one["chip"], _short(one, "tpp", ",.0f"), _short(one, "pd", ".2f"), *verdicts))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _short(one: dict[str, Any], measure: str, written: str) -> str:
    value = one["measures"][measure]["value"]
    return "unknown" if value is None else format(value, written)


def _verdict(one: dict[str, Any], key: str) -> str:
    """With how far the nearest other verdict is, where that is near."""
    rule = next(rule for rule in one["rules"] if rule["key"] == key)
    near = rule["nearest"]
    if not near or abs(near["change"]) > NEAR:
        return str(rule["verdict"])
    sign = "+" if near["change"] > 0 else "−"
    change = f"{FIGURES[near['figure']]} {sign}{abs(near['change']):.1%}".replace("%", " %")
    return f"{rule['verdict']} ({change}: {near['to']})"


def _card(found: dict[str, Any], numbered: list[str]) -> Iterator[str]:
    """Verdict first, then the arithmetic, then rule by rule."""
    yield f"{found['chip']}: {found['title']}, under the export rules of {found['as_of']}"
    yield from _wrapped(found["summary"])
    yield ""
    for key, name in FIGURES.items():
        measure = found["measures"][key]
        origin = ", ".join(dict.fromkeys(one["confidence"] for one in measure["inputs"]))
        yield f"  {name:<24}{measure['text']}" + (f"  ({origin})" if origin else "")
    for rule in found["rules"]:
        if rule["verdict"] or rule["named"]:
            yield ""
            yield from _rule(rule, numbered.index(rule["key"]) + 1)
    others = [
        numbered.index(one["key"]) + 1 for one in found["rules"] if not one["verdict"] and not one["named"]
    ]
    if others or found["notes"]:
        yield ""
    if others:
        yield f"  also in force, about other things than this chip: {''.join(f'[{one}]' for one in others)}"
    for note in found["notes"]:
        yield from _wrapped(f"note: {note}")


def _rule(rule: dict[str, Any], number: int) -> Iterator[str]:
    said = f": {rule['verdict']}" if rule["verdict"] else ""
    yield f"  {rule['key']} [{number}] {rule['title']}{said}"
    if rule["verdict"]:
        yield from _wrapped(rule["means"], 4)
        if rule["nearest"]:
            yield from _wrapped(f"nearest line: {rule['nearest']['text']}", 4)
        for quantity in rule["limits"]:
            yield from _wrapped(_limits(quantity), 4)
    for named in rule["named"]:
        yield from _wrapped(named, 4)


def _limits(quantity: dict[str, Any]) -> str:
    value = quantity["value"]
    if value is None:
        areas = [
            f"{one['limit']:,g} with up to {one['up_to_area']:,.0f} mm²"
            for one in quantity["limits"]
            if "up_to_area" in one
        ]
        return f"{quantity['name']}: unknown" + (f"; it would reach {', '.join(areas)}" if areas else "")
    said = ", ".join(f"{one['limit']:,g} {_distance(one['distance'])}" for one in quantity["limits"])
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return f"{quantity['name']} {shown}{quantity['unit']}; limits: {said}"


def _distance(share: float) -> str:
    """Whether a limit is reached, and how much the chip's number would have to change to come to it."""
    if share == 0:
        return "just reached"
    if share > 9:
        return "far from reached"
    return f"{'not reached (+' if share > 0 else 'passed (−'}{abs(share):.1%})".replace("%", " %")


def _source(number: int, rule: dict[str, Any]) -> list[str]:
    """What a rule is, for whom, from when, and who says so."""
    until = f" to {rule['ends']}" if rule["ends"] else ""
    parts = [
        f"{rule['title']}, {rule['citation']}, from {rule['begins']}{until}",
        f"scope: {rule['scope']}",
        rule["aside"],
        rule["note"],
        f"{rule['confidence']}: {rule['source']}",
    ]
    return _wrapped(f"[{number}] " + "; ".join(part for part in parts if part), 0)


def _wrapped(text: str, indent: int = 2) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
