"""How a repository wants to be scanned: `[tool.jumar.scan]` of its pyproject.toml, or `[scan]` of its jumar.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

LONGEST_BYTES = 1 << 20
CODES = re.compile(r"[A-Z](\d{1,3})?")


class BadSettings(ValueError):
    """A setting that cannot be used; the message names file, key and remedy."""


@dataclass(frozen=True)
class Settings:
    """`select`, `ignore`: codes or their beginnings; the longer one counts. `exclude`: patterns of paths, `docs/*`.
    `effort`: a table of one's own, before the one that ships."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    effort: Path | None = None

    def wants(self, code: str) -> bool:
        """Whether the rule's findings count."""
        chosen = _longest(code, self.select) if self.select else 0
        left_out = _longest(code, self.ignore)
        return chosen > left_out or (left_out < 0 and chosen >= 0)

    def reads(self, path: str) -> bool:
        """Whether a file is looked at: no pattern fits it or a folder that it lies in."""
        parts = path.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return not any(fnmatchcase(place, pattern.rstrip("/")) for place in above for pattern in self.exclude)

    def with_more(self, select: Iterable[str], ignore: Iterable[str], exclude: Iterable[str]) -> Settings:
        """What the command line says besides: its `select` instead of this one, the others added."""
        chosen = _codes("--select", select)
        return Settings(
            chosen or self.select,
            (*self.ignore, *_codes("--ignore", ignore)),
            (*self.exclude, *exclude),
            self.effort,
        )


def _longest(code: str, beginnings: Iterable[str]) -> int:
    """How long the longest beginning of a code is, -1 if none fits."""
    return max((len(one) for one in beginnings if code.startswith(one)), default=-1)


def read(root: Path) -> Settings:
    """Of jumar.toml if there is one, else of pyproject.toml, else what is usual. BadSettings for what it cannot use."""
    for name, keys in (("jumar.toml", ("scan",)), ("pyproject.toml", ("tool", "jumar", "scan"))):
        path = root / name
        if path.is_symlink() or not path.is_file():
            continue
        found = _section(path, keys)
        if found is not None:
            return _settings(path, found)
    return Settings()


def _section(path: Path, keys: tuple[str, ...]) -> dict[str, Any] | None:
    """None if the file has no such section, or is another tool's and not TOML."""
    if path.stat().st_size > LONGEST_BYTES:
        raise BadSettings(f"{path.name}: larger than {LONGEST_BYTES >> 20} MiB")
    written = path.read_bytes()
    own = path.name == "jumar.toml" or b"[tool.jumar" in written
    try:
        found: Any = tomllib.loads(written.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        if own:
            raise BadSettings(f"{path.name}: {error}; mend it") from error
        return None
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _settings(path: Path, found: dict[str, Any]) -> Settings:
    unknown = sorted(set(found) - {"select", "ignore", "exclude", "effort"})
    if unknown:
        raise BadSettings(
            f"{path.name}: no setting {unknown[0]!r}; there are select, ignore, exclude and effort"
        )
    effort = found.get("effort")
    if effort is not None and not isinstance(effort, str):
        raise BadSettings(f"{path.name}: effort must be the path of a table")
    return Settings(
        _codes("select", _texts(path, found, "select")),
        _codes("ignore", _texts(path, found, "ignore")),
        _texts(path, found, "exclude"),
        _inside(path, effort) if effort else None,
    )


def _inside(path: Path, name: str) -> Path:
    place = (path.parent / name).resolve()
    if not place.is_relative_to(path.parent.resolve()) or not place.is_file():
        raise BadSettings(f"{path.name}: effort: no file {name} in the repository")
    return place


def _texts(path: Path, found: dict[str, Any], key: str) -> tuple[str, ...]:
    listed = found.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise BadSettings(f'{path.name}: {key} must be a list of texts, as {key} = ["C06"]')
    return tuple(listed)


def _codes(key: str, given: Iterable[str]) -> tuple[str, ...]:
    codes = tuple(one.strip().upper() for text in given for one in text.split(",") if one.strip())
    for code in codes:
        if not CODES.fullmatch(code):
            raise BadSettings(
                f"{key}: {code!r} is no code of a rule, nor the beginning of one, as C012 or C0"
            )
    return codes
