"""Person-days of a finding, from `effort.tsv`: a row for a rule, or for the rule's letter, or for all."""

from __future__ import annotations

from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "effort.tsv"
COLUMNS = ("rule", "severity", "low_days", "high_days", "source")
ANY = "*"


@cache
def table() -> dict[tuple[str, str], tuple[float, float]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    if tuple(lines[0].split("\t")) != COLUMNS:
        raise ValueError(f"{TABLE.name}:1: the first line must be the columns {', '.join(COLUMNS)}")
    rows = [line.split("\t") for line in lines[1:] if line.strip()]
    return {(row[0], row[1]): (float(row[2]), float(row[3])) for row in rows}


@cache
def days(code: str, severity: str) -> tuple[float, float]:
    """Least and most person-days of one finding."""
    for rule in (code, code[0], ANY):
        for weight in (severity, ANY):
            if (rule, weight) in table():
                return table()[rule, weight]
    raise ValueError(f"{TABLE.name}: no row for {code} {severity}; add one, or one for * {severity}")
