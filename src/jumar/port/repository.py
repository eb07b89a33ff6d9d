"""Which files of a repository are read: what git knows of, else everything but the usual; never outside its root."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from jumar.port.document import Document
from jumar.port.finding import Trouble

PRUNED = frozenset(
    """.git .hg .svn .tox .nox .venv venv .eggs __pycache__ node_modules site-packages
    .mypy_cache .ruff_cache .pytest_cache .ipynb_checkpoints""".split()  # noqa: SIM905  a list one reads
)
PRUNED_ON_TOP = frozenset({"build", "dist", "env"})
"""What tools make at the top; further down it is somebody's source."""
SOURCE_FOLDERS = (PurePosixPath("."), PurePosixPath("src"))
LARGEST_BYTES = 8 << 20
GO_MODULE = re.compile(r"^module[ \t]+\"?(?P<path>[\w.\-/]+)", re.MULTILINE)
GIT_WITHIN_S = 60


class NotARepository(ValueError):
    """There is no such folder; the message says which."""


@dataclass(frozen=True)
class Repository:
    """A folder, or one file. `root` is resolved; paths are relative to it, with slashes."""

    root: Path
    only: str | None = None

    @classmethod
    def at(cls, path: Path) -> Repository:
        if path.is_dir():
            return cls(path.resolve())
        if path.is_file():
            whole = path.resolve()
            return cls(whole.parent, whole.name)
        raise NotARepository(f"{path}: no such folder or file")

    def files(self) -> list[str]:
        """All that may be read, sorted. Symbolic links are left out: what they name is listed where it lies."""
        if self.only is not None:
            return [self.only]
        listed = self._known_to_git()
        return sorted(_own(listed if listed is not None else self._walked()))

    def _known_to_git(self) -> list[str] | None:
        listing = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if listing is None:
            return None
        names = {os.fsdecode(name) for name in listing.split(b"\0") if name}
        return self._plain(names)

    def git(self, *arguments: str) -> bytes | None:
        """What git prints, or None if this is no work tree of git's or there is no git."""
        if not any((folder / ".git").exists() for folder in (self.root, *self.root.parents)):
            return None
        # Nothing that the scanned repository's own configuration names may run: monitors, hooks, filters.
        quiet = ["core.fsmonitor=false", "core.hooksPath=/dev/null"]
        if arguments[0] == "diff":
            quiet += [f"{name}=" for name in self._filters]
        return self._asked(*(part for setting in quiet for part in ("-c", setting)), *arguments)

    @cached_property
    def _filters(self) -> list[str]:
        """The settings of the repository's own that say what to run on a file before it is compared."""
        pattern = r"^filter\..*\.(clean|smudge|process|required)$"
        listing = self._asked("config", "--local", "--includes", "--name-only", "-z", "--get-regexp", pattern)
        return [os.fsdecode(name) for name in (listing or b"").split(b"\0") if name]

    def _asked(self, *arguments: str) -> bytes | None:
        command = ["git", "-C", str(self.root), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, timeout=GIT_WITHIN_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def _walked(self) -> list[str]:
        found = []
        for folder, folders, names in os.walk(self.root, followlinks=False):
            inside = Path(folder).relative_to(self.root).as_posix()
            pruned = PRUNED | PRUNED_ON_TOP if inside == "." else PRUNED
            folders[:] = sorted(name for name in folders if name not in pruned)
            prefix = "" if inside == "." else f"{inside}/"
            found += self._plain(prefix + name for name in names)
        return found

    def _plain(self, names: Iterable[str]) -> list[str]:
        """Those that are files of their own, reached through no symbolic link."""
        folders: dict[str, bool] = {"": True}
        return [name for name in names if self._is_plain(name, folders)]

    def _is_plain(self, name: str, folders: dict[str, bool]) -> bool:
        """`folders` remembers of which it is known that no link leads there."""
        above = name.rpartition("/")[0]
        if above not in folders:
            place = self.root / above
            folders[above] = place.resolve() == place
        try:
            return folders[above] and stat.S_ISREG(os.lstat(f"{self.root}/{name}").st_mode)
        except (OSError, ValueError):
            return False

    def own_packages(self, names: Iterable[str]) -> frozenset[str]:
        """The first words of what can be imported from these files: packages and modules that lie in no other package;
        of Go the modules' whole paths."""
        modules = [PurePosixPath(name) for name in names if name.endswith(".py")]
        folders = {path.parent for path in modules if path.name == "__init__.py"}
        highest = {folder for folder in folders if folder.parent not in folders}
        found = {folder.name for folder in highest}
        # A package without an __init__.py of its own, as megatron is around megatron.core.
        found |= {folder.parent.name for folder in highest if folder.parent.parent in SOURCE_FOLDERS}
        found |= {path.stem for path in modules if path.parent in SOURCE_FOLDERS}
        return frozenset(found | set(self._go_modules(names))) - {""}

    def _go_modules(self, names: Iterable[str]) -> Iterator[str]:
        """Their paths, as go.mod says them."""
        for name in names:
            if name == "go.mod" or name.endswith("/go.mod"):
                document = self.read(name)
                match = GO_MODULE.search(document.text) if isinstance(document, Document) else None
                if match and "/" in match["path"]:
                    yield match["path"]

    def read(self, name: str) -> Document | Trouble | None:
        """None for what is no text. Trouble for what should have been read and could not."""
        place = self.root / name
        try:
            size = place.stat().st_size
            if size > LARGEST_BYTES:
                return Trouble(name, 0, f"{size >> 20} MiB: larger than {LARGEST_BYTES >> 20} MiB, not read")
            raw = place.read_bytes()
        except OSError as error:
            return Trouble(name, 0, f"cannot be read: {error.strerror}")
        return Document.of_bytes(name, raw)


def _own(names: list[str]) -> list[str]:
    """Without copies of other projects: Go's vendor folders and npm's."""
    vendors = tuple(name.removesuffix("modules.txt") for name in names if name.endswith("vendor/modules.txt"))
    return [
        name for name in names if not (vendors and name.startswith(vendors)) and "node_modules/" not in name
    ]
