"""The scatter plot of predicted against measured rates, as SVG without any library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Predicted

SIZE, MARGIN = 720, 70
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f")


def scatter(rows: Sequence[Predicted]) -> str:
    """Unseen rows filled, fit rows hollow; the diagonal, and 10 % on either side of it."""
    values = [value for row in rows for value in (row.measured, row.predicted)]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    span = SIZE - 2 * MARGIN

    def place(value: float) -> float:
        return MARGIN + span * (math.log10(value) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif" '
        'font-size="12"><title>Predicted against measured tokens/s per chip</title>',
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>',
    ]
    for power in range(low, high + 1):
        at = place(10.0**power)
        parts.append(
            f'<path d="M{at:.1f} {SIZE - MARGIN}V{MARGIN}M{MARGIN} {SIZE - at:.1f}H{SIZE - MARGIN}" stroke="#ddd"/>'
            f'<text x="{at:.1f}" y="{SIZE - MARGIN + 18}" text-anchor="middle">1e{power}</text>'
            f'<text x="{MARGIN - 8}" y="{SIZE - at + 4:.1f}" text-anchor="end">1e{power}</text>'
        )
    for factor, dash in ((1.0, ""), (1.1, "4 4"), (1 / 1.1, "4 4")):
        first, last = 10.0**low * max(1.0, 1 / factor), 10.0**high * min(1.0, 1 / factor)
        parts.append(
            f'<path d="M{place(first):.1f} {SIZE - place(first * factor):.1f}L{place(last):.1f} '
            f'{SIZE - place(last * factor):.1f}" stroke="#888" stroke-dasharray="{dash}"/>'
        )
    families = sorted({row.family for row in rows})
    for row in rows:
        colour = COLOURS[families.index(row.family) % len(COLOURS)]
        fill = "none" if row.fit else colour
        parts.append(
            f'<circle cx="{place(row.measured):.1f}" cy="{SIZE - place(row.predicted):.1f}" r="3.5" fill="{fill}" '
            f'fill-opacity="0.6" stroke="{colour}"><title>{row.case.row.workload}: measured {row.measured:.4g}, '
            f"predicted {row.predicted:.4g}</title></circle>"
        )
    for i, family in enumerate(families):
        y = MARGIN + 18 * i
        parts.append(
            f'<circle cx="{MARGIN + 14}" cy="{y + 8}" r="4" fill="{COLOURS[i % len(COLOURS)]}"/>'
            f'<text x="{MARGIN + 24}" y="{y + 12}">{family}</text>'
        )
    parts.append(
        f'<text x="{SIZE / 2}" y="{SIZE - 20}" text-anchor="middle">measured tokens/s per chip</text>'
        f'<text transform="translate(20 {SIZE / 2}) rotate(-90)" text-anchor="middle">predicted tokens/s per chip'
        "</text></svg>"
    )
    return "\n".join(parts) + "\n"
