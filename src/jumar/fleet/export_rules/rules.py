"""The versions of the export rules as the program holds them, read from `rules.toml` and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from jumar.chips.profile import CONFIDENCES

FILE = Path(__file__).with_name("rules.toml")
# What a verdict comes to for who wants to buy, the mildest first.
EFFECTS = {
    "free": "no licence is needed under this rule",
    "counted": "counts towards a cap",
    "surcharge": "costs more",
    "notice": "a notice, or a licence exception",
    "licence": "a licence is needed",
    "case by case": "a licence is needed; each application is looked at",
    "denial": "a licence is needed, and presumed to be denied",
}
QUANTITIES = {
    "tpp": ("TPP", ""),
    "pd": ("performance density", "/mm²"),
    "io": ("links, both directions", " GB/s"),
    "dram": ("memory rate", " GB/s"),
    "sum": ("memory rate and links together", " GB/s"),
    "datacentre": ("for data centres", ""),
}
CONDITION = re.compile(r"(\w+) (>=|<|>) ([0-9.]+)")


class BadRule(ValueError):
    """A row of rules.toml that cannot be understood."""


@dataclass(frozen=True)
class Condition:
    """`quantity sign limit`, as in tpp >= 4800."""

    quantity: str
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        if self.sign == ">=":
            return value >= self.limit
        return value < self.limit if self.sign == "<" else value > self.limit


@dataclass(frozen=True)
class Outcome:
    """A verdict and the cases that lead to it: any case, all of its conditions."""

    verdict: str
    effect: str
    means: str
    cases: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True)
class Rule:
    """One version of the rules. With `aside` it is not about chips by their numbers, and says what it is about."""

    key: str
    title: str
    citation: str
    published: date
    begins: date
    ends: date | None
    scope: str
    source: str
    confidence: str
    note: str
    otherwise: str
    outcomes: tuple[Outcome, ...]
    needs: str  # key of the rule whose verdict must be one of needed_verdicts, or ""
    needed_verdicts: tuple[str, ...]
    named: Mapping[str, str]  # pattern of a chip's name -> what holds for that chip
    aside: str

    def in_force(self, day: date) -> bool:
        return self.begins <= day and (self.ends is None or day < self.ends)

    def about(self, name: str) -> tuple[str, ...]:
        """What the document, or how it is applied, says of this chip by name."""
        return tuple(said for pattern, said in self.named.items() if fnmatchcase(name, pattern))


@cache
def rules() -> dict[str, Rule]:
    """Key -> rule, oldest first."""
    record = _record()
    listed = [_rule(one) for one in record["rule"]]
    found = {rule.key: rule for rule in listed}
    for rule in listed:
        if rule.needs and rule.needs not in found:
            raise BadRule(f"{FILE.name}: {rule.key}: needs {rule.needs}, which is not there")
    return dict(sorted(found.items(), key=lambda item: (item[1].begins, item[0])))


def read_until() -> date:
    """The day until which the sources follow the rules."""
    until: date = _record()["read_until"]
    return until


@cache
def _record() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def _rule(row: Mapping[str, Any]) -> Rule:
    key = row["key"]
    if row["confidence"] not in CONFIDENCES:
        raise BadRule(f"{FILE.name}: {key}: confidence: choose one of {', '.join(CONFIDENCES)}")
    if ("aside" in row) == ("outcome" in row):
        raise BadRule(f"{FILE.name}: {key}: has either outcomes with `otherwise`, or an `aside`")
    needs = row.get("needs", {})
    return Rule(
        key=key,
        title=row["title"],
        citation=row["citation"],
        published=row["published"],
        begins=row["begins"],
        ends=row.get("ends"),
        scope=row["scope"],
        source=row["source"],
        confidence=row["confidence"],
        note=row.get("note", ""),
        otherwise=row["otherwise"] if "outcome" in row else "",
        outcomes=tuple(_outcome(key, one) for one in row.get("outcome", ())),
        needs=needs.get("rule", ""),
        needed_verdicts=tuple(needs.get("verdicts", ())),
        named=row.get("named", {}),
        aside=row.get("aside", ""),
    )


def _outcome(key: str, row: Mapping[str, Any]) -> Outcome:
    if row["effect"] not in EFFECTS:
        raise BadRule(f"{FILE.name}: {key}: effect {row['effect']}: choose one of {', '.join(EFFECTS)}")
    cases = tuple(tuple(_condition(key, text) for text in case) for case in row["cases"])
    return Outcome(row["verdict"], row["effect"], row["means"], cases)


def _condition(key: str, text: str) -> Condition:
    found = CONDITION.fullmatch(text)
    if not found or found[1] not in QUANTITIES:
        raise BadRule(f"{FILE.name}: {key}: {text!r}: write quantity, sign, limit, as in `tpp >= 4800`")
    return Condition(found[1], found[2], float(found[3]))
