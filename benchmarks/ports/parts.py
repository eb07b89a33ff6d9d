"""Which part of a wrong finding is wrong, and the two figures that follow: a true tie, and right in every part."""

from __future__ import annotations

import math
from collections.abc import Iterable

Row = dict[str, str]
PARTS = ("place", "cause", "layer", "weight", "advice")
OF_A_TIE = frozenset(("place", "cause"))
"""A finding with neither of them wrong is a true tie to CUDA, whatever else it says."""
ASKED = ("third", "fourth", "fifth", "sixth", "seventh", "eighth")
"""The looks whose wrong findings name their part; of the first two it was not asked."""
POOLED = tuple(f"{look}, random" for look in ("fifth", "sixth", "seventh", "eighth"))
"""The looks drawn alike: 120 of any findings, at most 20 or 25 of one repository; also counted together."""


def wrong_in(row: Row) -> frozenset[str]:
    """The parts that are wrong: none of a right finding."""
    return frozenset(row["wrong_part"].split(",")) - {"-"}


def asked(row: Row) -> bool:
    return row["look"].split(",")[0] in ASKED


def check(rows: Iterable[Row]) -> None:
    """Each wrong finding of the looks that were asked names a part, and nothing else does."""
    for row in rows:
        parts = wrong_in(row)
        where = f"labels.tsv: {row['look']}, {row['repo']}, {row['path']}:{row['line']}, {row['code']}"
        if unknown := parts - set(PARTS):
            raise ValueError(
                f"{where}: wrong_part {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}"
            )
        if bool(parts) != (asked(row) and row["verdict"] == "wrong"):
            raise ValueError(
                f"{where}: {row['verdict']}, wrong_part {row['wrong_part']}; name the parts that are wrong of "
                "a wrong finding, and write - for a right one and in the first two looks"
            )


def is_tie(row: Row) -> bool:
    return not wrong_in(row) & OF_A_TIE


def is_right(row: Row) -> bool:
    return row["verdict"] == "right"


def share(part: int, whole: int) -> str:
    return f"{part / whole:.1%} ({part} of {whole})" if whole else "–"


def interval(part: int, whole: int) -> str:
    """Wilson's interval at 95 %, as if the findings did not depend on one another."""
    if not whole:
        return "–"
    z, of = 1.96, part / whole
    middle = of + z * z / (2 * whole)
    half = z * math.sqrt(of * (1 - of) / whole + z * z / (4 * whole * whole))
    low, high = ((middle + side) / (1 + z * z / whole) for side in (-half, half))
    return f"{low:.1%} – {high:.1%}"


def both_figures(looks: dict[str, list[Row]], layers: tuple[str, ...]) -> Iterable[str]:
    """Tables: the figures of each look, by its name, of the last one by layer, and how wrong ones divide."""
    judged = {name: rows for name, rows in looks.items() if rows and asked(rows[0])}
    yield from ("### True ties, and right in every part\n", *_heads("look"))
    for name, rows in judged.items():
        yield _both(name, rows)
    pooled = [row for rows in judged.values() for row in rows if row["look"] in POOLED]
    if pooled:
        yield _both("fifth to eighth look, any findings, pooled", pooled)
    last = [name for name, rows in judged.items() if rows[0]["look"].startswith(ASKED[-1])]
    yield from ("\nThe last look by layer:\n", *_heads("last look"))
    for name in last:
        for layer in layers:
            some = [row for row in judged[name] if row["layer"] == layer]
            yield _both(f"{name.partition(', ')[2]}, {layer}", some)
    yield from _divided(judged)


def _heads(first: str) -> tuple[str, str]:
    return (
        f"| {first} | a true tie, at the right place and for the right cause | 95 % interval "
        "| right in every part, weight and advice too | 95 % interval |",
        "|---|--:|--:|--:|--:|",
    )


def _both(name: str, rows: list[Row]) -> str:
    cells = []
    for count in (sum(map(is_tie, rows)), sum(map(is_right, rows))):
        cells += [share(count, len(rows)), interval(count, len(rows))]
    return f"| {name} | " + " | ".join(cells) + " |"


def _divided(judged: dict[str, list[Row]]) -> Iterable[str]:
    """How many wrong findings are wrong in each part; several parts of one finding count each."""
    wrong = {name: [row for row in rows if not is_right(row)] for name, rows in judged.items()}
    yield "\nWhat is wrong of the wrong ones; one finding can be wrong in several parts:\n"
    yield "| wrong in | " + " | ".join(wrong) + " |\n|---|" + "--:|" * len(wrong)
    for part in PARTS:
        yield f"| {part} | " + _cells(sum(part in wrong_in(row) for row in rows) for rows in wrong.values())
    yield "| place or cause: no true tie | " + _cells(
        sum(not is_tie(row) for row in rows) for rows in wrong.values()
    )
    yield "| only layer, weight or advice | " + _cells(sum(map(is_tie, rows)) for rows in wrong.values())
    yield "| wrong findings | " + _cells(map(len, wrong.values()))
    yield ""


def _cells(counts: Iterable[int]) -> str:
    return " | ".join(map(str, counts)) + " |"
