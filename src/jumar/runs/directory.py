"""A run on disk: writes, reads, lists and deletes run directories. run.json is written last, so it vouches for the rest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jumar.physics import notation
from jumar.runs.format import (
    EVENT_COLUMNS,
    FORMAT,
    NONE,
    SCHEMA,
    SOURCES,
    Events,
    Exchange,
    OperatorKind,
    Phase,
    Run,
    Type,
    events_of,
)

FOLDER = Path("jumar-runs")
LAST = "last"
FACTS, EVENTS, KINDS, NAMES = "run.json", "events.parquet", "kinds.parquet", "names.parquet"
SUMMARY = "summary.json"  # of every run, also of one without a trace
MOST = 1 << 20  # processes of a run
KIND_COLUMNS = ("kind", "operator", "arguments", "work", "work_source", "note")
NAME_COLUMNS = ("process", "what", "number", "text")


class BadRun(ValueError):
    """A folder that is no run, or not a whole one: the message names file and remedy."""


@dataclass(frozen=True)
class Listed:
    """A run as the list shows it; `fault` says why it cannot be used, empty if it can."""

    path: Path
    facts: Mapping[str, Any]
    fault: str = ""


def write(folder: Path, run: Run) -> None:
    """Writes the run's four files into the folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).unlink(missing_ok=True)
    columns = {name: getattr(run.events, name) for name in EVENT_COLUMNS}
    _write_table(folder / EVENTS, pa.table(columns))
    _write_table(folder / KINDS, _kinds_table(run.kinds))
    rows = [(process, what, number, text) for (process, what, number), text in run.names.items()]
    named = zip(NAME_COLUMNS, zip(*rows, strict=True) if rows else ((),) * len(NAME_COLUMNS), strict=True)
    _write_table(folder / NAMES, pa.table({name: pa.array(values) for name, values in named}))
    counts = {"events": len(run.events), "kinds": len(run.kinds)}
    facts = {"format": FORMAT, "schema": SCHEMA, **run.facts, "rows": counts}
    partial = folder / f"{FACTS}.part"
    partial.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(folder / FACTS)


def _write_table(path: Path, table: pa.Table) -> None:
    partial = path.with_name(f"{path.name}.part")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)


def _kinds_table(kinds: Sequence[OperatorKind]) -> pa.Table:
    values: tuple[Sequence[Any], ...] = (
        pa.array(range(len(kinds)), pa.int32()),
        pa.array([kind.operator for kind in kinds], pa.string()),
        pa.array([json.dumps(kind.arguments) for kind in kinds], pa.string()),
        pa.array([json.dumps(notation.written(k.work)) if k.work else None for k in kinds], pa.string()),
        pa.array([kind.source for kind in kinds], pa.string()),
        pa.array([kind.note for kind in kinds], pa.string()),
    )
    return pa.table(dict(zip(KIND_COLUMNS, values, strict=True)))


def read(folder: Path) -> Run:
    """The run in that folder. BadRun if it is none, is cut short, or is written by a newer jumar."""
    facts = read_facts(folder)
    events = _read_events(folder / EVENTS, facts)
    kinds = _read_kinds(folder / KINDS)
    if fault := faulty(events, len(kinds)):
        raise BadRun(f"{folder / EVENTS}: {fault}; {_remedy(folder)}")
    return Run(facts, kinds, events, _read_names(folder / NAMES))


def faulty(events: Events, kinds: int) -> str:
    """What is wrong with the first event that cannot be; empty if all can."""
    exchanges = events.type == Type.COLLECTIVE
    checks = {
        f"a type of event that is none of 0 to {max(Type)}": (events.type < 0) | (events.type > max(Type)),
        f"a kind that is none of {kinds}": (events.kind < NONE) | (events.kind >= kinds),
        "a phase that is none": (events.phase < 0) | (events.phase > max(Phase)),
        "a negative size": events.bytes < 0,
        "a process or chip that is none": (events.process < 0) | (events.process > MOST) | (events.chip < 0),
        "a negative stream or step": (events.stream < 0) | (events.step < 0),
        "an exchange that is none": exchanges
        & ((events.collective < 0) | (events.collective > max(Exchange)) | (events.ranks < 0)),
    }
    for said, wrong in checks.items():
        if wrong.any():
            return f"event {int(wrong.argmax()):,} has {said}"
    return ""


def read_facts(folder: Path) -> dict[str, Any]:
    """run.json, checked to be one that this jumar can read."""
    path = folder / FACTS
    if not folder.is_dir():
        raise BadRun(f"{folder}: no such run; `jumar runs` lists those there are")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if (folder / SUMMARY).exists() and not (folder / EVENTS).exists():
            raise BadRun(
                f"{folder}: no trace (no {FACTS}): its program used no chip, or ran with --no-trace"
            ) from error
        said = "its trace was not written to the end" if (folder / EVENTS).exists() else "has no trace"
        raise BadRun(f"{folder}: {said} (no {FACTS}); run the program again with `jumar run`") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadRun(f"{path}: cannot be read: {error}; {_remedy(folder)}") from error
    if (
        not isinstance(facts, dict)
        or facts.get("format") != FORMAT
        or not isinstance(facts.get("schema"), int)
    ):
        raise BadRun(f"{path}: not written by `jumar run`; give the folder of a run")
    if facts["schema"] > SCHEMA:
        raise BadRun(f"{path}: format {facts['schema']}, this jumar reads up to {SCHEMA}; use a newer jumar")
    return facts


