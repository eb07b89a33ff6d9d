"""The decision in sentences: what to order and move first, then why."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, Any]
SOON = 3  # months that count as now


def decision(found: Facts) -> list[str]:
    """The first sentence is what to do now; the others say what follows and why."""
    return [
        _now(found),
        *_later(found),
        *_moves(found),
        *_against(found),
        *_missed(found),
        *_worth(found),
        *_sure(found),
    ]


def _now(found: Facts) -> str:
    first = found["months"][:SOON]
    now = _ordered(found, lambda month: month in first, spans=False)
    until = f"from {first[0]} to {first[-1]}"
    return f"Order {_list(now)} {until}." if now else f"Order nothing {until}."


def _later(found: Facts) -> list[str]:
    first = found["months"][:SOON]
    later = _ordered(found, lambda month: month not in first)
    never = [title for name, title in found["chips"].items() if _could(found, name) and not _any(found, name)]
    said = [f"Then order {_list(later)}."] if later else []
    return said + ([f"Never order {_list(never)}."] if never else [])


def _could(found: Facts, chip: str) -> bool:
    return chip in found.get("buyable", ())


def _any(found: Facts, chip: str) -> bool:
    return any(one["chip"] == chip for one in found["orders"])


def _ordered(found: Facts, when: Any, spans: bool = True) -> list[str]:
    """Each chip with how many and in which months."""
    months: dict[str, list[str]] = defaultdict(list)
    chips: dict[str, float] = defaultdict(float)
    for one in found["orders"]:
        if when(one["month"]):
            months[one["chip"]].append(one["month"])
            chips[one["chip"]] += one["chips"]
    each = {name: f"{chips[name]:,.0f} {found['chips'][name]}" for name in chips}
    return [f"{words} ({_span(months[name])})" if spans else words for name, words in each.items()]


def _span(months: list[str]) -> str:
    return months[0] if len(months) == 1 else f"{min(months)} to {max(months)}"


def _moves(found: Facts) -> list[str]:
    moved: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in found["moves"]:
        title = found["workloads"][one["workload"]]["title"]
        moved[one["month"], one["platform"]].append(f"“{title}”")
    return [
        f"Begin in {month} to move {_list(titles)} to {platform}."
        for (month, platform), titles in moved.items()
    ]


def _against(found: Facts) -> list[str]:
    plan, *others = found["compared"]
    if not others:
        return []
    nearest = min(others, key=lambda one: float(one["weighed"]))
    less = nearest["weighed"] - plan["weighed"]
    if less <= 0:
        return [f"On futures that it has not seen, “{nearest['title']}” does as well or better."]
    return [
        f"On futures that it has not seen it costs {money(plan['cost'])} on average; the best of the simpler plans tried, "
        f"“{nearest['title']}”, costs {money(nearest['cost'])}. With bad cases counted more it is ahead by {money(less)}."
    ]


def _missed(found: Facts) -> list[str]:
    plan = found["compared"][0]
    planned = found["planned"]
    bad = 100 * (1 - planned["level"])
    return [
        f"Work missed or late costs {money(plan['missed'])} of that on average, and {money(plan['missed_worst'])} in the "
        f"worst {bad:.0f} % of futures."
    ]


def _worth(found: Facts) -> list[str]:
    by_name = {one["name"]: one["value"] for one in found["values"]}
    said = []
    if by_name.get("hedging", 0) > 0:
        said.append(f"Hedging against late and missing chips is worth {money(by_name['hedging'])}.")
    for name, value in by_name.items():
        if name.startswith("not waiting"):
            months = name.removeprefix("not waiting ")
            said.append(
                f"Ordering nothing for {months} would cost {money(value)} more."
                if value > 0
                else f"Ordering nothing for {months} would save {money(-value)}."
            )
    return said


def _sure(found: Facts) -> list[str]:
    planned = found["planned"]
    rows = [one for one in found.get("tornado", ()) if one["other_decision"]]
    said = [
        f"No plan is better by more than {rounded_up(planned['gap'])} on the samples that it was made with."
    ]
    if rows:
        names = "; ".join(one["name"] for one in rows[:3])
        said.append(f"Other values of these would ask for other orders: {names}.")
    return said


def rounded_up(gap: float) -> str:
    """0.4 %; rounded up, since it is a bound."""
    return f"{math.ceil(1000 * gap) / 10:.1f} %"


def money(value: float) -> str:
    """3.12 billion USD."""
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if abs(value) >= size:
            return f"{value / size:,.3g} {word} USD"
    return f"{value:,.0f} USD"


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
