"""Writes the figures of recall, precision, effort and speed into docs/porting.md, from the tables of this folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import mirrors
import parts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "porting.md"
BEGIN = "<!-- figures: written by benchmarks/ports/run.py; do not edit between the marks -->\n"
END = "<!-- end of figures -->\n"
TOOLS = {
    "jumar scan": "`jumar scan`",
    "grep": "`grep -i 'cuda\\|nccl'`",
    "semgrep": "semgrep, 12 patterns written for it",
    "hipify": "`torch.utils.hipify` (C++ only)",
}
LAYERS = ("software", "data centre", "workflow")
SEVERITIES = ("blocks", "silent", "degrades", "cosmetic")
SETS = ("given", "seen", "unseen")
NOT_OVER_ALL_RULES = (
    "third, random",
    "fourth, random",
    "fourth, spread",
    "fifth, random",
    "fifth, spread",
    "sixth, random",
    "sixth, spread",
    "seventh, random",
    "seventh, spread",
    "eighth, random",
    "eighth, spread",
)
LOOKS = {
    "first": "first look",
    "second": "second look",
    "third, random": "third look, any findings",
    "third, spread": "third look, over the rules",
    "fourth, random": "fourth look, any findings",
    "fourth, spread": "fourth look, other rules",
    "fifth, random": "fifth look, any findings",
    "fifth, spread": "fifth look, other rules",
    "sixth, random": "sixth look, any findings",
    "sixth, spread": "sixth look, other rules",
    "seventh, random": "seventh look, any findings",
    "seventh, spread": "seventh look, other rules",
    "eighth, random": "eighth look, any findings",
    "eighth, spread": "eighth look, other rules",
}
Row = dict[str, str]


def write() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    figures = "\n".join((*_recall(), *_precision(), *_effort(), *_speed()))
    PAGE.write_text(before + BEGIN + figures + "\n" + END + after, encoding="utf-8")


def _recall() -> Iterable[str]:
    rows = mirrors.rows("recall.tsv")
    yield "## Recall: lines that people changed when they ported\n"
    counts = ", ".join(
        f"{len({row['commit'] for row in rows if row['set'] == name})} {name}" for name in SETS
    )
    yield f"{len(rows)} lines that name CUDA or kin, of {counts} commits.\n"
    yield "| | " + " | ".join(SETS) + " |\n|---|" + "--:|" * len(SETS)
    asked = {tool: name for tool, name in TOOLS.items() if any(tool in row["found_by"] for row in rows)}
    for tool, name in asked.items():
        cells = [_found([row for row in rows if row["set"] == one], tool) for one in SETS]
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield "\nBy where the line stands, all three together:\n"
    yield "| | code | comment, docstring | infrastructure | prose |\n|---|--:|--:|--:|--:|"
    sorts = ("code", "comment, docstring", "infrastructure", "prose")
    for tool, name in asked.items():
        cells = [_found([row for row in rows if row["sort"] == one], tool) for one in sorts]
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""


def _found(rows: list[Row], tool: str) -> str:
    return parts.share(sum(tool in row["found_by"].split(", ") for row in rows), len(rows))


def _precision() -> Iterable[str]:
    rows = mirrors.rows("labels.tsv")
    parts.check(rows)
    looks = {name: [row for row in rows if row["look"] == name] for name in LOOKS}
    yield "## Precision: findings judged by hand\n"
    yield (
        f"{len(rows)} findings in {len({row['repo'] for row in rows})} repositories, in eight looks at repositories that "
        "the rules had not been tried on: first five of each rule; then, after the rules were mended, two of each in "
        "others; then again in others, once at random over all findings, as whoever reads them meets them, and once one "
        "or more of each rule; then five times, mended again each time, in others still, at random over all findings, and "
        "one or two of each rule that this had not met.\n"
    )
    yield (
        "### Right in every part\n\n| right | "
        + " | ".join(LOOKS.values())
        + " |\n|---|"
        + "--:|" * len(LOOKS)
    )
    yield "| all that were drawn | " + " | ".join(map(_right, looks.values())) + " |"
    yield "| 95 % interval of it | " + " | ".join(map(_interval, looks.values())) + " |"
    weighed = ("–" if name in NOT_OVER_ALL_RULES else _weighed(look) for name, look in looks.items())
    yield "| each rule by how often it finds something | " + " | ".join(weighed) + " |"
    for key, names in (("layer", LAYERS), ("severity", SEVERITIES)):
        for name in names:
            cells = (_right([row for row in look if row[key] == name]) for look in looks.values())
            yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""
    yield from parts.both_figures({LOOKS[name]: look for name, look in looks.items()}, LAYERS)
    yield from (
        "### The same findings after the rules were mended\n",
        _judged_again("first look", looks["first"]),
    )
    for which in ("third", "fourth", "fifth", "sixth", "seventh", "eighth"):
        drawn = [row for name, look in looks.items() if name.startswith(which) for row in look]
        if judged := [row for row in drawn if row["now"] != "-"]:
            yield "\n" + _judged_again(f"{which} look", judged)
    yield "\nThat is no longer blind and says nothing about other repositories.\n"


def _judged_again(name: str, rows: list[Row]) -> str:
    """What became of a look's findings in the repositories that it was made in, after the rules were mended."""
    wrong = sum(row["verdict"] == "wrong" for row in rows)
    still = sum(row["now"] == "wrong" for row in rows)
    kept = sum(row["now"] != "gone" for row in rows)
    left = sum(row["now"] == row["verdict"] == "wrong" for row in rows)
    return (
        f"Of the {name}'s {wrong} wrong findings {f'all but {left}' if left else 'all'} are mended; judged again, "
        f"{parts.share(kept - still, kept)} of those findings that are left are right."
    )


