"""Values that the scanner hands around: a place that ties a repository to CUDA, and the edits that loosen it."""

from __future__ import annotations

from dataclasses import dataclass

LAYERS = ("software", "data centre", "workflow")
SEVERITIES = ("blocks", "degrades", "silent", "cosmetic")
"""`blocks`: does not run on Ascend. `degrades`: runs, slower or with less. `silent`: runs, but means something else.
`cosmetic`: only what people read."""
SAFETIES = ("safe", "review", "report")
"""Of the automatic fix. `safe`: means the same on CUDA. `review`: a person should look. `report`: there is none."""


@dataclass(frozen=True, order=True)
class Edit:
    """Characters `start` to `end` (exclusive) of the document's text become `text`. Equal edits count once."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Finding:
    """One place. Lines and columns begin at 1, columns count characters, the end is exclusive."""

    code: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    what: str
    why: str
    layer: str
    severity: str
    replacement: str
    safety: str
    effort_days: tuple[float, float]
    runs_unchanged: bool
    edit: tuple[Edit, ...] | None = None

    def place(self) -> tuple[str, int, int, str, str]:
        """What findings are sorted by: the same on every run."""
        return self.path, self.line, self.column, self.code, self.what


@dataclass(frozen=True, order=True)
class Trouble:
    """A file that could not be read or parsed: named, and left alone."""

    path: str
    line: int
    reason: str


def shortened(text: str, most: int = 60) -> str:
    """A text in quotes, on one line and not too long, for `what`."""
    line = " ".join(text.split())
    return repr(line if len(line) <= most else f"{line[: most - 1]}…")
