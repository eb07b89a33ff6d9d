"""The summary as lines for a terminal, and the ways to write sizes and counts that the page uses too."""

from __future__ import annotations

from collections import Counter
from typing import Any

from jumar.report import amounts, heat_section

MOST_NAMES = 6
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def text(facts: dict[str, Any], account: dict[str, Any] | None = None) -> str:
    """The lines of the summary, without a final newline."""
    return "\n".join(["jumar: summary", *(f"  {name:<17} {value}" for name, value in rows(facts, account))])


def predicted(account: dict[str, Any]) -> list[str]:
    """The lines that say how long a step would take, and how hot it gets."""
    return [f"{name:<19} {value}" for name, value in [*_predicted(account), *_heat(account)]]


def rows(facts: dict[str, Any], account: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """What is worth a line, in order: (name, value). With the account of a priced run also what a step would take."""
    found = [("program", ending(facts)), ("chip", chip(facts)), *_predicted(account), *_heat(account)]
    found += _incidents(account)
    if facts["steps"]:
        pace = f", {facts['step_s']:.3g} s each on this host" if facts["step_s"] else ""
        found.append(("steps", f"{facts['steps']:,} of {' and '.join(facts['optimizers'])}{pace}"))
    if facts["losses"]:
        found.append(("loss", f"{facts['losses'][0][1]:.4g} → {facts['losses'][-1][1]:.4g}"))
    virtual = "memory_bytes" in facts["chip"]
    if not virtual:
        return found + _cuda_row(facts) + [("note", note) for note in facts["notes"]]
    found.append(("operators", operators(facts)))
    found += _cuda_row(facts)
    found.append(("unsupported calls", names(facts["unsupported"]) or "none"))
    if facts["fallbacks"]:
        found.append(("left to the CPU", names(facts["fallbacks"])))
    used = [f"npu:{number} {size(peak)} of {size(total)}" for number, peak, total in facts["memory"] if peak]
    found.append(("peak memory", ", ".join(used) or "no device memory used"))
    return found + [("note", note) for note in facts["notes"]]


def _predicted(account: dict[str, Any] | None) -> list[tuple[str, str]]:
    """The time of a step on the run's chip, and on others that it is set beside."""
    if not account or not account["step"]["seconds"]:
        return []
    unit = "step" if account["step"]["count"] else "run"
    here, *others = account["beside"]
    named = [(f"predicted {unit}", f"{_pace(here)}; limited by {account['step']['limit_name']}")]
    return named + [(f"  {one['chip']}"[:17], _pace(one) + _unfitting(one)) for one in others]


def _heat(account: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What heat makes of an hour of the step."""
    heat = account.get("heat") if account and account["step"]["seconds"] else None
    return [("heat", heat_section.line(heat))] if heat else []


def _incidents(account: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What befell the chips; the page says when, and what it cost."""
    rows = account["heat"]["incidents"] if account and account.get("heat") else []
    befell = Counter(f"{one['kind'] or one['event']} on npu:{one['chip']}" for one in rows)
    return [("incidents", names([[name, count] for name, count in befell.items()]))] if befell else []


def _pace(one: dict[str, Any]) -> str:
    """Time with its range, and what that is a second."""
    if one["missing"]:
        return f"cannot be priced: {one['missing']}"
    items = one["items"]
    more = f", {amounts.count(one['items_per_second'])} {items['word']}/s" if items else ""
    return f"{amounts.seconds(one['step_s'])} ({amounts.between(one['low_s'], one['high_s'])}){more}"


def _unfitting(one: dict[str, Any]) -> str:
    held = one.get("memory")
    if not held or held["fits"]:
        return ""
    return f"; does not fit: {size(held['peak_b'])} of {size(held['capacity_b'])}"


def ending(facts: dict[str, Any]) -> str:
    how = f"ended by {facts['signal']}" if facts["signal"] else f"exit code {facts['exit_code']}"
    return f"{how} after {facts['wall_s']:.1f} s"


def chip(facts: dict[str, Any]) -> str:
    work = {"full": "full arithmetic", "dry": "dry: large tensors not computed"}[facts["mode"]]
    one = facts["chip"]
    if "memory_bytes" not in one:
        return str(one["source"])
    return f"{facts['devices']} × {one['name']} with {size(one['memory_bytes'])}, {work}"


def operators(facts: dict[str, Any]) -> str:
    skipped = f", {facts['operators_skipped']:,} skipped" if facts["mode"] == "dry" else ""
    return f"{facts['operators_run']:,} run{skipped}, {len(facts['operators'])} kinds"


def _cuda_row(facts: dict[str, Any]) -> list[tuple[str, str]]:
    return [("CUDA face", cuda(facts["cuda"]))] if facts["cuda"] else []


def cuda(face: dict[str, Any]) -> str:
    """Which GPU the program saw, and what became of its CUDA calls; what had no effect or failed is named."""
    said = [f"as {face['persona']}"]
    for kind in ("redirected", "adapted", "on the CPU"):
        if total := sum(count for of, _, count, _ in face["rows"] if of == kind):
            said.append(f"{total:,} {kind}")
    for kind in ("ignored", "refused"):
        if rows := [[name, count] for of, name, count, _ in face["rows"] if of == kind]:
            said.append(f"{kind}: {names(rows)}")
    return "; ".join(said)


def names(lines: list[list[Any]]) -> str:
    """The first few names, each with its count."""
    shown = ", ".join(f"{name} ({count:,})" for name, count in lines[:MOST_NAMES])
    more = len(lines) - MOST_NAMES
    return shown + (f" and {more} more" if more > 0 else "")


def size(count: float) -> str:
    """Bytes with a binary unit: 8.74 GiB."""
    power = 0
    while count >= 1024 and power < len(UNITS) - 1:
        count, power = count / 1024, power + 1
    return f"{count:.4g} {UNITS[power]}"
