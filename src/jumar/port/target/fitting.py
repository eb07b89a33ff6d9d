"""Whether versions fit together, what does not, and which releases would."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from jumar.port.target.versions import Environment, Pair, base, driver_of, pairs

WHEELS = ("x86-64", "aarch64")


@dataclass(frozen=True)
class Row:
    """One line of the answer: `state` is ok, note or bad. `source`: where it stands, empty for what was looked up here."""

    subject: str
    state: str
    seen: str
    remedy: str = ""
    source: str = ""


def choices(
    torch: str = "", python: str | None = None, cann: str | None = None, requires_python: str = ""
) -> list[Pair]:
    """The releases, newest first, that a requirement such as `>=2.4,<2.9` and what is there leave."""
    return [
        pair
        for pair in pairs()
        if allows(torch, pair.torch)
        and (python is None or python in pair.python)
        and (cann is None or any(same_release(cann, one) for one in (pair.cann, *pair.also)))
        and any(allows(requires_python, f"{one}.99") for one in pair.python)
    ]


def nearest(specifier: str, pairs: Sequence[Pair]) -> list[Pair]:
    """Those nearest to a version that the requirement names."""
    named = re.search(r"(\d+)\.(\d+)", specifier)
    if named is None:
        return list(pairs)
    wanted = int(named[1]), int(named[2])

    def apart(pair: Pair) -> tuple[int, int]:
        major, minor = (int(part) for part in pair.torch.split(".")[:2])
        return abs(major - wanted[0]), abs(minor - wanted[1])

    return sorted(pairs, key=apart)


def allows(specifier: str, version: str) -> bool:
    """Whether a requirement leaves a version. One that cannot be read leaves all."""
    try:
        return SpecifierSet(specifier, prereleases=True).contains(Version(base(version)))
    except (InvalidSpecifier, InvalidVersion):
        return True


def same_release(one: str, other: str) -> bool:
    """8.5.0 and 8.5.2 are one release of CANN, 8.0.RC1 and 8.0.RC2 are not."""
    return _release(one) == _release(other)


def _release(version: str) -> tuple[str, ...]:
    parts = version.upper().split(".")
    return tuple(parts[:3]) if len(parts) > 2 and parts[2].startswith("RC") else tuple(parts[:2])


def check(environment: Environment) -> list[Row]:
    """Every pair of what must fit, with the remedy where it does not."""
    return [
        *_frameworks(environment),
        *_python(environment),
        *_cann(environment),
        *_driver(environment),
        *_architecture(environment),
    ]


def _row_of(environment: Environment) -> Pair | None:
    """The row that the versions of torch and torch_npu point at; CANN decides between several of one torch."""
    if environment.torch_npu:
        return next((pair for pair in pairs() if pair.torch_npu == base(environment.torch_npu)), None)
    if not environment.torch:
        return None
    fitting = [pair for pair in pairs() if pair.torch == base(environment.torch)]
    same = [pair for pair in fitting if environment.cann and same_release(environment.cann, pair.cann)]
    return next(iter(same or fitting), None)


def _frameworks(environment: Environment) -> Iterator[Row]:
    torch, adapter = environment.torch, environment.torch_npu
    if not torch and not adapter:
        newest = pairs()[0]
        yield Row(
            "torch, torch_npu", "bad", "neither is installed",
            f"pip install torch=={newest.torch} torch-npu=={newest.torch_npu}", newest.source,
        )  # fmt: skip
        return
    row = _row_of(environment)
    seen = f"torch {torch or 'missing'}, torch_npu {adapter or 'missing'}"
    if row is None:
        known = ", ".join(dict.fromkeys(pair.torch for pair in pairs()[:12]))
        yield Row(
            "torch, torch_npu", "bad", f"{seen}: no release is known to fit", f"take one of torch {known}"
        )
    elif torch is None or adapter is None or base(torch) != row.torch:
        remedy = f"pip install torch=={row.torch} torch-npu=={row.torch_npu}"
        yield Row("torch, torch_npu", "bad", seen, remedy, row.source)
    else:
        state = "ok" if row.confidence == "vendor" else "note"
        yield Row("torch, torch_npu", state, f"{seen}: they fit", "", row.source)
    if torch and "+cu" in torch:
        yield Row(
            "torch",
            "note",
            f"{torch} is a build for CUDA",
            "the CPU build is smaller, torch_npu needs no other",
        )


def _python(environment: Environment) -> Iterator[Row]:
    row = _row_of(environment)
    if row is None or environment.python is None:
        return
    if environment.python in row.python:
        yield Row("Python", "ok", f"{environment.python}, of {', '.join(row.python)}", "", row.source)
    else:
        remedy = f"use Python {row.python[-1]}, or another torch: {_others(environment)}"
        yield Row(
            "Python",
            "bad",
            f"{environment.python}: no wheel of torch_npu {row.torch_npu}",
            remedy,
            row.source,
        )


def _others(environment: Environment) -> str:
    fitting = choices(python=environment.python)
    return ", ".join(dict.fromkeys(pair.torch for pair in fitting[:6])) or "none has one"


def _cann(environment: Environment) -> Iterator[Row]:
    row = _row_of(environment)
    if environment.cann is None:
        wanted = f"CANN {row.cann} goes with torch_npu {row.torch_npu}" if row else "none is known to fit"
        yield Row("CANN", "note", f"not found; {wanted}", "", row.source if row else "")
    elif row is not None and same_release(environment.cann, row.cann):
        yield Row("CANN", "ok", f"{environment.cann}, as torch_npu {row.torch_npu} wants", "", row.source)
    elif row is not None and any(same_release(environment.cann, one) for one in row.also):
        seen = f"{environment.cann}; torch_npu {row.torch_npu} was made for {row.cann} and runs on it too"
        yield Row("CANN", "ok", seen, "", row.source)
    elif row is not None:
        fitting = [pair for pair in choices(cann=environment.cann) if pair.torch == row.torch]
        other = f"torch-npu=={fitting[0].torch_npu}, or " if fitting else ""
        seen = f"{environment.cann}; torch_npu {row.torch_npu} was made for {row.cann}"
        yield Row("CANN", "bad", seen, f"install {other}CANN {row.cann}", row.source)


def _driver(environment: Environment) -> Iterator[Row]:
    row = _row_of(environment)
    cann = environment.cann or (row.cann if row else None)
    driver = driver_of(cann) if cann else None
    if cann is None:
        return
    if driver is None:
        yield Row(
            "driver", "note", f"no table of drivers for CANN {cann}", "see the release notes of that CANN"
        )
    elif environment.driver is None:
        seen = f"not found; CANN {cann} runs on Ascend HDK {', '.join(driver.hdk)}"
        yield Row("driver", "note", seen, "", driver.source)
    elif any(environment.driver == one or environment.driver.startswith(one + ".") for one in driver.hdk):
        yield Row("driver", "ok", f"{environment.driver}, of {', '.join(driver.hdk)}", "", driver.source)
    else:
        remedy = f"install Ascend HDK {driver.hdk[-1]} (driver and firmware)"
        yield Row("driver", "bad", f"{environment.driver}; CANN {cann} wants another", remedy, driver.source)


def _architecture(environment: Environment) -> Iterator[Row]:
    if environment.architecture in WHEELS:
        yield Row("architecture", "ok", f"{environment.architecture}: there are wheels")
    elif environment.architecture:
        remedy = f"take one of {', '.join(WHEELS)}"
        yield Row("architecture", "bad", f"{environment.architecture}: torch_npu has no wheels", remedy)


def narrowed(specifiers: Sequence[str]) -> str:
    """Several requirements for one package as one."""
    return ",".join(dict.fromkeys(part for one in specifiers for part in one.split(",") if part))
