"""`jumar scan`: what ties a repository to CUDA."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from jumar.cli.processes import processes
from jumar.cli.refusal import Refusal
from jumar.port import cost, revision, rules, scanning, settings
from jumar.port.document import Document
from jumar.port.finding import SEVERITIES, Finding
from jumar.port.repository import NotARepository, Repository
from jumar.report import sarif, scan_facts, scan_lines, scan_page

STANDARD_OUTPUT = "-"
MOST_WARNINGS = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "repository", nargs="?", default=".", metavar="REPO", help="a folder, or one file (default: .)"
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="only these files of it")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--lines", action="store_true", help="print every finding on a line, instead of a summary"
    )
    shown.add_argument("--json", action="store_true", help="print JSON")
    shown.add_argument(
        "--sarif",
        nargs="?",
        const=STANDARD_OUTPUT,
        metavar="FILE",
        help="print SARIF 2.1.0, or write it to FILE",
    )
    shown.add_argument(
        "--explain", metavar="CODE", help="say what a rule finds, why, and with which examples"
    )
    parser.add_argument("--html", metavar="FILE", help="write one page with everything found")
    parser.add_argument(
        "--effort", metavar="FILE", help="a table of person-days of one's own, before the one that ships"
    )
    parser.add_argument(
        "--diff", metavar="REV", help="only what stands on lines that differ from a revision of git's"
    )
    parser.add_argument(
        "--select", action="append", default=[], metavar="CODES", help="only these rules: C,K001"
    )
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="CODES", help="all rules but these: C06,W"
    )
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="leave paths out: docs/*"
    )
    parser.add_argument(
        "--fail-on", choices=SEVERITIES, help="exit code 1 if something is found that weighs as much, or more"
    )
    parser.add_argument("--jobs", type=processes, metavar="N", help="processes (default: one a core)")
    parser.epilog = "Exit code 0, also with findings; 1 with --fail-on; 2 if it cannot be done as asked."


def execute(chosen: argparse.Namespace) -> int:
    begun = time.perf_counter()
    if chosen.explain:
        print(_explained(chosen.explain.upper()))
        return 0
    try:
        repository, names = _named(chosen)
        wanted = settings.read(repository.root).with_more(chosen.select, chosen.ignore, chosen.exclude)
        names = [name for name in names if wanted.reads(name)]
        changed = revision.changes(repository, chosen.diff) if chosen.diff else None
        if changed is not None:
            names = [name for name in names if name in changed.lines]
        found = scanning.scan(repository, names, wanted.wants, chosen.jobs, Progress())
        if changed is not None:
            found = found.only(changed.touch)
        effort = _table(chosen.effort) or wanted.effort
        for one in found.warnings[:MOST_WARNINGS]:
            print(f"jumar scan: {one.path}:{one.line}: {one.reason}", file=sys.stderr)
        _print(found, repository, chosen, effort, time.perf_counter() - begun)
    except (NotARepository, settings.BadSettings, revision.NoRevision, cost.EffortError) as error:
        raise Refusal(str(error)) from error
    return int(_fails(found.findings, chosen.fail_on))


def _named(chosen: argparse.Namespace) -> tuple[Repository, list[str]]:
    """The repository and the files of it. Several files are of the folder one stands in, as pre-commit names them."""
    if not chosen.files:
        repository = Repository.at(Path(chosen.repository))
        return repository, repository.files()
    first = Path(chosen.repository)
    if first.is_dir():
        return (repository := Repository.at(first)), [
            _inside(repository, first / one) for one in chosen.files
        ]
    repository = Repository.at(Path())
    return repository, sorted({_inside(repository, Path(one)) for one in (chosen.repository, *chosen.files)})


def _inside(repository: Repository, path: Path) -> str:
    whole = path.resolve()
    if not whole.is_relative_to(repository.root) or not whole.is_file():
        raise NotARepository(f"{path}: no file in {repository.root}")
    return whole.relative_to(repository.root).as_posix()


def _fails(findings: tuple[Finding, ...], least: str | None) -> bool:
    if least is None:
        return False
    counted = SEVERITIES[: SEVERITIES.index(least) + 1]
    return any(one.severity in counted for one in findings)


def _print(
    found: scanning.Scan,
    repository: Repository,
    chosen: argparse.Namespace,
    effort: Path | None,
    seconds: float,
) -> None:
    estimate = cost.estimate(found.findings, effort)
    if chosen.html:
        _write(Path(chosen.html), scan_page.render(scan_facts.collect(found, repository, effort)))
    name = repository.root.name
    if chosen.json:
        _dump(scan_lines.facts(found, name, estimate))
    elif chosen.sarif == STANDARD_OUTPUT:
        _dump(sarif.log(found, _fixed(found, repository)))
    elif chosen.lines:
        for one in found.findings:
            print(scan_lines.line(one))
    else:
        print(scan_lines.text(found, name, seconds, estimate))
        if chosen.sarif:
            _write(Path(chosen.sarif), json.dumps(sarif.log(found, _fixed(found, repository)), indent=1))


def _table(name: str | None) -> Path | None:
    if name is not None and not Path(name).is_file():
        raise Refusal(f"{name}: no such table of person-days")
    return Path(name) if name else None


def _explained(code: str) -> str:
    rule = next((one.rule for one in rules.all_rules() if one.rule.code == code), None)
    if rule is None:
        known = ", ".join(one.rule.code for one in rules.all_rules())
        raise Refusal(f"no rule {code}; there are {known}")
    return scan_lines.explained(rule)


def _fixed(found: scanning.Scan, repository: Repository) -> dict[str, Document]:
    """The files that have a finding with an edit."""
    read = {one.path: repository.read(one.path) for one in found.findings if one.edit}
    return {path: document for path, document in read.items() if isinstance(document, Document)}


def _dump(facts: dict[str, Any]) -> None:
    json.dump(facts, sys.stdout, indent=1)
    print()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{path}: cannot be written: {error.strerror}; choose another file") from error


class Progress:
    """A line on a terminal that says how far it is; nothing elsewhere."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()
        self.last = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self.shown or (done < total and now - self.last < 0.1):
            return
        self.last = now
        words = "" if done >= total else f"{done:,} of {total:,} files"
        print(f"\r{words:<40}", end="" if words else "\r", file=sys.stderr, flush=True)
