"""The metrics that exporters give, loaded from metrics.tsv and checked: whose name it is, and where its value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jumar.report.monitoring import values

FILE = Path(__file__).with_name("metrics.tsv")
COLUMNS = ("exporter", "metric", "kind", "value", "text")
VENDOR, DCGM, OWN = "npu-exporter", "dcgm-exporter", "jumar"
EXPORTERS = (VENDOR, DCGM, OWN)
KINDS = ("gauge", "counter", "label")


class BadMetric(ValueError):
    """A row that cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True)
class Metric:
    """`value`: name of what gives it, in values.py; empty: it is not given, and `text` says why."""

    exporter: str
    metric: str
    kind: str
    value: str
    text: str


@cache
def table() -> tuple[Metric, ...]:
    """Every metric of the exporters whose names are used here, those that are not given among them."""
    head, *lines = FILE.read_text(encoding="utf-8").splitlines()
    if tuple(head.split("\t")) != COLUMNS:
        raise BadMetric(f"{FILE.name}: the first line is not {' '.join(COLUMNS)}; put it back")
    found: dict[tuple[str, str], Metric] = {}
    for number, line in enumerate(lines, start=2):
        one = _checked(line.split("\t"), number)
        if (one.exporter, one.metric) in found:
            raise BadMetric(f"{FILE.name}:{number}: {one.metric} is there already; remove one of the two")
        found[one.exporter, one.metric] = one
    return tuple(found.values())


def _checked(cells: list[str], number: int) -> Metric:
    where = f"{FILE.name}:{number}"
    if len(cells) != len(COLUMNS) or not cells[4]:
        raise BadMetric(f"{where}: a row has {len(COLUMNS)} cells, the last one filled; mend it")
    one = Metric(*cells)
    if one.exporter not in EXPORTERS or one.kind not in KINDS:
        raise BadMetric(f"{where}: {one.exporter} {one.kind}: one of {EXPORTERS} and one of {KINDS}; mend it")
    if one.value and one.value not in values.known():
        raise BadMetric(
            f"{where}: nothing in values.py is called {one.value}; add it there or leave it empty"
        )
    return one


def given(exporter: str) -> list[Metric]:
    """Those of one exporter that have a value."""
    return [one for one in table() if one.exporter == exporter and one.value]
