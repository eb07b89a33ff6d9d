"""A priced run in the tables of the vendor's profiler: kernel_details.csv, op_statistic.csv, step_trace_time.csv.

Columns and their order are those that torch_npu.profiler writes; what only hardware counters know is left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar.physics.timeline import covered_s
from jumar.runs.account import labels
from jumar.runs.format import NONE, Exchange, OperatorKind, Run, Type

if TYPE_CHECKING:
    from jumar.runs.priced import Priced

US = 1e6
KERNELS = (
    "Step Id",
    "Device_id",
    "Name",
    "Type",
    "Accelerator Core",
    "Start Time(us)",
    "Duration(us)",
    "Wait Time(us)",
    "Block Num",
    "Input Shapes",
    "Input Data Types",
    "Input Formats",
    "Output Shapes",
    "Output Data Types",
    "Output Formats",
)
STATISTIC = (
    "Device_id",
    "OP Type",
    "Core Type",
    "Count",
    "Total Time(us)",
    "Min Time(us)",
    "Avg Time(us)",
    "Max Time(us)",
    "Ratio(%)",
)
STEPS = (
    "Device_id",
    "Step",
    "Computing",
    "Communication(Not Overlapped)",
    "Overlapped",
    "Communication",
    "Free",
    "Stage",
    "Bubble",
    "Communication(Not Overlapped and Exclude Receive)",
    "Preparing",
)
# Class of an operator -> the cores that do it, as the vendor calls them.
CORES = {"matrix": "AI_CORE", "attention": "MIX_AIC", "communication": "HCCL"}
TYPES = {"bfloat16": "DT_BF16", "float32": "FLOAT", "float64": "DOUBLE", "complex64": "COMPLEX64"}


def write(run: Run, priced: Priced, folder: Path) -> list[Path]:
    """Writes the three tables into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kernels = list(_kernels(run, priced))
    tables = {
        "kernel_details.csv": (KERNELS, kernels),
        "op_statistic.csv": (
            STATISTIC,
            statistic([(row[1], row[3], row[4], float(row[6])) for row in kernels]),
        ),
        "step_trace_time.csv": (STEPS, _steps(run, priced)),
    }
    return [write_table(folder / name, headings, rows) for name, (headings, rows) in tables.items()]


def write_table(path: Path, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headings)
        writer.writerows(rows)
    return path


def _kernels(run: Run, priced: Priced) -> Iterator[tuple[Any, ...]]:
    """Operators and exchanges in the order in which they begin."""
    events = run.events
    named = labels.labels_of(events, run.kinds)
    blocks = str(priced.machine.cores)
    ready: dict[tuple[int, int], float] = {}
    for row in priced.start_s.argsort(kind="stable").tolist():
        kind = Type(int(events.type[row]))
        if kind not in (Type.OPERATOR, Type.COLLECTIVE) or priced.duration_s[row] <= 0:
            continue
        stream = (int(events.process[row]), int(events.stream[row]))
        start, end = float(priced.start_s[row]), float(priced.end_s[row])
        label = int(named.of[row])
        name, group = named.names[label], named.classes[label]
        if kind is Type.OPERATOR:
            operator = run.kinds[int(events.kind[row])] if events.kind[row] != NONE else None
            full, shapes = (operator.operator, described(operator)) if operator else (name, ("",) * 6)
        else:
            full, shapes = exchange_name(Exchange(int(events.collective[row]))), ("",) * 6
        waited = max(0.0, start - ready.get(stream, start))
        ready[stream] = end
        yield (
            int(events.step[row]) + 1,
            int(events.chip[row]),
            full,
            name if kind is Type.OPERATOR else full,
            cores_of(group),
            f"{start * US:.3f}",
            f"{(end - start) * US:.3f}",
            f"{waited * US:.3f}",
            "0" if kind is Type.COLLECTIVE else blocks,
            *shapes,
        )


