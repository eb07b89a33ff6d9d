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
        return f"{quantity['name']}: unknown"
    said = ", ".join(f"{one['limit']:,g} ({_distance(one['distance'])})" for one in quantity["limits"])
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return f"{quantity['name']} {shown}{quantity['unit']}; limits: {said}"


def _distance(share: float) -> str:
    if share == 0:
        return "exactly there"
    if share > 9:
        return "far above"
    return f"{abs(share):.1%} {'above' if share > 0 else 'below'}".replace("%", " %")


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
