"""A scan for a terminal: a summary that fits one screen, and the findings as lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from jumar import __version__
from jumar.port import cost, rules
from jumar.port.finding import LAYERS, SEVERITIES, Finding
from jumar.port.rule import Rule
from jumar.port.scanning import Scan

MOST_RULES = 9
MOST_TROUBLES = 2
WIDTH = 100


def line(one: Finding) -> str:
    """`path:line:column: code severity what → replacement`."""
    return f"{one.path}:{one.line}:{one.column}: {one.code} {one.severity}: {one.what} → {one.replacement}"


def explained(rule: Rule) -> str:
    """A rule for people: what it is, why it ties, what stands there instead, examples."""
    facts = [
        f"{rule.code} {rule.name}: {rule.layer}, {rule.severity}, automatic fix: {rule.safety}",
        f"why      {rule.why}",
        f"instead  {rule.replacement}",
        f"reads    {', '.join(rule.kinds)}",
        "jumar run makes the change unnecessary" if rule.runs_unchanged else "jumar run does not help",
    ]
    for example in rule.examples:
        facts += ["", "finds", *(f"    {line}" for line in example.before.splitlines())]
        if example.after is not None:
            facts += ["becomes", *(f"    {line}" for line in example.after.splitlines())]
    for kept in rule.keep:
        shown = kept if isinstance(kept, str) else kept.before
        facts += ["", "leaves alone", *(f"    {line}" for line in shown.splitlines())]
    return "\n".join(facts)


def text(scan: Scan, name: str, seconds: float, estimate: cost.Estimate) -> str:
    """The summary. At most 24 lines, none longer than 100 characters."""
    parts = [[_head(scan, name, seconds)]]
    if scan.findings:
        parts += [_table(scan.findings, estimate), _rules(scan.findings), _cost(scan.findings, estimate)]
    if scan.troubles:
        parts.append(_troubles(scan))
    return "\n\n".join("\n".join(row[:WIDTH].rstrip() for row in part) for part in parts)


def _head(scan: Scan, name: str, seconds: float) -> str:
    files, lines = sum(scan.files.values()), sum(scan.lines.values())
    found = (
        f"{len(scan.findings):,} findings in {len({one.path for one in scan.findings}):,} of {files:,} files"
    )
    words = found if scan.findings else f"nothing in {files:,} files"
    return f"jumar scan {name}: {words}, {lines:,} lines, {seconds:.1f} s"


def _table(findings: Iterable[Finding], estimate: cost.Estimate) -> list[str]:
    counted = Counter((one.layer, one.severity) for one in findings)
    rows = [f"{'':<14}" + "".join(f"{severity:>10}" for severity in SEVERITIES) + "   person-days by hand"]
    for layer in LAYERS:
        cells = "".join(f"{counted[layer, severity] or '–':>10}" for severity in SEVERITIES)
        rows.append(f"  {layer:<12}{cells}   {between(estimate.by_layer[layer])}")
    return rows


def _rules(findings: Iterable[Finding]) -> list[str]:
    """The rules with most findings that are more than words, and where each begins."""
    heavy = [one for one in findings if one.severity != "cosmetic"]
    names = {one.rule.code: one.rule.name for one in rules.all_rules()}
    first: dict[str, Finding] = {}
    for one in heavy:
        first.setdefault(one.code, one)
    counted = Counter(one.code for one in heavy).most_common()
    rows = [
        f"  {code} {names[code]:<28.28}{count:>6}   {first[code].path}:{first[code].line}"
        for code, count in counted[:MOST_RULES]
    ]
    if len(counted) > MOST_RULES:
        rest = sum(count for _, count in counted[MOST_RULES:])
        rows.append(f"  and {len(counted) - MOST_RULES} rules more{'':<19}{rest:>6}   jumar scan --lines")
    return rows


def _cost(findings: Iterable[Finding], estimate: cost.Estimate) -> list[str]:
    listed = list(findings)
    fixed = sum(one.edit is not None for one in listed)
    unchanged = sum(one.runs_unchanged for one in listed)
    return [
        f"  by hand         {between(estimate.by_hand)} person-days, {estimate.assumed:.0%} of it from assumed rates",
        f"  jumar port      {between(estimate.with_port)}; it edits {fixed:,} of {len(listed):,} places by itself",
        f"  jumar run       {between(estimate.unchanged)}; {unchanged:,} places need no change under the CUDA face",
    ]


def _troubles(scan: Scan) -> list[str]:
    rows = [f"  not read: {one.path}:{one.line}: {one.reason}" for one in scan.troubles[:MOST_TROUBLES]]
    if len(scan.troubles) > MOST_TROUBLES:
        rows[-1:] = [f"  not read: {len(scan.troubles) - 1} files more, see --json"]
    return rows


def between(days: tuple[float, float]) -> str:
    """A range of person-days."""
    return " to ".join(f"{one:,.0f}" if one >= 10 else f"{one:.1f}" for one in days)


def facts(scan: Scan, name: str, estimate: cost.Estimate) -> dict[str, Any]:
    """The scan as one plain dict, as --json prints it."""
    return {
        "version": 1,
        "jumar": __version__,
        "repository": name,
        "files": scan.files,
        "lines": scan.lines,
        "person_days": asdict(estimate),
        "findings": [asdict(one) for one in scan.findings],
        "not_read": [asdict(one) for one in scan.troubles],
        "warnings": [asdict(one) for one in scan.warnings],
    }
