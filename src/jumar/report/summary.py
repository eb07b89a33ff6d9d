"""Brings together what the server counted and what the programs reported, as one plain dict."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jumar import __version__
from jumar.chips import Chip

NO_PROGRAM = "no program used the chips: it did not import torch, or jumar is not installed in its Python"
CUDA_KINDS = (
    "refused",
    "ignored",
    "on the CPU",
    "adapted",
    "redirected",
)  # what one should look at comes first
COUNTS_MISSING = "what was counted while the program ran (summary.json) is not beside the trace"
NOT_LOSSES = "losses are not shown: a dry run does not compute them"


def facts(
    *,
    chip: Chip | None,
    devices: int,
    dry: bool,
    command: Sequence[str],
    code: int,
    wall_s: float,
    server: dict[str, Any] | None,
    programs: Sequence[dict[str, Any]],
    faces: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """`chip` None: the machine's own; `code` as subprocess gives it; `server` as the core reports it; sizes in bytes."""
    lead = _lead(programs)
    losses = (
        [] if dry or lead is None else [[step, value] for step, value in lead["losses"] if value is not None]
    )
    return {
        "jumar": __version__,
        "when": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "command": list(command),
        "exit_code": code if code >= 0 else None,
        "signal": signal.Signals(-code).name if code < 0 else None,
        "wall_s": wall_s,
        "chip": _chip(chip),
        "devices": devices,
        "mode": "dry" if dry else "full",
        "programs": len(programs),
        "steps": lead["steps"] if lead else 0,
        "optimizers": lead["optimizers"] if lead else [],
        "step_s": _step_seconds(lead),
        "losses": losses,
        "backwards": lead["backwards"] if lead else 0,
        **_counts(server or {}),
        "cuda": _cuda(faces),
        "notes": _notes(dry, server, programs, lead),
    }


def facts_of_run(stored: Mapping[str, Any], chip: Chip) -> dict[str, Any]:
    """The same dict from a stored run alone, where what was counted is not at hand."""
    made = facts(
        chip=chip,
        devices=int(stored.get("devices") or 1),
        dry=bool(stored.get("dry")),
        command=stored.get("command") or ["?"],
        code=int(stored.get("exit_code") or 0),
        wall_s=float(stored.get("wall_s") or 0.0),
        server={},
        programs=(),
    )
    losses = stored.get("losses") or []
    return {**made, "when": stored.get("when", ""), "losses": losses, "notes": [COUNTS_MISSING]}


def _chip(chip: Chip | None) -> dict[str, Any]:
    if chip is None:
        return {"name": "own chips", "source": "this machine's own, through its CANN"}
    size = chip.quantities["memory.size"]
    return {
        "name": chip.name,
        "memory_bytes": int(chip.number("memory.size", "B")),
        "source": f"{chip.title}; {chip.device}; {size.source}",
    }


def _lead(programs: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The process that the summary follows: of those that trained, the one with the lowest rank."""
    trained = [program for program in programs if program["steps"] or program["backwards"]]
    return min(trained, key=lambda program: (int(program["rank"] or 0), -program["steps"]), default=None)


def _step_seconds(lead: dict[str, Any] | None) -> float | None:
    return lead["seconds_stepping"] / (lead["steps"] - 1) if lead and lead["steps"] > 1 else None


def _most_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def _counts(server: dict[str, Any]) -> dict[str, Any]:
    operators = server.get("operators", {})
    by_name = [[name, count.get("run", 0), count.get("skipped", 0)] for name, count in operators.items()]
    by_name.sort(key=lambda row: (-row[1] - row[2], row[0]))
    return {
        "operators": by_name,
        "operators_run": sum(row[1] for row in by_name),
        "operators_skipped": sum(row[2] for row in by_name),
        "unsupported": _most_first(server.get("unsupported", {})),
        "fallbacks": _most_first(server.get("fallbacks", {})),
        "memory": [[one["id"], one["peak_bytes"], one["memory_bytes"]] for one in server.get("chips", [])],
        "copies": server.get("copies", {"count": 0, "bytes": 0}),
    }


def _cuda(faces: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The accounts of all processes as one: what the CUDA face did, how often, first where."""
    if not faces:
        return None
    merged: dict[tuple[str, str], list[Any]] = {}
    for row in (row for face in faces for row in face["rows"]):
        entry = merged.setdefault(
            (row["kind"], row["name"]), [0, row["first"].removeprefix(f"{Path.cwd()}/")]
        )
        entry[0] += row["count"]
    rows = [[kind, name, count, first] for (kind, name), (count, first) in merged.items()]
    rows.sort(key=lambda row: (CUDA_KINDS.index(row[0]), -row[2], row[1]))
    return {"persona": faces[0]["persona"], "float64": faces[0]["float64"], "rows": rows}


def _notes(
    dry: bool, server: dict[str, Any] | None, programs: Sequence[dict[str, Any]], lead: dict[str, Any] | None
) -> list[str]:
    notes = []
    used = server is not None and (
        server.get("operators") or any(c["peak_bytes"] for c in server.get("chips", []))
    )
    if server is None:
        notes.append("the server's counters could not be read: operators and memory are missing")
    elif server and not used and not programs:
        notes.append(NO_PROGRAM)
    if dry and lead:
        notes.append(NOT_LOSSES)
    return notes
