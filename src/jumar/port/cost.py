"""Person-days: of one finding, and of a whole repository done by hand, with `jumar port`, or run as it is.

All numbers stand in `effort.tsv`, or in a table of the user's own, whose rows go before these. A row is for a rule, or
for the rule's letter, or for all; `once` rows are for what a layer takes however few its findings are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jumar.port.finding import LAYERS, SEVERITIES, Finding

TABLE = Path(__file__).parent / "effort.tsv"
COLUMNS = ("rule", "severity", "low_days", "high_days", "source")
ANY = "*"
ONCE = "once"
UNCHANGED, PORT = "unchanged", "port"
WORDS = (*SEVERITIES, ANY, ONCE, "safe", "review")

Days = tuple[float, float]
"""Least and most person-days."""
Rows = Mapping[tuple[str, str], tuple[float, float, str]]


@dataclass(frozen=True)
class Estimate:
    """Ranges of person-days. `by_hand`: every finding by a person. `with_port`: automatic edits are only looked at.
    `unchanged`: only what `jumar run` does not take care of. `by_layer`: by hand. `assumed`: the share of the
    middle of `by_hand` whose rows have no source but an assumption."""

    by_hand: Days
    with_port: Days
    unchanged: Days
    by_layer: dict[str, Days]
    assumed: float


class EffortError(ValueError):
    """A row that cannot be read; the message names file, row and remedy."""


def read(path: Path) -> Rows:
    """A table's rows by rule and severity."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise EffortError(f"{path}:1: the first line must be the columns {', '.join(COLUMNS)}, tabs between")
    return dict(_row(path, number, line) for number, line in enumerate(lines[1:], 2) if line.strip())


def _row(path: Path, number: int, line: str) -> tuple[tuple[str, str], tuple[float, float, str]]:
    cells = line.split("\t")
    if len(cells) != len(COLUMNS):
        raise EffortError(f"{path}:{number}: {len(cells)} cells; give {len(COLUMNS)}: {', '.join(COLUMNS)}")
    rule, severity, low, high, source = cells
    if severity not in WORDS:
        raise EffortError(f"{path}:{number}: no severity {severity!r}; there are {', '.join(WORDS)}")
    try:
        least, most = float(low), float(high)
    except ValueError:
        raise EffortError(f"{path}:{number}: {low!r} and {high!r} must be numbers of days") from None
    if not 0 <= least <= most < float("inf"):
        raise EffortError(
            f"{path}:{number}: {low} to {high} is no range of days; give 0 or more, the least first"
        )
    return (rule, severity), (least, most, source)


@cache
def table(own: Path | None = None) -> Rows:
    """The rows that ship, with those of `own` before them."""
    rows = read(TABLE)
    return {**rows, **read(own)} if own else rows


def row(code: str, severity: str, own: Path | None = None) -> tuple[float, float, str]:
    """Least and most days, and the source: that of the rule, of its letter, of all."""
    rows = table(own)
    for rule in (code, code[0], ANY):
        for weight in (severity, ANY):
            if (rule, weight) in rows:
                return rows[rule, weight]
    raise EffortError(f"{TABLE.name}: no row for {code} {severity}; add one, or one for * {severity}")


@cache
def days(code: str, severity: str, own: Path | None = None) -> Days:
    """Least and most person-days of one finding."""
    return row(code, severity, own)[:2]


def estimate(findings: Iterable[Finding], own: Path | None = None) -> Estimate:
    """What the findings come to. Ranges are added end to end, which is wider than chance would have it."""
    found = list(findings)
    by_layer = {layer: _sum(_by_hand(found, layer, own)) for layer in LAYERS}
    by_hand = _sum(by_layer.values())
    once = _sum(_once(found, own))
    ported = [_with_port(one, own) for one in found]
    remains = [days(one.code, one.severity, own) for one in found if not one.runs_unchanged]
    start = [table(own)[UNCHANGED, ONCE][:2]] if found else []
    return Estimate(by_hand, _sum([once, *ported]), _sum([*start, *remains]), by_layer, _assumed(found, own))


def _by_hand(found: list[Finding], layer: str, own: Path | None) -> list[Days]:
    of_layer = [one for one in found if one.layer == layer]
    each = [days(one.code, one.severity, own) for one in of_layer]
    return [*_once(of_layer, own), *each]


def _once(found: list[Finding], own: Path | None) -> list[Days]:
    """Of the layers that hold more than words."""
    layers = {one.layer for one in found if one.severity != "cosmetic"}
    return [table(own)[layer, ONCE][:2] for layer in LAYERS if layer in layers]


def _with_port(one: Finding, own: Path | None) -> Days:
    by_hand = days(one.code, one.severity, own)
    if one.edit is None or (PORT, one.safety) not in table(own):
        return by_hand
    looked_at = table(own)[PORT, one.safety][:2]
    return min(by_hand[0], looked_at[0]), min(by_hand[1], looked_at[1])


def _assumed(found: list[Finding], own: Path | None) -> float:
    layers = {one.layer for one in found if one.severity != "cosmetic"}
    rows = [row(one.code, one.severity, own) for one in found] + [table(own)[layer, ONCE] for layer in layers]
    whole = sum(low + high for low, high, _ in rows)
    return (
        sum(low + high for low, high, source in rows if source.startswith("assumed")) / whole
        if whole
        else 0.0
    )


def _sum(ranges: Iterable[Days]) -> Days:
    listed = list(ranges)
    return sum(low for low, _ in listed), sum(high for _, high in listed)
