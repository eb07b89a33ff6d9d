"""Puts what was ported into the repository: all files or none, each whole; or on a branch of its own, in git alone."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jumar.port.porting import Change
from jumar.port.repository import Repository

PREFIX = ".jumar-port-"
SAFE_SETTINGS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
PLAIN, EXECUTABLE = "100644", "100755"


class NotWritten(RuntimeError):
    """Nothing was changed; the message says why and what to do."""


def write(repository: Repository, changes: Sequence[Change]) -> None:
    """NotWritten, with every file as it was, if one of them cannot be written or has changed since it was read."""
    prepared: list[tuple[Path, Path]] = []
    try:
        for change in changes:
            prepared.append((_prepare(repository, change), repository.root / change.path))
        for change in changes:
            _check_unchanged(repository, change)
        _replace_all(prepared, changes)
    except OSError as error:
        place = error.filename or ""
        raise NotWritten(f"{place}: {error.strerror}; nothing was changed") from error
    finally:
        for made, _ in prepared:
            made.unlink(missing_ok=True)


def _prepare(repository: Repository, change: Change) -> Path:
    """The new contents in a file beside the old one, so that replacing it is one step."""
    target = repository.root / change.path
    _check_inside(repository, target)
    if change.before is None:
        target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=PREFIX, dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(change.after)
        file.flush()
        os.fsync(file.fileno())
    made = Path(name)
    made.chmod(target.stat().st_mode & 0o7777 if change.before is not None else 0o644)
    return made


def _check_inside(repository: Repository, target: Path) -> None:
    """Directories between may have become symbolic links since the scan."""
    above = target.parent
    while not above.exists():
        above = above.parent
    if target.is_symlink() or not above.resolve().is_relative_to(repository.root):
        raise NotWritten(f"{target}: leads out of the repository; nothing was changed")


def _check_unchanged(repository: Repository, change: Change) -> None:
    target = repository.root / change.path
    now = target.read_bytes() if target.exists() else None
    if now != change.before:
        raise NotWritten(f"{target}: changed while it was being ported; run it again. Nothing was changed")


def _replace_all(prepared: Sequence[tuple[Path, Path]], changes: Sequence[Change]) -> None:
    done: list[tuple[Path, Change]] = []
    try:
        for (made, target), change in zip(prepared, changes, strict=True):
            made.replace(target)
            done.append((target, change))
    except OSError:
        for target, change in done:
            _put_back(target, change)
        raise


def _put_back(target: Path, change: Change) -> None:
    if change.before is None:
        target.unlink(missing_ok=True)
        return
    handle, name = tempfile.mkstemp(prefix=PREFIX, dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(change.before)
    Path(name).chmod(target.stat().st_mode & 0o7777)
    Path(name).replace(target)


def commit(repository: Repository, changes: Sequence[Change], branch: str, message: str) -> str:
    """A commit on a new branch, on top of what is checked out; the work tree stays as it is. Returns its id."""
    head = _git(repository, "rev-parse", "--verify", "-q", "HEAD^{commit}").strip()
    _refuse_branch(repository, branch)
    _refuse_uncommitted(repository)
    prefix = _git(repository, "rev-parse", "--show-prefix").strip()
    with tempfile.TemporaryDirectory(prefix="jumar-index-") as folder:
        index = {**os.environ, "GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git(repository, "read-tree", head, env=index)
        for change in changes:
            _stage(repository, change, head, prefix, index)
        tree = _git(repository, "write-tree", env=index).strip()
    commit_id = _git(repository, "commit-tree", tree, "-p", head, "-m", message).strip()
    _git(repository, "update-ref", f"refs/heads/{branch}", commit_id, "0" * 40)
    return commit_id


def _refuse_branch(repository: Repository, branch: str) -> None:
    try:
        _git(repository, "check-ref-format", "--branch", branch)
    except NotWritten as error:
        raise NotWritten(f"{branch!r} is no name for a branch; choose another") from error
    if _git(repository, "for-each-ref", f"refs/heads/{branch}").strip():
        raise NotWritten(f"the branch {branch} is there already; choose another name or delete it")


def _refuse_uncommitted(repository: Repository) -> None:
    """What was read is the work tree, and what the branch begins with is the last commit: they must be the same."""
    found = _git(repository, "status", "--porcelain", "--untracked-files=no", "--", ".").splitlines()
    if found:
        more = f" and {len(found) - 1} more have" if len(found) > 1 else " has"
        raise NotWritten(
            f"{found[0][3:]}{more} changes that are not committed; commit them first, or use --write"
        )


def _stage(repository: Repository, change: Change, head: str, prefix: str, index: dict[str, str]) -> None:
    mode = PLAIN
    if change.before is not None:
        if _git(repository, "status", "--porcelain", "--", change.path):
            raise NotWritten(
                f"{change.path}: has changes that are not committed; commit them first, or use --write"
            )
        listed = _git(repository, "ls-tree", head, "--", change.path)
        mode = EXECUTABLE if listed.startswith(EXECUTABLE) else PLAIN
    blob = _git(repository, "hash-object", "-w", "--stdin", "--path", change.path, given=change.after).strip()
    _git(
        repository, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{prefix}{change.path}", env=index
    )


def _git(repository: Repository, *words: str, env: dict[str, str] | None = None, given: bytes = b"") -> str:
    command = ["git", *SAFE_SETTINGS, "-C", str(repository.root), *words]
    try:
        done = subprocess.run(command, input=given, capture_output=True, env=env, check=False)
    except OSError as error:
        raise NotWritten(f"git cannot be started: {error.strerror}; --write does without it") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise NotWritten(f"git {words[0]}: {said or 'no commit here yet'}; --write does without git")
    return done.stdout.decode(errors="replace")
