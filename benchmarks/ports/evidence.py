"""How long people took: days on which authors committed to the branch of a port, and days from its first to last."""

from __future__ import annotations

import datetime
import subprocess
from dataclasses import dataclass
from pathlib import Path

import mirrors
import words
from mirrors import Port

COLUMNS = ("set", "repo", "pr", "commits", "author_days", "calendar_days", "lines", "naming_kin", "within")
SHARED_BRANCH_COMMITS = 60  # a branch with more has merged its main line into itself and says nothing


@dataclass(frozen=True)
class Evidence:
    """`author_days`: pairs of author and day with a commit; less than the effort where work was squashed or not
    committed, more where a day had one small commit. `calendar_days`: from the first commit to the last."""

    port: Port
    commits: int
    author_days: int
    calendar_days: int
    lines: int
    naming_kin: int


def write(folder: Path, table: Path) -> None:
    """A row for each port whose branch is known; `within`: whether effort.tsv's range holds its author-days."""
    from jumar.port import cost

    once, each = cost.table()["software", cost.ONCE], cost.days("C001", "blocks")
    rows = ["\t".join(COLUMNS)]
    for one in collect(folder):
        low, high = (once[end] + each[end] * one.naming_kin for end in (0, 1))
        within = "yes" if low <= one.author_days <= high else "no"
        port = one.port
        cells = (
            port.group,
            port.repo,
            port.pr,
            one.commits,
            one.author_days,
            one.calendar_days,
            one.lines,
            one.naming_kin,
        )
        rows.append("\t".join((*map(str, cells), within)))
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")


def collect(folder: Path) -> list[Evidence]:
    """Of every port whose pull request the mirror has."""
    return [found for port in mirrors.ports() if (found := _of(folder, port)) is not None]


def _of(folder: Path, port: Port) -> Evidence | None:
    place = mirrors.mirror(folder, port.repo)
    branch = f"refs/pull/{port.pr}/head"
    try:
        base = mirrors.git(place, "merge-base", branch, port.parent).decode().strip()
        log = mirrors.git(place, "log", "--no-merges", "--format=%an\t%as", f"{base}..{branch}").decode()
    except subprocess.CalledProcessError:
        return None
    commits = [line.split("\t") for line in log.splitlines()]
    if not 0 < len(commits) <= SHARED_BRANCH_COMMITS:
        return None
    days = sorted(datetime.date.fromisoformat(day) for _, day in commits)
    changed = mirrors.changed_out(folder, port)
    return Evidence(
        port,
        len(commits),
        len({tuple(commit) for commit in commits}),
        (days[-1] - days[0]).days + 1,
        len(changed),
        sum(words.names_kin(line.text) for line in changed),
    )
