"""The top of the page: what a stranger wants to know in one minute, as one sentence, tiles and a bar of the time."""

from __future__ import annotations

from html import escape
from typing import Any

from jumar.report import amounts, lines, markup

MANY = 1000
LIMITS = {
    "chip": "the chip: it is busy most of the time",
    "host": "the host: the chip waits for work most of the time",
    "communication": "communication: the chip waits for other chips most of the time",
    "memory": "the memory of the chip",
}
PARTS = {"chip": "matrix", "communication": "communication", "host": "host"}
PART_NAMES = {
    "chip": "chip computes",
    "communication": "only communication",
    "host": "chip waits for the host",
}
WHAT = {
    "matrix": "its matrix units",
    "vector": "its vector units",
    "memory": "the bandwidth of its memory",
    "launch": "the least time that every operator takes",
}


def section(facts: dict[str, Any], account: dict[str, Any] | None) -> markup.Section:
    body = priced(facts, account) if account else ""
    return markup.Section("summary", "Summary", body + markup.facts(lines.rows(facts, account)))


def priced(facts: dict[str, Any], account: dict[str, Any]) -> str:
    notes = "".join(markup.small(note) for note in account["notes"])
    return (
        f'<p class="headline">{escape(sentence(account))}</p>'
        f'<div class="tiles">{"".join(tiles(facts, account))}</div>'
        + markup.stack(
            [(PART_NAMES[name], PARTS[name], account["step"]["parts"].get(name, 0.0)) for name in PARTS],
            "where the time of a step goes",
        )
        + notes
    )


def sentence(account: dict[str, Any]) -> str:
    """Time, range, limit, memory, in words."""
    step, unit = account["step"], "step" if account["step"]["count"] else "run"
    said = (
        f"On {account['chip']['name']} one {unit} would take {amounts.seconds(step['seconds'])} "
        f"(range {amounts.between(step['low'], step['high'])}). It is limited by {LIMITS.get(step['limit'], step['limit'])}"
    )
    if step["limit"] == "chip" and account["bottleneck"]:
        said += f", mostly {WHAT[account['bottleneck']]}"
    return f"{said}. {_fitting(account)}"


def _fitting(account: dict[str, Any]) -> str:
    fullest = account["peak"]
    if not fullest:
        return "It took no device memory."
    verdict = "fits" if fullest["fits"] else "does not fit"
    return f"It {verdict} into memory: {lines.size(fullest['peak_b'])} of {lines.size(fullest['capacity_b'])} at the peak."


def tiles(facts: dict[str, Any], account: dict[str, Any]) -> list[str]:
    step, items, peak = account["step"], account["items"], account["peak"]
    found = [
        _tile(
            "time of a step" if step["count"] else "time of the run",
            amounts.seconds(step["seconds"]),
            f"range {amounts.between(step['low'], step['high'])}; {_which(step)}",
        )
    ]
    if items:
        mfu = f"; {amounts.share(account['mfu'])} of the chips' peak" if account["mfu"] else ""
        found.append(
            _tile(
                f"{items['word']} a second",
                amounts.count(items["per_second"]),
                f"{amounts.count(items['per_step'])} {items['word']} a step ({items['source']}){mfu}",
            )
        )
    if peak:
        word = "fits" if peak["fits"] else "does not fit"
        found.append(
            _tile(
                "memory at the peak",
                lines.size(peak["peak_b"]),
                f"of {lines.size(peak['capacity_b'])}: {word}",
                "good" if peak["fits"] else "bad",
            )
        )
    found.append(_tile("energy of a step", amounts.energy(account["energy_j"]), account["energy_note"]))
    if account["cost"]:
        many = {**account["cost"], "value": MANY * account["cost"]["value"]}
        found.append(_tile(f"cost of {MANY:,} steps", amounts.money(many), account["cost"]["note"]))
    ended = facts["exit_code"] == 0
    found.append(
        _tile(
            "the program",
            "ended well" if ended else "failed",
            lines.ending(facts),
            "good" if ended else "bad",
        )
    )
    return found


def _which(step: dict[str, Any]) -> str:
    if not step["count"]:
        return "no optimizer steps were seen"
    return f"step {step['number'] + 1} of {step['count']}, the typical one"


def _tile(name: str, value: str, note: str, kind: str = "") -> str:
    return f'<div class="tile {kind}"><span>{escape(name)}</span><b>{escape(value)}</b><span>{escape(note)}</span></div>'
