"""On which numbers the time of a step rests: of the chip's file, of the fitted efficiencies, of the counted work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jumar.chips import Chip
from jumar.physics import Accelerator, Kind, Work
from jumar.physics.accelerator import INSTEAD
from jumar.physics.parameters import origins
from jumar.physics.work import Pattern
from jumar.runs.format import NONE, Column, Run, Type
from jumar.runs.priced import Priced

# Limit of an operator -> the number of the chip that sets it, where it does not depend on the operator.
SET_BY = {"vector": "peak.vector.fp32", "memory": "memory.bandwidth"}
ATTENTION = {
    Kind.ATTENTION: "attention_efficiency",
    Kind.ATTENTION_BACKWARD: "attention_backward_efficiency",
    Kind.PORTABLE_ATTENTION: "portable_attention_factor",
    Kind.PORTABLE_ATTENTION_BACKWARD: "portable_attention_factor",
}
PATTERNS = {Pattern.STRIDED: "strided_factor", Pattern.GATHER: "gather_factor"}
COPIES = {
    Type.COPY_H2D: "link.host.bandwidth",
    Type.COPY_D2H: "link.host.bandwidth",
    Type.COPY_D2D: "memory.bandwidth",
    Type.MEMSET: "memory.bandwidth",
}
SOURCES = {
    "rule": "counted by a rule for this operator",
    "derived": "derived from the sizes of its arguments",
    "assumed": "assumed: one pass over its arguments",
    "none": "unknown: only the least time of an operator",
}


@dataclass(frozen=True)
class Seconds:
    """Where a step's time rests, in seconds: on numbers of the chip, on efficiencies, on ways to count work."""

    numbers: dict[str, float]
    efficiencies: dict[str, float]
    work: dict[str, float]


def rests_on(run: Run, rows: Column, priced: Priced) -> dict[str, Any]:
    """Shares of the step's time by number, by efficiency and by how work was counted."""
    sums = Seconds(defaultdict(float), defaultdict(float), defaultdict(float))
    seconds, host_s = priced.duration_s, priced.parts.get("host", 0.0)
    _operators(run, rows, priced, sums)
    for kind, key in COPIES.items():
        if spent := float(seconds[rows][run.events.type[rows] == kind].sum()):
            sums.numbers[key] += spent
            sums.efficiencies["link_efficiency" if "link" in key else "memory_efficiency"] += spent
            sums.work["rule"] += spent
    if spent := float(seconds[rows][run.events.type[rows] == Type.COLLECTIVE].sum()):
        sums.numbers["link.chip.bandwidth"] += spent
        sums.efficiencies["link_efficiency"] += spent
        sums.work["rule"] += spent
    if host_s > 0:
        sums.efficiencies["host_kernel_s"] += host_s
    family = priced.parameters.family
    return {
        "numbers": _numbers(sums.numbers, priced.chip),
        "efficiencies": _efficiencies(sums.efficiencies, family),
        "work": [
            {
                "name": name,
                "meaning": SOURCES[name],
                "seconds": sums.work[name],
                "operators": _named(run, rows, priced, name),
            }
            for name in SOURCES
            if sums.work.get(name)
        ],
        "family": family,
    }


def _operators(run: Run, rows: Column, priced: Priced, sums: Seconds) -> None:
    operators = rows[(run.events.type[rows] == Type.OPERATOR) & (run.events.kind[rows] != NONE)]
    seconds, parts = priced.duration_s[operators], priced.kinds.parts
    spent = np.bincount(run.events.kind[operators], weights=seconds, minlength=len(run.kinds))
    whole = np.maximum(parts.sum(axis=1), 1e-30)
    for number in np.flatnonzero(spent).tolist():
        work, shares = priced.kinds.works[number], (parts[number] / whole[number] * spent[number]).tolist()
        sums.work[priced.kinds.source[number]] += float(spent[number])
        if work is None:
            continue
        for limit, share in zip(("matrix", "vector", "memory", "launch"), shares, strict=True):
            if share > 0:
                sums.numbers[_number(limit, work, priced.machine)] += share
                sums.efficiencies[_efficiency(limit, work)] += share


def _number(limit: str, work: Work, machine: Accelerator) -> str:
    if limit == "launch":
        return "cost.launch_matrix" if work.products else "cost.launch"
    if limit in SET_BY:
        return SET_BY[limit]
    dtype = max(work.products, key=lambda product: product.operations).dtype
    for one in INSTEAD.get(dtype, ("vector.fp32",)):
        if one in machine.matrix_flop_s:
            return f"peak.matrix.{one}"
    return "peak.vector.fp32"


def _efficiency(limit: str, work: Work) -> str:
    if limit == "matrix":
        return ATTENTION.get(work.kind, "matrix_efficiency")
    if limit == "memory":
        return PATTERNS.get(work.pattern, "memory_efficiency")
    return "vector_efficiency" if limit == "vector" else "launch_factor"


def _numbers(sums: dict[str, float], chip: Chip) -> list[dict[str, Any]]:
    found = []
    for key, spent in sums.items():
        used = key if key in chip.quantities else "cost.launch"
        quantity = chip.quantities[used]
        found.append(
            {
                "name": used,
                "value": quantity.text(),
                "confidence": quantity.confidence,
                "source": quantity.source,
                "note": quantity.note,
                "seconds": spent,
            }
        )
    return sorted(found, key=lambda one: -one["seconds"])


def _efficiencies(sums: dict[str, float], family: str) -> list[dict[str, Any]]:
    known = origins(family)
    found = [
        {
            "name": key,
            "value": known[key]["value"],
            "confidence": known[key]["origin"],
            "note": known[key]["note"],
            "seconds": spent,
        }
        for key, spent in sums.items()
    ]
    return sorted(found, key=lambda one: -one["seconds"])


def _named(run: Run, rows: Column, priced: Priced, source: str) -> Sequence[str]:
    """The operators of the step whose work was found that way; for what is sure their names do not matter."""
    if source == "rule":
        return []
    operators = rows[(run.events.type[rows] == Type.OPERATOR) & (run.events.kind[rows] != NONE)]
    used = np.unique(run.events.kind[operators]).tolist()
    return sorted({run.kinds[kind].operator for kind in used if priced.kinds.source[kind] == source})
