"""The chips that ship, and how a name, an alias or a file becomes a chip."""

from __future__ import annotations

import difflib
import re
from functools import cache
from pathlib import Path

from jumar.chips.profile import BadProfile, Chip
from jumar.chips.reading import load

FOLDER = Path(__file__).parent
DEFAULT = "Ascend910B2"
VENDORS = ("Huawei", "NVIDIA", "AMD", "Google")
HEAD = re.compile(r"^(?:name|aliases) = (.*)$", re.MULTILINE)


class UnknownChip(LookupError):
    """No chip has this name: the message names the nearest ones."""


class NotPresentable(UnknownChip):
    """The chip can be priced, but torch_npu does not know it, so no program can run on it."""


@cache
def all_chips() -> tuple[Chip, ...]:
    """Every chip that ships, the default first, then by vendor, generation and name."""
    chips = [load(path) for path in _files()]
    _check_names(chips)
    return tuple(sorted(chips, key=_place))


def _files() -> list[Path]:
    return sorted(FOLDER.glob("*/*.toml"))


def _place(chip: Chip) -> tuple[bool, int, str, str, str]:
    vendor = VENDORS.index(chip.vendor) if chip.vendor in VENDORS else len(VENDORS)
    return (chip.name != DEFAULT, vendor, chip.vendor, chip.generation, chip.name)


def _check_names(chips: list[Chip]) -> None:
    owner: dict[str, str] = {}
    for chip in chips:
        for name in chip.names():
            if owner.setdefault(name.lower(), chip.name) != chip.name:
                raise BadProfile(
                    f"{chip.name}.toml: aliases: {owner[name.lower()]} is called {name} too; drop one"
                )


@cache
def _heads() -> dict[str, Path]:
    """Lower-case name or alias -> file, from the first lines of each: quick, because nothing else is read."""
    named: dict[str, Path] = {}
    for path in _files():
        for listed in HEAD.findall(path.read_text(encoding="utf-8")):
            named |= {name.lower(): path for name in re.findall(r'"([^"]+)"', listed)}
    return named


@cache
def _shipped(path: Path) -> Chip:
    return load(path)


def find(name: str | Chip) -> Chip:
    """The chip of that name or alias, in any case, or of that file (`mine.toml`); a chip is returned as it is.
    UnknownChip with the nearest names if there is none, BadProfile if the file is not complete."""
    if isinstance(name, Chip):
        return name
    if name.strip().endswith(".toml"):
        return load(Path(name.strip()))
    wanted = name.strip().lower()
    if wanted in _heads():
        return _shipped(_heads()[wanted])
    near = difflib.get_close_matches(wanted, _heads(), n=3, cutoff=0.6)
    spelled = [next(one for one in _shipped(_heads()[key]).names() if one.lower() == key) for key in near]
    hint = f"did you mean {' or '.join(spelled)}?" if near else "there is none like it."
    raise UnknownChip(f"unknown chip {name!r}: {hint} `jumar chips` lists all.")


def presented(chip: Chip) -> Chip:
    """The chip itself, if torch_npu can see it, which is under its SoC name. NotPresentable if it has none."""
    if chip.soc:
        return chip
    dies = [one.name for one in all_chips() if one.packaged_in == chip.name]
    if dies:
        why, instead = "a program sees its dies, not the package", f"run on {' or '.join(dies)}"
    else:
        why, instead = "torch_npu does not know it", "run on an Ascend chip of `jumar chips`"
    raise NotPresentable(
        f"{chip.name} can be priced, not run: {why}; {instead} and price that run on {chip.name}"
    )
