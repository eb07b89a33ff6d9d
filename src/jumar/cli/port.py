"""`jumar port`: what a repository would become, as a diff; `--write` or `--branch` makes it so."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jumar.cli.processes import processes
from jumar.cli.refusal import Refusal
from jumar.cli.scan import Progress
from jumar.port import porting, rewriting, settings, writing
from jumar.port.finding import Finding, Trouble
from jumar.port.porting import Change, Port
from jumar.port.repository import NotARepository, Repository

EXAMPLES_SHOWN = 3
MESSAGE = "Run on whichever accelerator there is: CUDA, Ascend or none\n\nWritten by jumar port."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("repository", metavar="REPO", type=Path, help="a folder, or one file")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="change the files: all of them or none")
    how.add_argument(
        "--branch", metavar="NAME", help="commit on a new git branch; the work tree stays as it is"
    )
    parser.add_argument(
        "--safety",
        choices=("safe", "review"),
        default="safe",
        help="which fixes: those that mean the same on CUDA (default), or also those to be looked at",
    )
    for name, meaning in (
        ("select", "only these rules: C010,D (a letter is all of its kind)"),
        ("ignore", "all rules but these"),
        ("exclude", "leave paths out: docs/*"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar=name.upper(), help=meaning)
    parser.add_argument("--jobs", type=processes, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--json", action="store_true", help="print JSON, with the diff in it")


def execute(chosen: argparse.Namespace) -> int:
    try:
        repository = Repository.at(chosen.repository)
        wanted = settings.read(repository.root).with_more(chosen.select, chosen.ignore, chosen.exclude)
    except (NotARepository, settings.BadSettings) as error:
        raise Refusal(str(error)) from error
    names = [name for name in repository.files() if wanted.reads(name)]
    made = porting.port(repository, chosen.safety, wanted.wants, names, chosen.jobs, Progress())
    done = _apply(repository, made, chosen)
    if chosen.json:
        print(json.dumps(plain(made, done), indent=2, ensure_ascii=False))
        return 0
    if not chosen.write and not chosen.branch:
        sys.stdout.writelines(line for change in made.changes for line in diff(change))
        sys.stdout.flush()
    print("\n".join(summary(made, chosen.safety, done)), file=sys.stderr)
    return 0


def _apply(repository: Repository, made: Port, chosen: argparse.Namespace) -> str:
    """Does what was asked for, and says what was done."""
    try:
        if not made.changes:
            return "nothing to change"
        if chosen.branch:
            commit = writing.commit(repository, made.changes, chosen.branch, MESSAGE)
            return f"committed as {commit[:12]} on the branch {chosen.branch}; `git switch {chosen.branch}` shows it"
        if chosen.write:
            writing.write(repository, made.changes)
            return f"{_count(len(made.changes), 'file')} written"
    except writing.NotWritten as error:
        raise Refusal(str(error)) from error
    return "nothing was written: --write changes the files, --branch NAME commits them on a branch"


def diff(change: Change) -> list[str]:
    before = None if change.before is None else change.before.decode(change.encoding)
    return list(rewriting.diff(change.path, before, change.after.decode(change.encoding)))


def plain(made: Port, done: str) -> dict[str, Any]:
    """For JSON: the changes with their diffs, and what is left."""
    return {
        "done": done,
        "changes": [
            {
                "path": change.path,
                "new": change.before is None,
                "why": change.why,
                "findings": [_row(finding) for finding in change.applied],
                "diff": "".join(diff(change)),
            }
            for change in made.changes
        ],
        "review": [_row(finding) for finding in made.review],
        "report": [_row(finding) for finding in made.report],
        "left_alone": [{"path": one.path, "line": one.line, "reason": one.reason} for one in made.troubles],
    }


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "what": finding.what,
        "severity": finding.severity,
        "safety": finding.safety,
        "replacement": finding.replacement,
    }


def summary(made: Port, safety: str, done: str) -> list[str]:
    """One screen: what was changed, what needs a look, what only a person can do, what was left alone."""
    edited = [change for change in made.changes if change.before is not None]
    new = [change for change in made.changes if change.before is None]
    lines = [
        f"changed      {_count(len(made.applied), 'place')} in {_count(len(edited), 'file')}{_codes(made.applied)}"
    ]
    if new:
        lines.append(f"new          {_count(len(new), 'file')}: {', '.join(one.path for one in new[:8])}")
    more = "" if safety == "review" else "; --safety review makes these changes too"
    lines += _group("to review", made.review, more)
    blocking = [one for one in made.report if one.severity != "cosmetic"]
    words = len(made.report) - len(blocking)
    lines += _group("by hand", blocking, f"; and {words:,} that only people read" if words else "")
    lines += [f"left alone   {_place(one)}: {one.reason}" for one in made.troubles]
    return [*lines, done]


def _place(one: Trouble) -> str:
    return f"{one.path}:{one.line}" if one.line else one.path


def _group(title: str, findings: Sequence[Finding], more: str) -> list[str]:
    if not findings:
        return [f"{title:<12} nothing"]
    order = {"blocks": 0, "silent": 1, "degrades": 2, "cosmetic": 3}
    first = sorted(findings, key=lambda one: (order[one.severity], one.place()))[:EXAMPLES_SHOWN]
    lines = [f"{title:<12} {_count(len(findings), 'place')}{_codes(findings)}{more}"]
    return lines + [
        f"             {one.path}:{one.line}: {one.what} ({one.code}) → {one.replacement}" for one in first
    ]


def _codes(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.code for finding in findings).most_common(6)
    return f" ({', '.join(f'{code} {count}' for code, count in counts)})" if counts else ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
