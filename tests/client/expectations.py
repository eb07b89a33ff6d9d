"""Known failures and known inexactness as text: `operator dtypes direction  # reason`, one line a group.

`dtypes` is a comma-separated list or `*`; `direction` is forward or backward.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class Line:
    operator: str
    dtypes: frozenset[str]
    direction: str
    reason: str
    where: str

    def covers(self, dtype: str) -> bool:
        return "*" in self.dtypes or dtype in self.dtypes


class Expectations:
    """The lines of one file. A malformed line, a doubled one or one without a reason is an error."""

    def __init__(self, file: Path) -> None:
        self.lines: dict[tuple[str, str], list[Line]] = {}
        for number, text in enumerate(file.read_text().splitlines(), 1):
            if text.strip() and not text.startswith("#"):
                self._add(text, f"{file.name}:{number}")

    def _add(self, text: str, where: str) -> None:
        words, _, reason = text.partition("#")
        columns = words.split()
        if len(columns) != 3 or columns[2] not in DIRECTIONS:
            raise ValueError(f"{where}: write `operator dtypes forward|backward  # reason`, not {text!r}")
        if not reason.strip():
            raise ValueError(f"{where}: say after # why")
        line = Line(columns[0], frozenset(columns[1].split(",")), columns[2], reason.strip(), where)
        others = self.lines.setdefault((line.operator, line.direction), [])
        for other in others:
            if "*" in (line.dtypes | other.dtypes) or line.dtypes & other.dtypes:
                raise ValueError(f"{where}: {other.where} says it already")
        others.append(line)

    def find(self, operator: str, dtype: str, direction: str) -> Line | None:
        """The line that covers this test, if any."""
        for line in self.lines.get((operator, direction), []):
            if line.covers(dtype):
                return line
        return None
