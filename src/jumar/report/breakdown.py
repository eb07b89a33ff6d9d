"""Where the time of a step goes: by operator, by module, by source line, by stream, and host against device."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from jumar.report import amounts, markup
from jumar.report.markup import Cell, Section, keyed, number, part

NAMES = {
    "matrix": "matrix products",
    "attention": "attention",
    "vector": "element by element",
    "normalization": "normalization",
    "indexing": "indexing",
    "copy": "copies",
    "optimizer": "optimizer",
    "communication": "communication",
    "unknown": "unknown",
}
PHASES = ("no phase", "forward", "backward", "optimizer")
DEEPEST_OPEN = 1
LEAST_SHARE = 0.0005


def operators(account: dict[str, Any]) -> Section:
    rows = account["operators"]
    total = sum(row["seconds"] for row in rows) or 1.0
    by_class: dict[str, float] = {}
    for row in rows:
        by_class[row["class"]] = by_class.get(row["class"], 0.0) + row["seconds"]
    body = markup.stack(
        [(NAMES[key], key, by_class.get(key, 0.0)) for key in NAMES], "time by sort of operator"
    )
    body += (
        '<div class="tools"><input type="search" data-filters="operators-table" '
        'aria-label="filter operators" placeholder="filter operators"></div>'
    )
    body += markup.table(
        ("operator", "share", "time", "times", "each", "limited by", "work", "most costly shapes"),
        [
            (
                keyed(row["name"], row["class"]),
                part(row["seconds"] / total),
                number(amounts.seconds(row["seconds"]), row["seconds"]),
                row["count"],
                number(amounts.seconds(row["seconds"] / row["count"]), row["seconds"] / row["count"]),
                row["limit"],
                row["source"],
                Cell(_details(row)),
            )
            for row in rows
        ],
        "operators-table",
        sortable=True,
    )
    return Section("operators", "Time by operator", body, "operators")


def _details(row: dict[str, Any]) -> str:
    """What runs instead on this chip, and the shapes that cost most."""
    shapes = [f"{one['text']} ({one['count']}×)" for one in row["shapes"][:2] if one["text"]]
    return "; ".join([f"as {row['becomes']}"] * bool(row["becomes"]) + shapes)


def modules(account: dict[str, Any]) -> Section:
    root = account["modules"]
    body = (
        markup.small(
            "Each bar is a module, below it the modules that it contains; as wide as the time on the chip of what it "
            "submitted, forward and backward. Click one to make it the whole."
        )
        + '<div id="flame"></div>'
        + '<p class="said small" id="flame-said" aria-live="polite">Point at a bar to read what it is.</p>'
        + '<div class="leaf small"><span>module</span><span class="less">share</span><span class="right">time</span>'
        + '<span class="right less">operators</span><span class="right less">backward</span></div>'
        + f'<ul class="tree root">{_branch(root, root["seconds"] or 1.0, 0)}</ul>'
    )
    return Section("modules", "Time by module", body, "modules")


def _branch(node: dict[str, Any], total: float, depth: int) -> str:
    line = (
        f'<span class="name">{escape(node["name"])}</span><span class="less">{part(node["seconds"] / total).shown}</span>'
        f'<span class="right">{amounts.seconds(node["seconds"])}</span><span class="right less">{node["count"]:,}</span>'
        f'<span class="right less">{amounts.share(node["phases"][2] / (node["seconds"] or 1.0))}</span>'
    )
    children = [child for child in node["children"] if child["seconds"] >= LEAST_SHARE * total]
    if not children:
        return f'<li><div class="leaf">{line}</div></li>'
    opened = " open" if depth < DEEPEST_OPEN else ""
    inner = "".join(_branch(child, total, depth + 1) for child in children)
    return f'<li><details{opened}><summary>{line}</summary><ul class="tree">{inner}</ul></details></li>'


def flame(account: dict[str, Any]) -> list[list[Any]]:
    """The tree as rows for the script: name, parent, seconds, what is said of it."""
    root = account["modules"]
    return [list(row) for row in _flattened(root, -1, "", root["seconds"] or 1.0, [0])]


def _flattened(
    node: dict[str, Any], parent: int, path: str, total: float, counter: list[int]
) -> Iterator[tuple[str, int, float, str]]:
    mine = counter[0]
    counter[0] += 1
    full = f"{path}.{node['name']}" if path else node["name"]
    phases = ", ".join(
        f"{name} {amounts.seconds(value)}"
        for name, value in zip(PHASES, node["phases"], strict=True)
        if value
    )
    said = f"{full}: {amounts.seconds(node['seconds'])}, {amounts.share(node['seconds'] / total)} ({phases})"
    yield node["name"], parent, node["seconds"], said
    for child in node["children"]:
        if child["seconds"] >= LEAST_SHARE * total:
            yield from _flattened(child, mine, "" if parent < 0 else full, total, counter)


def source_lines(account: dict[str, Any]) -> Section:
    rows = account["lines"]
    total = sum(row["seconds"] for row in rows) or 1.0
    body = markup.table(
        ("line", "share", "time", "operators"),
        [
            (
                row["text"],
                part(row["seconds"] / total),
                number(amounts.seconds(row["seconds"]), row["seconds"]),
                row["count"],
            )
            for row in rows
        ],
        "lines-table",
        sortable=True,
    )
    return Section("lines", "Time by source line", body, "lines")


def streams(account: dict[str, Any]) -> Section:
    body = markup.table(
        ("stream", "busy", "time", "operators"),
        [
            (
                row["name"],
                part(row["share"]),
                number(amounts.seconds(row["busy_s"]), row["busy_s"]),
                row["count"],
            )
            for row in account["streams"]
        ],
        "streams-table",
    )
    return Section("streams", "Time by stream", body, "streams")


def host(account: dict[str, Any]) -> Section:
    one, step = account["host"], account["step"]
    whole = step["seconds"] or 1.0
    body = markup.facts(
        [
            (
                "issuing",
                f"{amounts.seconds(one['issuing_s'])} for {one['calls']:,} calls, {amounts.seconds(one['each_s'])} each",
            ),
            (
                "waiting for the chip",
                f"{amounts.seconds(one['waiting_s'])} in {one['waits']:,} synchronisations",
            ),
            (
                "chip without work",
                f"{amounts.seconds(step['parts'].get('host', 0.0))}, "
                f"{amounts.share(step['parts'].get('host', 0.0) / whole)} of the step",
            ),
        ]
    )
    return Section("host", "Host against device", body + markup.small(one["advice"]), "host")
