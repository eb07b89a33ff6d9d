"""The top of the page: what a stranger wants to know in one minute, as one sentence, tiles and a bar of the time."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

from jumar.report import amounts, heat_section, lines, markup
from jumar.report.beside import MANY

LIMITS = {
    "chip": "the chip: it is busy most of the time",
    "host": "the host: the chip waits for work most of the time",
    "communication": "communication: the chip waits for other chips most of the time",
    "copies": "the link to the host: the chip waits for data most of the time",
    "none": "nothing: no work was seen",
}
# Part of a step, or unit of the chip's part -> colour and what it is called.
PARTS = {
    "matrix": ("matrix", "matrix unit"),
    "vector": ("vector", "vector unit"),
    "memory": ("attention", "memory bandwidth"),
    "launch": ("indexing", "cost of every operator"),
    "communication": ("communication", "only communication"),
    "copies": ("copy", "only copies"),
    "host": ("host", "chip waits for the host"),
    "bubble": ("copy", "waits for other pipeline stages"),
}


def section(facts: dict[str, Any], account: dict[str, Any] | None) -> markup.Section:
    body = priced(facts, account) if account else ""
    return markup.Section("summary", "Summary", body + markup.facts(lines.rows(facts, account)))


def priced(facts: dict[str, Any], account: dict[str, Any]) -> str:
    times = {**account["step"]["parts"], **account["step"]["units"]}
    notes = markup.points([*account["beside"][0]["notes"], trust(account["rests"])])
    return (
        f'<p class="headline">{escape(sentence(account))}</p>'
        f'<div class="tiles">{"".join(tiles(facts, account))}</div>'
        + markup.stack(
            [(name, colour, times.get(key, 0.0)) for key, (colour, name) in PARTS.items()],
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
    if step["limit"] == "chip":
        said += f", mostly with its {step['limit_name']}"
    return f"{said}. {_fitting(account)} {heat_section.warning(account.get('heat'))}".rstrip()


def trust(rests: dict[str, Any]) -> str:
    """In one line how sure the numbers are on which the time rests."""
    said = []
    for name, key, what in (
        ("the chip's numbers", "numbers", "confidence"),
        ("efficiencies", "efficiencies", "confidence"),
        ("counts of work", "work", "name"),
    ):
        sums: Counter[str] = Counter()
        for row in rests[key]:
            sums[row[what]] += row["seconds"]
        whole = sum(sums.values()) or 1.0
        shares = ", ".join(f"{one} {amounts.share(spent / whole)}" for one, spent in sums.most_common())
        said.append(f"{name} {shares or 'none'}")
    return f"what the time rests on: {'; '.join(said)}"


def _fitting(account: dict[str, Any]) -> str:
    fullest = account["peak"]
    if not fullest:
        return "It took no device memory."
    verdict = "fits" if fullest["fits"] else "does not fit"
    if fullest["close"]:
        verdict += " barely, by less than what such a count is sure of"
    return f"Its memory {verdict}: {lines.size(fullest['peak_b'])} of {lines.size(fullest['capacity_b'])} at the peak."


def tiles(facts: dict[str, Any], account: dict[str, Any]) -> list[str]:
    step, peak, here = account["step"], account["peak"], account["beside"][0]
    items, cost = here["items"], here["cost"]
    found = [
        _tile(
            "time of a step" if step["count"] else "time of the run",
            amounts.seconds(step["seconds"]),
            f"range {amounts.between(step['low'], step['high'])}; {_which(step)}",
        )
    ]
    if items:
        mfu = f"; {amounts.share(here['mfu'])} of the chips' peak" if here["mfu"] else ""
        found.append(
            _tile(
                f"{items['word']} a second",
                amounts.count(here["items_per_second"]),
                f"{items['per_step']:,.0f} {items['word']} a step ({items['source']}){mfu}",
            )
        )
    if peak:
        word = ("fits" if peak["fits"] else "does not fit") + (", barely" if peak["close"] else "")
        found.append(
            _tile(
                "memory at the peak",
                lines.size(peak["peak_b"]),
                f"of {lines.size(peak['capacity_b'])}: {word}",
                "close" if peak["close"] else "good" if peak["fits"] else "bad",
            )
        )
    found.append(_tile("energy of a step", amounts.energy(here["energy_j"]), here["energy_note"]))
    if cost["value"] is not None:
        many = {**cost, "value": MANY * cost["value"]}
        found.append(_tile(f"cost of {MANY:,} steps", amounts.money(many), cost["note"]))
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
    if step["count"] == 1:
        return "the only step that counts"
    return f"step {step['number']}, the typical one of {step['count']}"


def _tile(name: str, value: str, note: str, kind: str = "") -> str:
    return f'<div class="tile {kind}"><span>{escape(name)}</span><b>{escape(value)}</b><span>{escape(note)}</span></div>'
