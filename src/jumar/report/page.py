"""Writes a run's facts as JSON and as one HTML page that needs nothing else."""

from __future__ import annotations

import json
import math
import shlex
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from jumar.report import beside, breakdown, drawings, headline, heat_section, lines, markup, roofline, trust
from jumar.report.markup import Section

ASSETS = Path(__file__).with_name("assets")
SCRIPTS = ("timeline.js", "page.js")
CUDA_MEANING = (
    "redirected: the Ascend counterpart did it; adapted: done in another way than on CUDA; on the CPU: the chip has no such "
    "thing; ignored: had no effect; refused: raised an error that says what to do."
)
PRICED = "Times are predictions for the chip unless it says that they are the host's."
UNPRICED = "Times are those of the host that simulated, not of the chip."


def write(facts: dict[str, Any], folder: Path, account: dict[str, Any] | None = None) -> Path:
    """Writes `summary.json` and `report.html` into the folder; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    predicted = (
        [{k: v for k, v in row.items() if k != "operators"} for row in account["beside"]] if account else []
    )
    (folder / "summary.json").write_text(
        json.dumps({**facts, "predicted": predicted}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    page = folder / "report.html"
    page.write_text(render(facts, account), encoding="utf-8")
    return page


def render(facts: dict[str, Any], account: dict[str, Any] | None = None) -> str:
    """The page; without an account of a priced run it says what happened, but not how long it would take."""
    sections = [headline.section(facts, account), *(_priced(account) if account else ()), *_counted(facts)]
    sections.append(_repeating(facts))
    return Template(_asset("page.html")).substitute(
        title=escape(f"{facts['chip']['name']}: {_said(facts)}"),
        command=escape(_said(facts)),
        when=escape(facts["when"]),
        version=escape(facts["jumar"]),
        source=escape(facts["chip"]["source"]),
        clock=PRICED if account else UNPRICED,
        style=_asset("page.css"),
        script="\n".join(map(_asset, SCRIPTS)),
        data=_data(account) if account else "",
        **markup.laid_out(sections),
    )


def _said(facts: dict[str, Any]) -> str:
    """The command as one would say it: the program's name without its folder."""
    first, *rest = facts["command"] or ["?"]
    return " ".join([Path(first).name, *rest])


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8").rstrip()


def _data(account: dict[str, Any]) -> str:
    return markup.data("timeline-data", account["picture"]) + markup.data(
        "flame-data", breakdown.flame(account)
    )


def _priced(account: dict[str, Any]) -> list[Section]:
    return [
        breakdown.operators(account),
        breakdown.modules(account),
        breakdown.source_lines(account),
        _timeline(account),
        *([heat_section.section(account["heat"])] if account.get("heat") else []),
        breakdown.streams(account),
        breakdown.host(account),
        _roofline(account),
        _memory(account),
        beside.section(account["beside"]),
        trust.section(account),
    ]


def _timeline(account: dict[str, Any]) -> Section:
    return Section(
        "time",
        "Timeline",
        _asset("timeline.html").replace("{shown}", escape(account["picture"]["shown"])),
        "timeline",
    )


def _roofline(account: dict[str, Any]) -> Section:
    said = (
        "Every kind of operator that computes, at its operations a byte and the rate it would reach; the larger, "
        "the more of the step it takes. Left of the knee the memory's bandwidth is the limit."
    )
    names = {dot["class"] for dot in account["dots"]}
    legend = "".join(
        f'<li><i class="key" style="background:var(--{key})"></i>{name}</li>'
        for key, name in breakdown.NAMES.items()
        if key in names
    )
    drawing = roofline.dotted(account["chip"], account["dots"])
    return Section(
        "roofline", "Roofline", f'{markup.small(said)}<ul class="legend">{legend}</ul>{drawing}', "roofline"
    )


def _memory(account: dict[str, Any]) -> Section:
    body = "".join(_memory_of(one, len(account["memory"]) > 1) for one in account["memory"])
    return Section("memory", "Memory", body or '<p class="none">none was taken</p>', "memory")


def _what_is_drawn(one: dict[str, Any]) -> str:
    whole = f"{lines.size(one['peak_b'])} of {lines.size(one['capacity_b'])} at most"
    if not one["tensors"]:
        return f"What the allocator of the program took from the chip, {whole}; a block belongs to whom it was taken for."
    inner = lines.size(one["tensors"]["peak_b"])
    return (
        f"Filled: what tensors hold, {inner} at most. Line: what their allocator took from the chip, {whole}."
    )


def _memory_of(one: dict[str, Any], several: bool) -> str:
    inner = one["tensors"] or one
    peak = inner["peak_b"] or 1
    tables = "".join(
        f"<div><h3>at the peak, by {what}</h3>"
        + markup.table(
            (what, "held", "size"),
            [
                (
                    row["name"],
                    markup.part(row["bytes"] / peak),
                    markup.number(lines.size(row["bytes"]), row["bytes"]),
                )
                for row in one[key]
            ],
        )
        + "</div>"
        for what, key in (("module", "modules"), ("line", "lines"))
    )
    heading = f"<h3>npu:{one['chip']}</h3>" if several else ""
    given = one["curve"] if one["tensors"] else ()
    drawing = drawings.memory(inner["curve"], given, one["capacity_b"], (inner["peak_s"], inner["peak_b"]))
    return f'{heading}{markup.small(_what_is_drawn(one))}{drawing}<div class="columns">{tables}</div>'


def _counted(facts: dict[str, Any]) -> list[Section]:
    """What was counted while the program ran; what is empty is left out."""
    losses = [(float(step), value) for step, value in facts["losses"] if math.isfinite(value)]
    found = [Section("losses", "Loss", drawings.curve(losses), "loss")] if losses else []
    if facts["cuda"]:
        rows = markup.table(
            ("what became of it", "CUDA name", "times", "first line"), facts["cuda"]["rows"], "cuda-table"
        )
        found.append(Section("cuda", "CUDA calls", rows + markup.small(CUDA_MEANING), "CUDA"))
    memory = [
        (f"npu:{number}", lines.size(peak), lines.size(total))
        for number, peak, total in facts["memory"]
        if peak
    ]
    counted = "".join(
        [
            "<h3>Peak device memory, as counted</h3>",
            markup.table(("chip", "peak", "of"), memory),
            "<h3>Calls without a body</h3>",
            markup.table(("call", "times"), facts["unsupported"]),
            "<h3>Operators left to the CPU by the adapter</h3>",
            markup.table(("operator", "times"), facts["fallbacks"]),
            "<h3>Operators</h3>",
            markup.table(("operator", "run", "skipped"), facts["operators"], "counted-table", sortable=True),
        ]
    )
    return [*found, Section("counted", "What was counted", counted, "counts")]


def _repeating(facts: dict[str, Any]) -> Section:
    body = (
        f'<pre id="again">{escape(again(facts))}</pre><button type="button" data-copies="again">copy</button>'
    )
    return Section("repeat", "The command that repeats this", body, "repeat")


def again(facts: dict[str, Any]) -> str:
    """The command line of the run: as it was kept, or what is known of it."""
    if facts.get("again"):
        return shlex.join(facts["again"])
    options = ["--chip", facts["chip"]["name"], "--devices", str(facts["devices"])]
    options += ["--dry"] if facts["mode"] == "dry" else []
    return shlex.join(["jumar", "run", *options, "--", *facts["command"]])
