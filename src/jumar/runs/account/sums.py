"""Times of a step summed up by operator, source line, module and stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jumar.physics.timeline import covered_s
from jumar.runs.account.labels import Labels, shapes
from jumar.runs.format import NONE, ON_STREAM, Column, Phase, Run
from jumar.runs.priced import Priced

Names = Mapping[tuple[int, str, int], str]
MOST_SHAPES = 3
OUTSIDE = {Phase.OPTIMIZER: "the optimizer"}


def by_operator(run: Run, rows: Column, priced: Priced, labels: Labels) -> list[dict[str, Any]]:
    """Operators with count, time, what limits them most of that time, and their most costly shapes."""
    found = []
    of, spent, kinds = labels.of[rows], priced.duration_s[rows], run.events.kind[rows]
    limits, sources = priced.limit[rows], [*priced.kinds.source, "rule"]
    becomes = [*priced.kinds.becomes, ""]
    for label in np.unique(of[spent > 0]):
        mine = (of == label) & (spent > 0)
        found.append(
            {
                "name": labels.names[label],
                "class": labels.classes[label],
                "count": int(mine.sum()),
                "seconds": float(spent[mine].sum()),
                "limit": _heaviest(limits[mine], spent[mine]),
                "shapes": _shapes(run, kinds[mine], spent[mine]),
                "source": sources[labels.first_kind[label]],
                "becomes": becomes[labels.first_kind[label]],
            }
        )
    return sorted(found, key=lambda one: (-one["seconds"], one["name"]))


def _heaviest(values: Column, weights: Column) -> str:
    names, place = np.unique(values, return_inverse=True)
    return str(names[int(np.bincount(place, weights=weights).argmax())])


def _shapes(run: Run, kinds: Column, seconds: Column) -> list[dict[str, Any]]:
    if not len(kinds) or int(kinds.min()) == NONE:
        return []
    numbers, place, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    spent = np.bincount(place, weights=seconds)
    return [
        {"text": shapes(run.kinds[numbers[i]]), "count": int(counts[i]), "seconds": float(spent[i])}
        for i in np.argsort(-spent, kind="stable")[:MOST_SHAPES]
    ]


def by_line(run: Run, rows: Column, seconds: Column) -> list[dict[str, Any]]:
    """Lines of the program with the time of what they submitted."""
    texts = _texts(run, rows, "line")
    spent = np.bincount(texts[1], weights=seconds[rows], minlength=len(texts[0]))
    counts = np.bincount(texts[1], weights=seconds[rows] > 0, minlength=len(texts[0]))
    found = [
        {"text": text or "no line of the program", "seconds": float(s), "count": int(c)}
        for text, s, c in zip(texts[0], spent, counts, strict=True)
        if c
    ]
    return sorted(found, key=lambda one: (-one["seconds"], one["text"]))


def by_module(run: Run, rows: Column, seconds: Column) -> dict[str, Any]:
    """The tree of modules: each with its whole time, its own, and both by phase."""
    texts, place = _texts(run, rows, "module")
    phases, size = len(Phase), len(texts) * len(Phase)
    cells = place * phases + run.events.phase[rows]
    spent = np.bincount(cells, weights=seconds[rows], minlength=size).reshape(-1, phases)
    counts = np.bincount(cells, weights=seconds[rows] > 0, minlength=size).reshape(-1, phases)
    root = _node("the step")
    for text, by_phase, counted in zip(texts, spent.tolist(), counts.tolist(), strict=True):
        for phase in filter(lambda phase: counted[phase], Phase):
            path = text.split(".") if text else [OUTSIDE.get(phase, "outside modules")]
            _add(root, path, phase, by_phase[phase], int(counted[phase]))
    return _tidied(root)


def _node(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "seconds": 0.0,
        "own": 0.0,
        "count": 0,
        "phases": [0.0] * len(Phase),
        "children": {},
    }


def _add(root: dict[str, Any], path: Sequence[str], phase: Phase, seconds: float, count: int) -> None:
    """Adds to every module on the way, and to what the last does itself."""
    node = root
    for part in (None, *path):
        node = node if part is None else node["children"].setdefault(part, _node(part))
        node["seconds"] += seconds
        node["count"] += count
        node["phases"][phase] += seconds
    node["own"] += seconds


def _tidied(node: dict[str, Any]) -> dict[str, Any]:
    """Children as a list in the order of the program; a chain of only children is one node."""
    children = [_tidied(child) for child in node["children"].values()]
    if len(children) == 1 and node["own"] == 0 and node["name"] != "the step":
        only = children[0]
        return {**only, "name": f"{node['name']}.{only['name']}"}
    return {**node, "children": children}


def by_stream(run: Run, rows: Column, start_s: Column, end_s: Column, span_s: float) -> list[dict[str, Any]]:
    """Streams of all chips with the time in which they run something."""
    events = run.events
    on = rows[np.isin(events.type[rows], ON_STREAM)]
    keys = np.stack([events.process[on], events.chip[on], events.stream[on]], axis=1)
    found = []
    for process, chip, stream in np.unique(keys, axis=0).tolist():
        mine = on[(keys == (process, chip, stream)).all(axis=1)]
        busy = covered_s(start_s[mine], end_s[mine])
        found.append(
            {
                "name": run.names.get((process, "stream", stream), f"npu:{chip} stream {stream}"),
                "process": process,
                "chip": chip,
                "stream": stream,
                "count": len(mine),
                "busy_s": busy,
                "share": busy / span_s if span_s else 0.0,
            }
        )
    return found


def _texts(run: Run, rows: Column, what: str) -> tuple[list[str], Column]:
    """The texts that these events name, and for each event which of them."""
    numbers = getattr(run.events, what)[rows]
    processes = run.events.process[rows]
    pairs, place = np.unique(np.stack([processes, numbers], axis=1), axis=0, return_inverse=True)
    by_text: dict[str, int] = {}
    mapped = [by_text.setdefault(run.names.get((p, what, n), ""), len(by_text)) for p, n in pairs.tolist()]
    return list(by_text), np.array(mapped or [0])[place.reshape(-1)]
