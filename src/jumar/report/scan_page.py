"""Draws a scan: one HTML page that says first what it costs, then where: by layer, by rule, by file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import Any

SEVERITIES = ("blocks", "silent", "degrades", "cosmetic")
WEIGHTS = {"blocks": 1000, "silent": 300, "degrades": 100, "cosmetic": 1}
COSTS = (
    ("by_hand", "hand", "Rewriting by hand", "every place by a person"),
    ("with_port", "port", "With jumar port", "its edits looked at, the rest by hand"),
    ("unchanged", "unchanged", "Running unchanged", "jumar run; only what it cannot take"),
)
RULES_SHOWN = 12


def write(facts: dict[str, Any], place: Path) -> None:
    """The page of what `scan_facts.collect` returns."""
    place.write_text(render(facts), encoding="utf-8")


def render(facts: dict[str, Any]) -> str:
    template = Template(Path(__file__).with_name("scan_page.html").read_text(encoding="utf-8"))
    rules = _rules(facts)
    return template.substitute(
        title=escape(facts["repository"]),
        subtitle=escape(_subtitle(facts)),
        verdict=_verdict(facts),
        costs=_costs(facts["estimate"]) if facts["findings"] else "",
        layers="".join(_layer(facts, layer) for layer in facts["layers"]),
        rules="".join(rules) or '<tr><td colspan="7">nothing</td></tr>',
        more_rules=_more_rules(len(rules)),
        chips="".join(_chip(severity) for severity in SEVERITIES),
        troubles=_troubles(facts["troubles"]),
        assumed=f"{facts['estimate']['assumed']:.0%}",
        # Inside a script element only the end of one could do harm.
        data=json.dumps(_data(facts), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
    )


def days(span: Iterable[float]) -> str:
    """A range of person-days as people say it."""
    low, high = (_number(value) for value in span)
    return low if low == high else f"{low}–{high}"


def _number(value: float) -> str:
    if value == 0 or value >= 10:
        return f"{value:,.0f}"
    if value >= 1:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.1g}" if value >= 0.001 else "0"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _subtitle(facts: dict[str, Any]) -> str:
    revision = f"commit {facts['revision'][:12]}, " if facts["revision"] else ""
    read = f"{_count(facts['files'], 'file')} read with {_count(facts['lines'], 'line')}"
    return f"{revision}{facts['when']}; {read}; jumar {facts['jumar']}"


def _verdict(facts: dict[str, Any]) -> str:
    found = facts["findings"]
    if not found:
        return "<b>Nothing found</b> that ties it to CUDA. What is named only at run time cannot be seen in text."
    heavy = Counter(one["severity"] for one in found)
    files = len({one["path"] for one in found if one["severity"] == "blocks"})
    rest = [f"{_count(heavy[name], 'place')} {words}" for name, words in _OTHERS if heavy[name]]
    if heavy["blocks"]:
        first = f"<b>{_count(heavy['blocks'], 'place')}</b> in {_count(files, 'file')} keep it from running on Ascend"
    else:
        first = "<b>Nothing found</b> that keeps it from running on Ascend"
    also = f"; {', '.join(rest)}" if rest else ""
    remains = sum(one["severity"] == "blocks" and not one["runs_unchanged"] for one in found)
    if not heavy["blocks"]:
        return f"{first}{also}."
    under = f"{_count(remains, 'place')} of those remain" if remains else "none of those remains"
    return f"{first}{also}. Run unchanged under <code>jumar run</code>, <b>{under}</b>."


_OTHERS = (
    ("silent", "would change its meaning"),
    ("degrades", "would make it slower or do less"),
    ("cosmetic", "only name CUDA to people"),
)


def _costs(estimate: dict[str, Any]) -> str:
    most = max(estimate[key][1] for key, *_ in COSTS) or 1.0
    rows = []
    for key, kind, name, note in COSTS:
        low, high = (value / most * 100 for value in estimate[key])
        rows.append(
            f'<div class="cost"><div class="name">{escape(name)}<span class="soft small">{escape(note)}</span></div>'
            f'<div class="track {kind}"><i class="least" style="width:{low:.2f}%"></i>'
            f'<i style="left:{low:.2f}%;width:{high - low:.2f}%"></i></div>'
            f'<div class="days">{days(estimate[key])} <span class="soft small">days</span></div></div>'
        )
    note = (
        f"Person-days, least to most. {estimate['assumed']:.0%} of them rest on assumptions, the rest on how long "
        "authors of public ports took; no audited figure is public. Take the proportion, not the number."
    )
    return f'<section class="costs" aria-label="cost">{"".join(rows)}<p class="note soft small">{escape(note)}</p></section>'


def _stack(heavy: Counter[str]) -> str:
    parts = [
        f'<i class="{name}" style="flex:{heavy[name]}" title="{heavy[name]} {name}"></i>'
        for name in SEVERITIES
        if heavy[name]
    ]
    return f'<span class="stack">{"".join(parts)}</span>'


def _layer(facts: dict[str, Any], layer: str) -> str:
    found = [one for one in facts["findings"] if one["layer"] == layer]
    heavy = Counter(one["severity"] for one in found)
    legend = "".join(
        f'<span class="{name}"><i></i>{heavy[name]:,} {name}</span>' for name in SEVERITIES if heavy[name]
    )
    files = len({one["path"] for one in found})
    span = days(facts["estimate"]["by_layer"][layer])
    return (
        f'<button class="layer" data-layer="{escape(layer)}" aria-pressed="false">'
        f'<span class="top"><span>{escape(layer.capitalize())}</span>'
        f'<span>{span} <span class="soft small">days</span></span></span>'
        f"{_stack(heavy)}"
        f'<span class="legend">{legend or "nothing found"}</span>'
        f'<span class="soft small">{_count(len(found), "place")} in {_count(files, "file")}</span></button>'
    )


def _rules(facts: dict[str, Any]) -> list[str]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in facts["findings"]:
        groups.setdefault(one["code"], []).append(one)
    order = sorted(groups.items(), key=lambda pair: (-_weight(pair[1]), pair[0]))
    return [_rule(facts, code, found, number) for number, (code, found) in enumerate(order)]


def _weight(found: list[dict[str, Any]]) -> int:
    return sum(WEIGHTS[one["severity"]] for one in found)


def _rule(facts: dict[str, Any], code: str, found: list[dict[str, Any]], number: int) -> str:
    span = [sum(one["effort_days"][end] for one in found) for end in (0, 1)]
    unchanged = sum(one["runs_unchanged"] for one in found)
    run = {0: "remains", len(found): "runs"}.get(unchanged, f"{unchanged:,} run")
    return (
        f'<tr data-rule="{code}" tabindex="0"{" hidden" if number >= RULES_SHOWN else ""}><td class="code">{code}</td>'
        f'<td class="wide">{escape(_name(facts, code))}</td>'
        f'<td style="min-width:5rem">{_stack(Counter(one["severity"] for one in found))}</td>'
        f'<td class="n">{len(found):,}</td><td class="n">{len({one["path"] for one in found}):,}</td>'
        f'<td class="n">{days(span)}</td><td>{run}</td></tr>'
    )


def _name(facts: dict[str, Any], code: str) -> str:
    name: str = facts["rules"].get(code, code)
    return name.replace("-", " ")


def _more_rules(count: int) -> str:
    if count <= RULES_SHOWN:
        return ""
    return f'<div class="more"><button class="plain" id="all-rules">{count - RULES_SHOWN} more rules</button></div>'


def _chip(severity: str) -> str:
    return f'<button class="chip {severity}" data-severity="{severity}" aria-pressed="true"><i></i>{severity}</button>'


def _troubles(troubles: list[dict[str, Any]]) -> str:
    if not troubles:
        return ""
    rows = "".join(
        f'<tr><td class="code">{escape(one["path"])}</td><td class="n">{one["line"] or ""}</td>'
        f"<td>{escape(one['reason'])}</td></tr>"
        for one in troubles
    )
    return (
        f"<h2>Not read in whole</h2><details><summary>{_count(len(troubles), 'file')} not read, or only as words</summary>"
        f'<div class="scroll"><table>{rows}</table></div></details>'
    )


def _data(facts: dict[str, Any]) -> dict[str, Any]:
    """The list of places, each text once."""
    texts: dict[str, int] = {}
    codes = sorted({one["code"] for one in facts["findings"]})
    places: dict[str, list[list[Any]]] = {}
    weights: Counter[str] = Counter()
    for one in facts["findings"]:
        weights[one["path"]] += WEIGHTS[one["severity"]]
        places.setdefault(one["path"], []).append(
            [
                codes.index(one["code"]),
                one["line"],
                one["shown"]["start"],
                one["shown"]["length"],
                SEVERITIES.index(one["severity"]),
                facts["layers"].index(one["layer"]),
                one["safety"],
                int(one["automatic"]),
                int(one["runs_unchanged"]),
                *(texts.setdefault(one[key], len(texts)) for key in ("what", "why", "replacement")),
                one["shown"]["text"],
                f"{days(one['effort_days'])} days",
            ]
        )
    return {
        "layers": facts["layers"],
        "rules": [{"code": code, "name": _name(facts, code)} for code in codes],
        "texts": list(texts),
        "files": sorted(places.items(), key=lambda pair: (-weights[pair[0]], pair[0])),
    }