def _read_events(path: Path, facts: Mapping[str, Any]) -> Events:
    table = _read_table(path, tuple(EVENT_COLUMNS))
    wanted = facts.get("rows", {}).get("events", table.num_rows)
    if table.num_rows != wanted:
        raise BadRun(f"{path}: {table.num_rows:,} events of {wanted:,}; {_remedy(path.parent)}")
    try:
        columns = {name: table[name].to_numpy() for name in EVENT_COLUMNS}
        return events_of(columns, table.num_rows)
    except (TypeError, ValueError) as error:
        raise BadRun(f"{path}: a column is not numbers: {error}; {_remedy(path.parent)}") from error


def _read_kinds(path: Path) -> list[OperatorKind]:
    try:
        rows = _read_table(path, KIND_COLUMNS).to_pylist()
        kinds = [_kind(row) for row in rows]
    except (TypeError, UnicodeDecodeError, json.JSONDecodeError, notation.BadWork) as error:
        raise BadRun(f"{path}: a kind cannot be read: {error}; {_remedy(path.parent)}") from error
    if [row["kind"] for row in rows] != list(range(len(rows))):
        raise BadRun(f"{path}: kinds are not numbered from 0; {_remedy(path.parent)}")
    return kinds


def _kind(row: Mapping[str, Any]) -> OperatorKind:
    work = None if row["work"] is None else notation.read(json.loads(row["work"]))
    source = row["work_source"] if row["work_source"] in SOURCES else "none"
    return OperatorKind(row["operator"], json.loads(row["arguments"]), work, source, row["note"] or "")


def _read_names(path: Path) -> dict[tuple[int, str, int], str]:
    try:
        rows = _read_table(path, NAME_COLUMNS).to_pylist()
    except UnicodeDecodeError as error:
        raise BadRun(f"{path}: a name is not text; {_remedy(path.parent)}") from error
    return {(row["process"], row["what"], row["number"]): row["text"] for row in rows}


def _read_table(path: Path, columns: Sequence[str]) -> pa.Table:
    try:
        table = pq.read_table(path)
        absent = [name for name in columns if name not in table.column_names]
    except FileNotFoundError as error:
        raise BadRun(f"{path}: missing; {_remedy(path.parent)}") from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise BadRun(f"{path}: cut short or not Parquet; {_remedy(path.parent)}") from error
    if absent:
        raise BadRun(f"{path}: has no column {absent[0]}; {_remedy(path.parent)}")
    return table


def _remedy(folder: Path) -> str:
    return f"run the program again, and delete this run with `jumar runs delete {folder.name}`"


def find(name: str, folder: Path = FOLDER) -> Path:
    """The directory of a run: a path, an id (or the beginning of one), or `last`. BadRun if there is none."""
    if name == LAST:
        usable = [one for one in listed(folder) if not one.fault]
        if not usable:
            raise BadRun(f"no run under {folder}; make one with `jumar run`, or name its folder")
        return usable[0].path
    if (folder / name).is_dir():
        return folder / name
    if Path(name).is_dir():
        return Path(name)
    found = [one.path for one in listed(folder) if one.path.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    many = f" is the beginning of {len(found)} runs" if found else ": no such run"
    raise BadRun(f"{name}{many}; `jumar runs` lists those under {folder}")


def listed(folder: Path = FOLDER) -> list[Listed]:
    """Every run under the folder, the newest first, also those that cannot be used."""
    if not folder.is_dir():
        return []
    known = (FACTS, EVENTS, SUMMARY)
    paths = [path for path in folder.iterdir() if any((path / name).exists() for name in known)]
    paths.sort(key=lambda path: (_written_at(path), path.name), reverse=True)
    return [_listed(path) for path in paths]


def _written_at(path: Path) -> int:
    """When the run ended: reports are added to its folder later."""
    facts = path / FACTS
    return (facts if facts.exists() else path).stat().st_mtime_ns


def _listed(path: Path) -> Listed:
    try:
        return Listed(path, read_facts(path))
    except BadRun as error:
        return Listed(path, {}, str(error).removeprefix(f"{path}: "))


def delete(path: Path) -> None:
    """Removes a run's folder with everything in it. BadRun if it does not look like one."""
    if not any((path / name).exists() for name in (FACTS, EVENTS, SUMMARY)):
        raise BadRun(f"{path}: not a run, so it is left alone; delete it yourself if you mean it")
    shutil.rmtree(path)


def empty() -> Run:
    """A run in which nothing happened."""
    return Run({}, (), events_of({}, 0), {})


def same(first: Events, second: Events) -> bool:
    """Whether two tables of events are equal in every column."""
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in EVENT_COLUMNS)