def exchange_name(exchange: Exchange) -> str:
    """As the vendor spells it: hcom_allReduce_."""
    first, *rest = exchange.name.lower().split("_")
    return f"hcom_{first}{''.join(word.capitalize() for word in rest)}_"


def cores_of(group: str) -> str:
    """The cores that do operators of this class, as the vendor calls them."""
    return CORES.get(group, "AI_VECTOR_CORE")


def described(kind: OperatorKind) -> tuple[str, ...]:
    """Shapes, types and formats of the inputs, then of the outputs."""
    inputs, outputs = _inputs_and_outputs(kind)
    return (*_described(inputs), *_described(outputs))


def _inputs_and_outputs(kind: OperatorKind) -> tuple[list[Any], list[Any]]:
    """Outputs stand last among an operator's arguments: the tensors behind the last number, or the last tensor."""
    arguments = list(kind.arguments)
    while arguments and not _tensors(arguments[-1]):
        arguments.pop()
    last = max((at for at, one in enumerate(arguments) if one is not None and not _tensors(one)), default=-1)
    if last < 0:
        last = len(arguments) - 2
    flat = [
        [tensor for one in part for tensor in _tensors(one)]
        for part in (arguments[: last + 1], arguments[last + 1 :])
    ]
    return flat[0], flat[1]


def _tensors(argument: Any) -> list[Any]:
    if isinstance(argument, dict) and "sizes" in argument:
        return [argument]
    if isinstance(argument, (list, tuple)):
        return [tensor for one in argument for tensor in _tensors(one)]
    return []


def _described(tensors: Sequence[Any]) -> tuple[str, str, str]:
    return (
        ";".join(",".join(map(str, one["sizes"])) for one in tensors),
        ";".join(TYPES.get(one["dtype"], one["dtype"].upper()) for one in tensors),
        ";".join(one.get("format", "ND") for one in tensors),
    )


def statistic(kernels: Iterable[tuple[int, str, str, float]]) -> list[tuple[Any, ...]]:
    """Sums over operators given by chip, name, cores and µs."""
    times: dict[tuple[int, str, str], list[float]] = {}
    for device, name, core, spent_us in kernels:
        times.setdefault((device, name, core), []).append(spent_us)
    whole: dict[int, float] = {}
    for (device, *_), spent in times.items():
        whole[device] = whole.get(device, 0.0) + sum(spent)
    rows = [
        (
            device,
            name,
            core,
            len(spent),
            f"{sum(spent):.3f}",
            f"{min(spent):.3f}",
            f"{sum(spent) / len(spent):.3f}",
            f"{max(spent):.3f}",
            f"{100 * sum(spent) / (whole[device] or 1.0):.3f}",
        )
        for (device, name, core), spent in times.items()
    ]
    return sorted(rows, key=lambda row: (row[0], -float(row[4])))


def _steps(run: Run, priced: Priced) -> Iterator[tuple[Any, ...]]:
    """Each step of each chip: computing, exchanges that it hides and that it does not, and nothing."""
    events = run.events
    on = priced.duration_s > 0
    for step in priced.steps:
        inside = on & (priced.start_s >= step.start_s) & (priced.start_s < step.end_s)
        for chip in sorted(set(events.chip[inside].tolist())):
            mine = inside & (events.chip == chip)
            exchanges = mine & (events.type == Type.COLLECTIVE)
            computes = mine & ~exchanges
            busy = covered_s(priced.start_s[mine], priced.end_s[mine])
            computing = covered_s(priced.start_s[computes], priced.end_s[computes])
            communication = covered_s(priced.start_s[exchanges], priced.end_s[exchanges])
            alone = busy - computing
            whole = step.end_s - step.start_s
            first = float(priced.start_s[mine].min()) - step.start_s
            times = (
                computing,
                alone,
                communication - alone,
                communication,
                max(0.0, whole - busy),
                whole,
                0.0,
                alone,
                first,
            )
            yield (chip, step.number + 1, *(f"{one * US:.3f}" for one in times))
