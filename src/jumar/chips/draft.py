"""Writes the file of a chip of one's own: every value taken from another chip, and marked so."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from jumar.chips import schema, units
from jumar.chips.profile import CONFIDENCES, NAME, BadProfile, Chip, Quantity
from jumar.chips.reading import load

HEAD = """\
# {name}: begun from {base} ({title}).
#
# 1. Change title, vendor and device.
# 2. Change each value that differs. Its unit may have a prefix: TB/s, GHz, MiB, us.
# 3. Give each changed value its own source under [sources], and a confidence:
#    {confidences}.
#    derived and assumption need a note that says how the number was found.
# 4. Look at it: jumar chips show {file}; jumar chips compare {base} {file} --out compare.html
#
# Drop a line that does not apply; the loader says which ones every chip needs. A name from the table of numbers
# (quantities.tsv) may be added, as in peak.matrix.fp4."""
SOC = """\
# The name under which torch_npu sees the chip: with it `jumar run --chip {file}` works. Drop it for a chip that is
# only to be priced."""
# Said above a section of the file.
ADVICE = {
    "memory": "What fits, and how fast it moves: these two decide most of inference.",
    "core": "How many blocks share the work. A matrix product is spread over {matrix}.",
    "clock": "Held under the power limit, and the highest.",
    "peak.matrix": "Dense peaks; take out the types that the chip does not have.",
    "cycle": "Work of one block a cycle: peak ≈ this × blocks × clock.",
    "cost": "Fixed costs an operator, whatever its size.",
    "link.chip": "All links of one chip together, one direction.",
    "price": "What one chip costs, with the month in which it did.",
}


def write(name: str, base: Chip, path: Path) -> Chip:
    """Writes the file, whole or not at all, and returns the chip that it loads as."""
    if not NAME.fullmatch(name):
        raise BadProfile(f"{name!r} is no name for a chip; use letters, digits, and . _ + - only")
    text = render(name, base, path.name)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(partial).chmod(0o644)
    try:
        os.link(partial, path)  # unlike a rename, never over a file that is there
    finally:
        Path(partial).unlink()
    return load(path)


def render(name: str, base: Chip, file: str) -> str:
    """The text of the file."""
    lines = [
        HEAD.format(
            name=name, base=base.name, title=base.title, file=file, confidences=", ".join(CONFIDENCES)
        )
    ]
    texts = {
        "name": name,
        "title": f"{name}, begun from {base.name}",
        "vendor": base.vendor,
        "generation": base.generation,
        "architecture": base.architecture,
        "device": base.device,
    }
    lines += [f"{key} = {_quoted(text)}" for key, text in texts.items()]
    if base.soc:
        lines += [SOC.format(file=file), f"soc = {_quoted(base.soc)}"]
    lines += ["aliases = []", "", "[sources]", f"base = {_quoted(f'taken from {base.name}')}"]
    section = ""
    for key, quantity in base.quantities.items():
        if key.rpartition(".")[0] != section:
            section = key.rpartition(".")[0]
            lines += ["", *_section(section, base)]
        lines.append(_line(key, quantity, base.name))
    return "\n".join(lines) + "\n"


def _section(section: str, base: Chip) -> list[str]:
    advice = ADVICE.get(section)
    lines = [f"# {advice.format(matrix=schema.MATRIX_CORES[base.architecture])}"] if advice else []
    lines.append(f"[{section}]")
    kind = base.links.get(section.removeprefix("link."))
    return [*lines, f"type = {_quoted(kind)}"] if kind else lines


def _line(key: str, quantity: Quantity, base: str) -> str:
    value, unit = units.readable(quantity.value, quantity.unit)
    origin = f"{quantity.confidence}: {quantity.source}"
    note = f"taken from {base} ({origin}{'; ' + quantity.note if quantity.note else ''})"
    parts: dict[str, Any] = {"value": value, "unit": unit}
    if quantity.date:
        parts["date"] = quantity.date
    parts |= {"source": "base", "confidence": "assumption", "note": note}
    inside = ", ".join(f"{part} = {_quoted(entry)}" for part, entry in parts.items())
    return f"{key.rpartition('.')[2]} = {{ {inside} }}"


def _quoted(entry: str | int | float) -> str:
    """A TOML basic string has the escapes of JSON."""
    return json.dumps(entry, ensure_ascii=False)
