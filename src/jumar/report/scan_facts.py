"""What a page says of a scan, as one plain dict: findings with the lines they stand on, and what they cost."""

from __future__ import annotations

import dataclasses
import datetime
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jumar
from jumar.port import cost, rules
from jumar.port.document import Document
from jumar.port.finding import LAYERS, Finding
from jumar.port.repository import Repository
from jumar.port.scanning import Scan

SHOWN = 220
"""A line is shown so far; of longer ones the part around the finding."""
BEFORE = 60


def collect(scan: Scan, repository: Repository, effort: Path | None = None) -> dict[str, Any]:
    """`effort`: the user's own table of person-days."""
    return {
        "repository": repository.only or repository.root.name,
        "revision": _revision(repository.root),
        "when": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "jumar": jumar.__version__,
        "files": sum(scan.files.values()),
        "lines": sum(scan.lines.values()),
        "layers": list(LAYERS),
        "rules": {loaded.rule.code: loaded.rule.name for loaded in rules.all_rules()},
        "estimate": dataclasses.asdict(cost.estimate(scan.findings, effort)),
        "findings": list(_findings(scan, repository)),
        "troubles": [dataclasses.asdict(one) for one in scan.troubles],
    }


def _findings(scan: Scan, repository: Repository) -> Iterable[dict[str, Any]]:
    path, lines = "", [""]
    for one in scan.findings:  # sorted by path
        if one.path != path:
            path, lines = one.path, _lines(repository, one.path)
        facts = {
            name.name: getattr(one, name.name) for name in dataclasses.fields(one) if name.name != "edit"
        }
        yield {**facts, "automatic": one.edit is not None, "shown": shown(one, lines)}


def _lines(repository: Repository, path: str) -> list[str]:
    document = repository.read(path)
    return document.lines if isinstance(document, Document) else [""]


def shown(one: Finding, lines: list[str]) -> dict[str, Any]:
    """The line of a finding without its indent, and which part of it is meant."""
    text = lines[one.line - 1] if one.line <= len(lines) else ""
    indent = len(text) - len(text.lstrip())
    start = max(one.column - 1, indent)
    end = one.end_column - 1 if one.end_line == one.line else len(text)
    first = indent if start - indent < SHOWN - BEFORE else start - BEFORE
    return {
        "text": text[first : first + SHOWN],
        "start": start - first,
        "length": max(min(end, first + SHOWN) - start, 0),
    }


def _revision(root: Path) -> str:
    """The commit that a work tree stands on, or nothing."""
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