def _right(rows: list[Row]) -> str:
    return parts.share(sum(row["verdict"] == "right" for row in rows), len(rows))


def _interval(rows: list[Row]) -> str:
    return parts.interval(sum(row["verdict"] == "right" for row in rows), len(rows))


def _weighed(rows: list[Row]) -> str:
    counts = {row["code"]: int(row["findings"]) for row in mirrors.rows("rule_counts.tsv")}
    by_rule: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        by_rule[row["code"]].append(row["verdict"] == "right")
    total = sum(counts.get(code, 0) for code in by_rule)
    return f"{sum(counts.get(code, 0) * sum(said) / len(said) for code, said in by_rule.items()) / total:.1%}"


def _effort() -> Iterable[str]:
    rows = mirrors.rows("evidence.tsv")
    yield "## Effort: days on which authors were seen at work\n"
    yield "| | ports | author-days, sum | lines naming CUDA or kin | ports within the table's range |"
    yield "|---|--:|--:|--:|--:|"
    for name in SETS:
        some = [row for row in rows if row["set"] == name]
        within = sum(row["within"] == "yes" for row in some)
        days, lines = (sum(int(row[key]) for row in some) for key in ("author_days", "naming_kin"))
        yield f"| {name} | {len(some)} | {days} | {lines} | {parts.share(within, len(some))} |"
    yield ""


def _total(rows: list[dict[str, str]]) -> tuple[int, int, float]:
    """Lines of Python, all lines, and seconds by the clock."""
    python, every = (sum(int(row[key]) for row in rows) for key in ("python_lines", "lines"))
    return python, every, sum(float(row["seconds"]) for row in rows)


def _speed() -> Iterable[str]:
    if not (Path(__file__).parent / "speed.tsv").exists():
        return
    rows = mirrors.rows("speed.tsv")
    yield "## Large repositories, and speed\n"
    python, every, seconds = _total(rows)
    nearly_python = [row for row in rows if int(row["python_lines"]) > 0.9 * int(row["lines"])]
    python_alone, _, its_seconds = _total(nearly_python)
    cpu = sum(float(row["cpu_s"]) for row in rows)
    yield (
        f"{python:,} lines of Python and {every - python:,} of everything else take {seconds:.0f} s on two cores: "
        f"{every / seconds:,.0f} lines a second ({every / cpu:,.0f} a second of one core's time). In the "
        f"{len(nearly_python)} repositories that are nine tenths Python it is "
        f"{python_alone / its_seconds:,.0f} lines of Python "
        "a second. *load* is how many processes wanted the 2 cores when a scan began.\n"
    )
    heads = (
        "repository",
        "commit",
        "lines",
        "of Python",
        "findings",
        "not read",
        "rules failed",
        "CPU s",
        "s",
        "ruff s",
    )
    yield "| " + " | ".join((*heads, "grep s", "twice the same", "load")) + " |"
    yield "|---|---" + "|--:" * 9 + "|---|--:|"
    for row in rows:
        numbers = " | ".join(
            f"{int(row[key]):,}" for key in ("lines", "python_lines", "findings", "not_read", "failed")
        )
        same = "yes" if row["same_twice"] == "True" else "**no**"
        times = " | ".join(row[key] for key in ("cpu_s", "seconds", "ruff_s", "grep_s"))
        yield f"| {row['repo']} | {row['commit']} | {numbers} | {times} | {same} | {row['load']} |"
    yield ""
