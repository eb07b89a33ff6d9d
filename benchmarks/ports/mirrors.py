"""Public repositories at rest: bare mirrors or clones in one folder, read with git and never run."""

from __future__ import annotations

import io
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? ")


@dataclass(frozen=True)
class Port:
    """A commit in which people ported: `parent` is what they found. `group`: given, or held out."""

    repo: str
    pr: str
    commit: str
    parent: str
    date: str
    group: str


@dataclass(frozen=True)
class Line:
    """A line that people changed or took out. `text` without its newline."""

    port: Port
    path: str
    number: int
    text: str


def rows(name: str) -> list[dict[str, str]]:
    """A table of this folder."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    columns = lines[0].split("\t")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[1:] if line]


def ports() -> list[Port]:
    return [
        Port(row["repo"], row["pr"], row["commit"], row["parent"], row["date"], row["set"])
        for row in rows("commits.tsv")
    ]


def mirror(folder: Path, repo: str) -> Path:
    """The git directory of `owner/name`, as `owner+name/repo`, `owner+name` or `owner/name` below the folder."""
    for place in (folder / repo.replace("/", "+") / "repo", folder / repo.replace("/", "+"), folder / repo):
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"{repo}: no mirror in {folder}; git clone --mirror https://github.com/{repo} there"
    )


def git(place: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(place), "-c", "core.quotePath=false", *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout


def changed_out(folder: Path, port: Port) -> list[Line]:
    """Lines of the parent that the commit changed or removed."""
    diff = git(
        mirror(folder, port.repo), "diff", "-U0", "--no-renames", "--no-color", port.parent, port.commit
    )
    found: list[Line] = []
    path, number = "", 0
    inside = False
    for raw in diff.split(b"\n"):
        if raw.startswith(b"diff --git "):
            inside = False
        elif not inside and raw.startswith(b"--- a/"):
            path = raw[6:].decode("utf-8", "replace").rstrip("\t")
        elif hunk := HUNK.match(raw):
            inside, number = True, int(hunk[1])
        elif inside and raw.startswith(b"-"):
            found.append(Line(port, path, number, raw[1:].decode("utf-8", "replace").rstrip("\r")))
            number += 1
    return found


def export(folder: Path, repo: str, commit: str, into: Path, paths: list[str] | None = None) -> None:
    """Writes a commit's plain files below `into`, all or those in `paths`. What the mirror lacks is left out."""
    place = mirror(folder, repo)
    listing = git(place, "ls-tree", "-r", "-z", commit, "--", *(paths or [])).split(b"\0")
    wanted: dict[str, str] = {}
    for entry in filter(None, listing):
        (mode, _, blob), path = entry.split(b"\t")[0].split(), entry.split(b"\t", 1)[1]
        if mode in (b"100644", b"100755"):
            wanted[path.decode("utf-8", "surrogateescape")] = blob.decode()
    asked = "".join(f"{blob}\n" for blob in wanted.values())
    command = ["git", "-C", str(place), "cat-file", "--batch"]
    answer = io.BytesIO(subprocess.run(command, input=asked.encode(), capture_output=True, check=True).stdout)
    for path in wanted:
        heading = answer.readline().split()
        if len(heading) == 3:  # else the mirror does not have it
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(answer.read(int(heading[2])))
            answer.read(1)
