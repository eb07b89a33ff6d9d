"""`jumar chips`: what each chip is, with where each number comes from; comparing them, and beginning one's own."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jumar import chips
from jumar.chips import comparison, draft
from jumar.cli import chips_classify
from jumar.cli.refusal import Refusal
from jumar.report import chips_page

HEADINGS = (
    "chip",
    "also called",
    "memory",
    "bandwidth",
    "16-bit peak",
    "power",
    "runs",
    "no source",
    "mostly from",
)
WITHOUT_SOURCE = ("recalled", "assumption")


ACTIONS = ("list", "show", "compare", "new", "classify")


def arguments(parser: argparse.ArgumentParser) -> None:
    name = "a chip's name, or its file (mine.toml)"
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all chips that ship (also without an action)")
    show = actions.add_parser(
        "show", help="every number of a chip, with its source (also `jumar chips NAME`)"
    )
    show.add_argument("names", nargs="+", metavar="NAME", help=name)
    compare = actions.add_parser("compare", help="chips side by side, as a table and as a page with drawings")
    compare.add_argument("names", nargs="+", metavar="NAME", help=f"{name}; ratios are to the first")
    compare.add_argument("--out", metavar="FILE.html", help="write the page with rooflines and bars")
    new = actions.add_parser("new", help="begin the file of a chip of one's own")
    new.add_argument("name", metavar="NAME", help="how the new chip is called")
    new.add_argument(
        "--from", dest="base", required=True, metavar="CHIP", help="whose numbers it begins with"
    )
    new.add_argument("--out", metavar="FILE.toml", help="where it is written (default: NAME.toml)")
    classify = chips_classify.arguments(actions, name)
    for action in (listing, show, compare, new, classify):
        action.add_argument("--json", action="store_true", help="print JSON")


def spelled_out(words: Sequence[str]) -> list[str]:
    """`jumar chips NAME` is short for `jumar chips show NAME`, `jumar chips` for `jumar chips list`."""
    if {"-h", "--help"} & set(words[:1]):
        return list(words)
    first = next((word for word in words if not word.startswith("-")), None)
    if first in ACTIONS:
        return list(words)
    return ["show" if first else "list", *words]


def execute(chosen: argparse.Namespace) -> int:
    act: dict[str, Callable[[argparse.Namespace], None]] = {
        "list": _list,
        "show": _show,
        "compare": _compare,
        "new": _new,
        "classify": chips_classify.act,
    }
    try:
        act[chosen.action](chosen)
    except (chips.UnknownChip, chips.BadProfile) as error:
        raise Refusal(str(error)) from error
    return 0


def _list(chosen: argparse.Namespace) -> None:
    listed = chips.all_chips()
    if chosen.json:
        _print_json([comparison.plain(chip) for chip in listed])
        return
    documents = list(dict.fromkeys(_main_document(chip) for chip in listed))
    rows = [(chip.vendor, _row(chip, documents)) for chip in listed]
    rows.sort(key=lambda row: [chip.vendor for chip in listed].index(row[0]))
    lines = _table([HEADINGS, *(row for _, row in rows)])
    print(lines[0])
    body = zip((vendor for vendor, _ in rows), lines[1:], strict=True)
    for vendor, group in groupby(body, key=lambda pair: pair[0]):
        print(f"\n{vendor}")
        print("\n".join(line for _, line in group))
    print("\n" + "\n".join(f"[{number}] {document}" for number, document in enumerate(documents, 1)))
    print("\n`runs`: torch_npu knows it, so `jumar run --chip` takes it; the others can be priced.")
    print("`no source`: numbers that are recalled or assumed, of all that the file has.")
    print(
        "`jumar chips show NAME` prints every number with its source; `jumar chips compare A B` sets chips beside"
    )
    print("each other; `jumar chips new NAME --from A` begins a chip of one's own.")


def _main_document(chip: chips.Chip) -> str:
    """The document that most of the chip's numbers come from; of a repository, without the file."""
    vouched = [one.source for one in chip.quantities.values() if one.confidence not in WITHOUT_SOURCE]
    most = Counter(vouched).most_common(1)
    document = most[0][0] if most else "no document"
    return document.split(" ")[0] if document.startswith("github:") else document


