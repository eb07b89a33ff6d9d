"""Drawings of the page as SVG: the loss by step, memory over time, bars with ranges."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jumar.report import amounts, lines

WIDTH, HEIGHT, MARGIN = 720, 220, 40
BAR_HEIGHT, LABEL_WIDTH, VALUE_WIDTH = 24, 150, 190


def curve(points: list[tuple[float, float]]) -> str:
    """A line of (step, loss), with the extremes written at the axes."""
    if len(points) < 2:
        return '<p class="none">no losses to draw</p>'
    (left, right), (low, high) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))

    def place(step: float, loss: float) -> str:
        x = MARGIN + (step - left) / ((right - left) or 1) * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN + (low - loss) / ((high - low) or 1) * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f},{y:.1f}"

    texts = [
        _text(MARGIN, MARGIN - 8, f"{high:.4g}"),
        _text(MARGIN + 4, HEIGHT - MARGIN - 6, f"{low:.4g}"),
        _text(MARGIN, HEIGHT - 14, f"step {left:.0f}"),
        _text(WIDTH - MARGIN, HEIGHT - 14, f"step {right:.0f}", "end"),
    ]
    line = " ".join(place(*point) for point in points)
    axis = f"M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}"
    body = f'<path class="axis" d="{axis}"/><polyline class="line" points="{line}"/>{"".join(texts)}'
    return _svg(WIDTH, HEIGHT, "loss by step", body)


def memory(
    points: Sequence[tuple[float, int]],
    around: Sequence[tuple[float, int]],
    capacity_b: int,
    peak: tuple[float, int],
) -> str:
    """Bytes over time as an area with its peak, and as a line those `around` them; the capacity where it is near."""
    if len(points) < 2:
        return '<p class="none">no memory to draw</p>'
    first, last = points[0][0], points[-1][0]
    highest = max([peak[1], *(size for _, size in around)])
    top = max(highest, 1) * 1.12
    near = capacity_b <= 2 * highest
    top = max(top, capacity_b * 1.06) if near else top
    left, right, bottom, height = 78, 12, 26, HEIGHT

    def x(at: float) -> float:
        return left + (at - first) / ((last - first) or 1) * (WIDTH - left - right)

    def y(size: float) -> float:
        return 10 + (1 - size / top) * (height - 10 - bottom)

    path = f"M{x(first):.1f} {y(0):.1f}" + "".join(
        f"V{y(size):.1f}H{x(at):.1f}" for at, size in _held(points)
    )
    parts = [f'<path class="area" d="{path}V{y(0):.1f}Z"/>']
    if around:
        line = "".join(f"V{y(size):.1f}H{x(at):.1f}" for at, size in _held(around))
        parts.append(f'<path class="line" d="M{x(around[0][0]):.1f} {y(0):.1f}{line}"/>')
    parts += [
        f'<path class="grid" d="M{left} {y(size):.1f}H{WIDTH - right}"/>'
        + _text(left - 6, y(size) + 4, lines.size(size), "end")
        for size in _ticks(top)
    ]
    if near:
        parts.append(f'<path class="limit" d="M{left} {y(capacity_b):.1f}H{WIDTH - right}"/>')
        parts.append(_text(WIDTH - right - 4, y(capacity_b) - 4, f"capacity {lines.size(capacity_b)}", "end"))
    at = "end" if x(peak[0]) > WIDTH / 2 else "start"
    parts.append(f'<circle cx="{x(peak[0]):.1f}" cy="{y(peak[1]):.1f}" r="3.5" fill="var(--bad)"/>')
    parts.append(
        _text(x(peak[0]) + (-8 if at == "end" else 8), y(peak[1]) - 6, f"peak {lines.size(peak[1])}", at)
    )
    parts += [
        _text(left, height - 8, amounts.seconds(first)),
        _text(WIDTH - right, height - 8, amounts.seconds(last), "end"),
    ]
    return _svg(WIDTH, height, f"memory over time, peak {lines.size(peak[1])}", "".join(parts))


def _held(points: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """Each size with the time until which it held."""
    times = [at for at, _ in points[1:]] + [points[-1][0]]
    return [(until, size) for until, (_, size) in zip(times, points, strict=True)]


def _ticks(top: float) -> list[float]:
    """A few round sizes up to the top: powers of two times 1024."""
    step = 1.0
    while top / step > 5:
        step *= 2
    return [step * at for at in range(int(top / step) + 1)]


def bars(rows: Sequence[tuple[str, float, float, float, str, str]], label: str) -> str:
    """Horizontal bars from zero: (name, value, low, high, what is written, class of the bar)."""
    longest = max((high for *_, high, _, _ in rows), default=0) or 1.0
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = []
    for at, (name, value, low, high, said, kind) in enumerate(rows):
        y, scale = at * BAR_HEIGHT + 3, room / longest
        parts.append(_text(LABEL_WIDTH - 8, y + 12, name, "end"))
        parts.append(
            f'<rect class="bar {kind}" x="{LABEL_WIDTH}" y="{y}" width="{max(1.5, value * scale):.1f}" '
            f'height="{BAR_HEIGHT - 8}"/>'
        )
        if high > low:
            middle, begin, end = (
                y + (BAR_HEIGHT - 8) / 2,
                LABEL_WIDTH + low * scale,
                LABEL_WIDTH + high * scale,
            )
            d = f"M{begin:.1f} {middle}H{end:.1f}M{begin:.1f} {middle - 4}v8M{end:.1f} {middle - 4}v8"
            parts.append(f'<path class="whisker" d="{d}"/>')
        parts.append(_text(LABEL_WIDTH + max(high, value) * scale + 8, y + 12, said))
    return _svg(WIDTH, len(rows) * BAR_HEIGHT + 4, label, "".join(parts))


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: int, height: int, label: str, body: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{body}</svg>'
