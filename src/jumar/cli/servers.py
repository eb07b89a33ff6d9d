"""Virtual servers by name: those that live on this machine, and which of them a command means."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from jumar import environment
from jumar.cli.refusal import Refusal
from jumar.machine import server

PREFIX = "jumar-"
STATE = "state"
OWNER = (
    "owner"  # file with the process that removes the server at its end; none: it lives until it is stopped
)


def parent() -> Path:
    """Where servers lie."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(runtime if runtime and os.access(runtime, os.W_OK) else tempfile.gettempdir())


def live() -> list[Path]:
    """Directories of the servers on this machine that this person may use, the oldest first."""
    found = [path for path in parent().glob(f"{PREFIX}*/{STATE}") if lives(path.parent)]
    return [path.parent for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path))]


def name(directory: Path) -> str:
    return directory.name.removeprefix(PREFIX)


def find(wanted: str | None) -> Path:
    """The server of that name or directory; without one that of this shell, else the only one there is."""
    if wanted is not None:
        for directory in (Path(wanted), parent() / wanted, parent() / f"{PREFIX}{wanted}"):
            if (directory / STATE).is_file():
                return directory.resolve()
        raise Refusal(f"no server {wanted!r} lives here; {_choice(live())}")
    own = os.environ.get(environment.SERVER)
    if own and (Path(own) / STATE).is_file():
        return Path(own)
    found = live()
    if len(found) != 1:
        many = f"{len(found)} servers live here: say --server NAME" if found else "no server lives here"
        raise Refusal(f"{many}; {_choice(found)}")
    return found[0]


def own(directory: Path) -> None:
    """Notes that this process removes the server when it ends."""
    (directory / OWNER).write_text(f"{os.getpid()}\n", encoding="utf-8")


def disown(directory: Path) -> None:
    """It stays when this process ends."""
    (directory / OWNER).unlink(missing_ok=True)


def _choice(found: list[Path]) -> str:
    if found:
        return f"there are {', '.join(name(one) for one in found)}"
    return '`jumar run train.py` and `eval "$(jumar env)"` make one'


def lives(directory: Path) -> bool:
    """Whether it is a server of ours, whose owner has not died without removing it."""
    state = directory / STATE
    return state.is_file() and state.stat().st_uid == os.getuid() and not abandoned(directory)


def abandoned(directory: Path) -> bool:
    """Whether it is a server of ours that nobody will remove, and no program uses: its owner was killed."""
    note = directory / OWNER
    try:
        if note.stat().st_uid != os.getuid() or not (directory / STATE).is_file():
            return False
        owner = int(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # no owner is noted
    return not Path(f"/proc/{owner}").exists() and not _used(directory)


def _used(directory: Path) -> bool:
    try:
        return bool(server.report(directory)["processes"])
    except (server.ServerError, ImportError):
        return False  # of another build, or not whole