def _row(chip: chips.Chip, documents: list[str]) -> tuple[str, ...]:
    quantities = chip.quantities
    peak = quantities.get("peak.matrix.bf16") or quantities["peak.matrix.fp16"]
    unsure = sum(one.confidence in WITHOUT_SOURCE for one in quantities.values())
    return (
        chip.name,
        ", ".join(chip.aliases),
        f"{chip.number('memory.size', 'B') / 2**30:.1f} GiB",
        quantities["memory.bandwidth"].text(),
        peak.text(),
        quantities["power.limit"].text(),
        "yes" if chip.soc else "",
        f"{unsure} of {len(quantities)}",
        f"[{documents.index(_main_document(chip)) + 1}]",
    )


def _show(chosen: argparse.Namespace) -> None:
    found = [chips.find(name) for name in chosen.names]
    if chosen.json:
        _print_json([comparison.plain(chip) for chip in found])
    else:
        print("\n\n".join("\n".join(_card(chip)) for chip in found))


def _card(chip: chips.Chip) -> list[str]:
    sources = list(dict.fromkeys(quantity.source for quantity in chip.quantities.values()))
    rows = [("", "value", "confidence", "source", "")] + [
        (
            key,
            q.text() + (f" ({q.date})" if q.date else ""),
            q.confidence,
            f"[{sources.index(q.source) + 1}]",
            q.note,
        )
        for key, q in chip.quantities.items()
    ]
    head = [f"{chip.name}: {chip.title}; {chip.device}"]
    if chip.aliases:
        head.append(f"also called {', '.join(chip.aliases)}")
    head.append(
        f"torch_npu knows it as {chip.soc}" if chip.soc else "torch_npu does not know it: priced, not run"
    )
    if chip.packaged_in:
        head.append(f"the whole package: {chip.packaged_in}")
    head += [f"link.{end}: {kind}" for end, kind in chip.links.items()]
    notes = [f"[{number}] {document}" for number, document in enumerate(sources, 1)]
    return [*head, "", *_table(rows), "", *notes]


def _compare(chosen: argparse.Namespace) -> None:
    if len(chosen.names) < 2:
        raise Refusal("compare needs two chips or more, as in `jumar chips compare 910b2 h100`")
    facts = comparison.compare([chips.find(name) for name in chosen.names])
    if chosen.out:
        _write(Path(chosen.out), chips_page.render(facts))
    if chosen.json:
        _print_json(facts)
    else:
        print("\n".join(_beside(facts)))
    if chosen.out and not chosen.json:
        print(f"\ndrawn in {chosen.out}")


def _beside(facts: dict[str, Any]) -> list[str]:
    """The table of a comparison: value, ratio to the first, and a mark where nothing vouches for the number."""
    rows = [("", *(chip["name"] for chip in facts["chips"]))]
    for row in facts["rows"]:
        rows.append((row["key"], *(_beside_cell(cell, at == 0) for at, cell in enumerate(row["cells"]))))
    legend = "× is the ratio to the first chip; ? marks a number that is recalled or assumed."
    return [*_table(rows), "", legend]


def _beside_cell(cell: dict[str, Any] | None, first: bool) -> str:
    if cell is None:
        return "–"
    mark = "?" if cell["confidence"] in WITHOUT_SOURCE else ""
    ratio = "" if first or cell["ratio"] is None else f"  ×{cell['ratio']:.3g}"
    return f"{cell['text']}{mark}{ratio}"


def _new(chosen: argparse.Namespace) -> None:
    base = chips.find(chosen.base)
    path = Path(chosen.out or f"{chosen.name}.toml")
    taken = {name.lower() for chip in chips.all_chips() for name in chip.names()}
    if chosen.name.lower() in taken:
        raise Refusal(f"{chosen.name} is the name of a chip that ships; choose another")
    if path.suffix != ".toml":
        raise Refusal(f"{path}: name it .toml, so that it is taken for a chip's file")
    try:
        made = draft.write(chosen.name, base, path)
    except FileExistsError as error:
        raise Refusal(f"{path}: is there already; delete it, or choose another with --out") from error
    except OSError as error:
        raise Refusal(f"{path}: cannot be written: {error.strerror}; choose another with --out") from error
    if chosen.json:
        _print_json({"file": str(path), **comparison.plain(made)})
    else:
        print(
            f"{path}: {len(made.quantities)} numbers taken from {base.name}. Change them, then use the file"
        )
        print(f"in place of a chip's name: jumar chips compare {base.name} {path}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{path}: cannot be written: {error.strerror}; choose another with --out") from error


def _print_json(facts: Any) -> None:
    print(json.dumps(facts, indent=2, ensure_ascii=False))


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    table = list(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
