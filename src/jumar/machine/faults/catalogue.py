"""The kinds of faults: `kinds.toml`, checked against the vendor's codes as it is read."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from jumar.abi import codes

FILE = Path(__file__).with_name("kinds.toml")
EFFECTS = {
    "lost": "all work of the chip fails, until it is replaced",
    "fail": "an operator fails, and with it the work behind it",
    "uce": "an operator fails on memory whose addresses the chip tells",
    "slow": "operators take longer by a factor",
    "corrupt": "bits of an operator's result flip",
    "link_down": "collectives of the chip fail",
    "stuck": "collectives of the chip do not end",
    "host_memory": "page-locked memory of the host is refused",
    "ecc": "error counters rise",
    "heat": "the chip gets so many degrees hotter",
}
HEALTH = ("OK", "Warning", "Alarm", "Critical")
RECOVERIES = {
    "itself": "nothing: the program goes on",
    "restart": "torch_npu.npu.stop_device and restart_device in the same process, then the last checkpoint",
    "process": "a new process, from the last checkpoint",
    "clear": "the chip's reset by whoever runs the server, or another chip: `jumar inject --clear`",
}
COUNTERS = ("single", "double", "isolated_single", "isolated_double")
# Metric of the vendor's exporter -> where the server's report has it, in a chip's condition.
METRICS = {
    "npu_chip_info_temperature": "temperature_c",
    "npu_chip_info_hbm_temperature": "hbm_temperature_c",
    "npu_chip_info_health_status": "health",
    "npu_chip_info_error_code": "faults",
    "npu_chip_info_link_status": "link_up",
    "npu_chip_info_hbm_ecc_single_bit_error_cnt": "ecc.single",
    "npu_chip_info_hbm_ecc_double_bit_error_cnt": "ecc.double",
    "npu_chip_info_hbm_ecc_double_bit_isolated_pages_cnt": "ecc.isolated_double",
}
FAILING = ("lost", "fail", "uce", "link_down", "stuck", "host_memory")


class BadKind(ValueError):
    """A kind that cannot be used; the message names it and the remedy."""


class UnknownKind(KeyError):
    """There is no kind of that name; the message says which are like it."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Kind:
    """One kind of fault; the keys are explained at the head of the file."""

    name: str
    words: str
    effect: str
    health: str
    recovery: str
    error: str = ""
    reason: str = ""
    codes: tuple[str, ...] = ()
    raises: str = ""
    signal: str = ""
    metric: str = ""
    counter: str = ""
    amount: float = 1.0
    lasting_operators: int = 0
    collective: bool = False  # strikes collectives alone, so it needs several chips

    @property
    def code(self) -> str:
        """Fault code that the chip reports; empty: it reports none."""
        return self.codes[0] if self.codes else ""

    @property
    def level(self) -> str:
        """How the vendor's device plug-in handles that code."""
        return codes.faults()[self.code].level if self.codes else ""

    @property
    def error_code(self) -> int:
        """What calls of the runtime answer; 0: they succeed."""
        return codes.errors()[self.error].code if self.error else 0

    def text(self) -> str:
        """What the runtime says of it. The adapter looks for the reason in brackets."""
        reason = self.reason or (codes.errors()[self.error].words if self.error else "")
        told = f", fault code {self.code}" if self.code else ""
        return f"{self.words}{told}" + (f", reason=[{reason}]." if reason else ".")


def find(name: str) -> Kind:
    """The kind of that name; UnknownKind, with those that are like it."""
    found = kinds().get(name)
    if found is None:
        like = difflib.get_close_matches(name, kinds(), 3, 0.5)
        guess = f"did you mean {' or '.join(like)}? " if like else ""
        raise UnknownKind(f"no fault {name!r}; {guess}`jumar inject --list` shows all")
    return found


@cache
def kinds(path: Path = FILE) -> dict[str, Kind]:
    """All, by name, in the order of the file."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _kind(f"{path.name}: {name}", name, entry) for name, entry in table.items()}


def _counters(effect: str) -> tuple[str, ...]:
    """What a kind of that effect may count."""
    return COUNTERS if effect == "ecc" else ("", "double") if effect in ("fail", "uce") else ("",)


def _kind(where: str, name: str, entry: Mapping[str, Any]) -> Kind:
    allowed = {field.name for field in fields(Kind)} - {"name"}
    if unknown := sorted(set(entry) - allowed):
        raise BadKind(f"{where}: {unknown[0]} is no key; there are {', '.join(sorted(allowed))}")
    missing = {"words", "effect", "health", "recovery"} - set(entry)
    if missing:
        raise BadKind(f"{where}: {', '.join(sorted(missing))} is missing")
    kind = Kind(name, **{**entry, "codes": tuple(entry.get("codes", ()))})
    for said, value, choices in (
        ("effect", kind.effect, EFFECTS),
        ("health", kind.health, HEALTH),
        ("recovery", kind.recovery, RECOVERIES),
        ("metric", kind.metric, ("", *METRICS)),
        ("counter", kind.counter, _counters(kind.effect)),
        ("error", kind.error, codes.errors() if kind.effect in FAILING else ("",)),
    ):
        if value not in choices:
            raise BadKind(f"{where}: {said} {value!r} is none of {', '.join(choices) or 'nothing'}")
    if unknown := [code for code in kind.codes if code not in codes.faults()]:
        raise BadKind(f"{where}: {unknown[0]} is no fault code of the vendor's; see abi/fault_codes.tsv")
    if bool(kind.raises or kind.signal) != (kind.effect in FAILING):
        raise BadKind(f"{where}: `raises` goes with the effects {', '.join(FAILING)}, and with no other")
    return kind
