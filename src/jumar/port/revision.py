"""Which lines of a repository differ from a revision of git's: what `--diff` looks at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jumar.port.finding import Finding
from jumar.port.repository import Repository

HUNK = re.compile(rb"@@ -\S+ \+(\d+)(?:,(\d+))? @@")
ANY_LINE = (1, 1 << 60)


class NoRevision(ValueError):
    """git does not know the revision, or this is no work tree of git's."""


@dataclass(frozen=True)
class Changes:
    """First and last line of every change, by path."""

    lines: dict[str, list[tuple[int, int]]]

    def touch(self, one: Finding) -> bool:
        return any(first <= one.end_line and one.line <= last for first, last in self.lines.get(one.path, ()))


def changes(repository: Repository, revision: str) -> Changes:
    """What the files have that the revision has not; files that git does not know count in full."""
    if revision.startswith("-"):
        raise NoRevision(f"{revision}: no revision")
    options = (
        "--unified=0",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--no-renames",
        "--relative",
        "-z",
    )
    if repository.git("rev-parse", "--git-dir") is None:
        raise NoRevision(
            f"{repository.root} is no git repository, so nothing can be compared with {revision}"
        )
    if repository.git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        raise NoRevision(f"git knows no revision {revision} in {repository.root}")
    names = repository.git("diff", "--name-only", *options[1:], "--diff-filter=d", revision, "--", ".")
    unknown = repository.git("ls-files", "-z", "--others", "--exclude-standard")
    if names is None or unknown is None:
        raise NoRevision(f"git could not compare {repository.root} with {revision}")
    lines = {name.decode(errors="surrogateescape"): [ANY_LINE] for name in unknown.split(b"\0") if name}
    for name in (one.decode(errors="surrogateescape") for one in names.split(b"\0") if one):
        patch = repository.git("diff", *options[:-1], revision, "--", name) or b""
        lines[name] = [hunk for match in HUNK.finditer(patch) if (hunk := _lines(match))]
    return Changes(lines)


def _lines(match: re.Match[bytes]) -> tuple[int, int] | None:
    """None where lines were only taken away."""
    first = int(match[1])
    count = int(match[2]) if match[2] is not None else 1
    return (first, first + count - 1) if count else None
